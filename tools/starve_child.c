/* SPDX-License-Identifier: MIT */
/* starve_child.c - one scenario, in a process of its own, and the thread that looks on
 *
 * The host may keep our threads off the CPUs, and nobody in the process can do anything about
 * it.  The kernel counts that (run delay, in schedstat).  So a wait counts as starvation only
 * once it is longer than the bound by more than the longest such delay of any thread of ours
 * since the beginning; one that is beyond the bound by less makes the run inconclusive.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tools/starve.h"
#include "tools/top.h"

enum { LOOK_NS = 1000000, THREADS = 256 };
static const uint64_t limit_ns = 3 * GOAD_S, user_limit_ns = 20 * GOAD_S;

static struct child {
	const struct setup *setup;
	struct verdict *v;
	uint64_t start;
	_Atomic int main_done, user_code;
	int main_error;
} child;

/* ---- the host -------------------------------------------------------------------------------- */

static struct {
	int tid;
	uint64_t at_start;
} threads[THREADS];
static int threads_n;
static int task_dir = -1;

static uint64_t run_delay (int tid)
{
	char path[64], text[96];
	unsigned long long ran, delay;

	snprintf (path, sizeof path, "/proc/self/task/%d/schedstat", tid);
	int fd = open (path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	ssize_t n = read (fd, text, sizeof text - 1);
	close (fd);
	text[n > 0 ? n : 0] = '\0';
	return sscanf (text, "%llu %llu", &ran, &delay) == 2 ? delay : 0;
}

/* What this thread has lost since the beginning, or since it began. */
static uint64_t lost (int tid, bool first)
{
	uint64_t delay = run_delay (tid);
	int i;

	for (i = 0; i < threads_n && threads[i].tid != tid; i++)
		;
	if (i == threads_n && threads_n < THREADS) {
		threads[i].tid = tid;
		threads[i].at_start = first ? delay : 0;
		threads_n++;
	}
	return i < THREADS && delay > threads[i].at_start ? delay - threads[i].at_start : 0;
}

struct entry { /* of getdents64: opendir would call malloc */
	uint64_t ino, off;
	unsigned short len;
	unsigned char type;
	char name[];
};

/* The most that one thread has lost. */
static uint64_t host_noise (bool first)
{
	char buf[4096] __attribute__ ((aligned (8)));
	uint64_t most = 0;
	long n;

	if (task_dir < 0)
		task_dir = open ("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	lseek (task_dir, 0, SEEK_SET);
	while ((n = syscall (SYS_getdents64, task_dir, buf, sizeof buf)) > 0)
		for (long at = 0; at < n;) {
			const struct entry *e = (const struct entry *) (const void *) (buf + at);
			int tid = atoi (e->name);
			uint64_t l = tid > 0 ? lost (tid, first) : 0;
			most = l > most ? l : most;
			at += e->len;
		}
	return most;
}

/* ---- the watch ------------------------------------------------------------------------------- */

/* On sysmon's thread.  The last one with frames is kept. */
static void on_starve (const goad_starve_event_t *e, void *arg)
{
	struct verdict *v = arg;
	struct culprit *c = &v->culprit;

	v->events++;
	if (child.setup->user)
		util_hist_add (&v->waits, e->waited_ns);
	if (c->depth > 0 && (e->hog_depth == 0 || e->waited_ns < c->waited_ns))
		return;
	c->waited_ns = e->waited_ns;
	c->victim_id = e->id;
	c->hog_id = e->hog_id;
	snprintf (c->victim, sizeof c->victim, "%s", e->name);
	snprintf (c->hog, sizeof c->hog, "%s", e->hog_name);
	memcpy (c->pc, e->hog_pc, sizeof c->pc);
	c->depth = e->hog_depth;
}

static void watch (void)
{
	goad_starve_opts_t o = GOAD_STARVE_OPTS_INIT;

	o.bound_ns = child.setup->user ? child.setup->bound_ns : child.setup->bound_ns / 2;
	o.on_starve = on_starve;
	o.arg = child.v;
	goad_starve_watch (&o);
}

/* ---- looking on ------------------------------------------------------------------------------ */

static void look_at_procs (struct verdict *v, uint64_t now)
{
	goad_proc_view_t p[64];
	int n = goad_observe_procs (p, (int) UTIL_COUNT (p));

	for (int i = 0; i < n && i < (int) UTIL_COUNT (p); i++)
		if (p[i].id && now > p[i].since_ns && now - p[i].since_ns > v->longest_run_ns)
			v->longest_run_ns = now - p[i].since_ns;
}

/* The end: everything is written down, and the process goes without cleaning up, as some
 * coroutine may never end. */
static void finish (enum outcome outcome, const char *why, uint64_t now) __attribute__ ((noreturn));
static void finish (enum outcome outcome, const char *why, uint64_t now)
{
	struct verdict *v = child.v;
	char waited[16], bound[16];
	struct standing s;

	starve_kit_look (&s, now);
	v->noise_ns = host_noise (false);
	v->elapsed_ns = now - child.start;
	starve_kit_censor (v, now);
	goad_stats (&v->stats);
	if (!why) {
		uint64_t worst = s.open_ns > s.worst_ns ? s.open_ns : s.worst_ns;
		snprintf (v->why, sizeof v->why, "waited for %s%s, and the bound is %s",
		          util_time (waited, (double) worst),
		          s.open_ns >= s.worst_ns ? " and still waits" : "",
		          util_time (bound, (double) child.setup->bound_ns));
	} else {
		snprintf (v->why, sizeof v->why, "%s", why);
	}
	atomic_store (&starve_over_flag, 1);
	/* The culprit's frames may be on their way. */
	for (int i = 0; i < 150 && outcome == STARVE_FAIL && v->culprit.depth == 0; i++)
		poll (NULL, 0, 1);
	starve_trace_end (child.setup->trace);
	top_remove_own ();
	atomic_store (&v->outcome, (int) outcome);
	_exit (0);
}

static void look (uint64_t now)
{
	const struct setup *s = child.setup;
	unsigned want = s->scenario->victims ? s->scenario->victims : 1;
	unsigned turns = s->scenario->turns ? s->scenario->turns : 8;
	struct standing st;
	uint64_t worst, noise;

	starve_kit_look (&st, now);
	worst = st.open_ns > st.worst_ns ? st.open_ns : st.worst_ns;
	if (worst > s->bound_ns) {
		noise = host_noise (false);
		if (worst > s->bound_ns + noise)
			finish (STARVE_FAIL, NULL, now);
		if (now - child.start > limit_ns)
			finish (STARVE_UNCLEAR, "the host took the CPUs away for as long", now);
		if (st.worst_ns > s->bound_ns && st.open_ns <= s->bound_ns)
			finish (STARVE_UNCLEAR, "a wait passed the bound, and the host took the CPUs away",
			        now);
		return;
	}
	if (st.victims >= want && st.least_turns >= turns)
		finish (STARVE_PASS, "", now);
	if (now - child.start > limit_ns) {
		noise = host_noise (false);
		finish (noise > limit_ns / 4 ? STARVE_UNCLEAR : STARVE_FAIL, "made no progress", now);
	}
	if (atomic_load (&child.main_done))
		finish (STARVE_ERROR, "the runtime ended", now);
}

/* A user's own: over when it ends, judged by the watch. */
static void look_user (uint64_t now)
{
	struct verdict *v = child.v;
	bool done = atomic_load (&child.main_done);

	if (!done && now - child.start < user_limit_ns)
		return;
	uint64_t noise = host_noise (false), worst = v->culprit.waited_ns;
	goad_stats (&v->stats);
	if (v->stats.runnable_wait_max_ns > worst) /* an event says how long it was till then */
		worst = v->stats.runnable_wait_max_ns;
	if (done && child.main_error)
		finish (STARVE_ERROR, strerror (-child.main_error), now);
	if (v->events && worst > child.setup->bound_ns + noise)
		finish (STARVE_FAIL, "a coroutine was runnable for longer than the bound", now);
	if (v->events)
		finish (STARVE_UNCLEAR, "the host took the CPUs away for as long", now);
	if (!done)
		finish (STARVE_FAIL, "did not end in time", now);
	if (atomic_load (&child.user_code))
		finish (STARVE_FAIL, "the function did not return 0", now);
	finish (STARVE_PASS, "", now);
}

static void *look_on (void *arg)
{
	(void) arg;
	prctl (PR_SET_NAME, "goad-starve");
	for (;;) {
		struct timespec ts = { 0, LOOK_NS };
		clock_nanosleep (CLOCK_MONOTONIC, 0, &ts, NULL);
		uint64_t now = goad_now ();

		look_at_procs (child.v, now);
		starve_trace_look (child.setup->trace);
		if (child.setup->user)
			look_user (now);
		else
			look (now);
	}
	return NULL;
}

static void first (void *arg)
{
	static char name[] = "scenario";
	char *argv[] = { name, NULL };

	if (child.setup->user)
		atomic_store (&child.user_code, child.setup->user (1, argv));
	else
		child.setup->scenario->first (arg);
}

void starve_child (const struct setup *s)
{
	goad_config_t cfg = GOAD_CONFIG_INIT;
	pthread_t t;

	prctl (PR_SET_PDEATHSIG, SIGKILL);
	child.setup = s;
	child.v = s->verdict;
	if (goad_config_init (&cfg) < 0)
		_exit (TOOL_USAGE);
	cfg.procs = s->user ? cfg.procs : s->scenario->procs ? s->scenario->procs : 1;
	if (!s->user)
		cfg.quantum_ns = s->scenario->quantum_ns ? s->scenario->quantum_ns : 2 * GOAD_MS;
	cfg.flags |= s->disabled | s->scenario->flags;
	cfg.seed = s->seed;
	s->verdict->config = cfg;
	if (!s->user) /* a program with threads of its own would be handed off each time */
		goad_module_class ("", s->scenario->module ? s->scenario->module : GOAD_MODULE_SCANNED);
	starve_kit_begin (&s->verdict->waits);
	host_noise (true);
	watch ();
	starve_trace_begin (s->trace);
	child.start = goad_now ();
	if (pthread_create (&t, NULL, look_on, NULL) != 0)
		_exit (TOOL_FAILED);
	child.main_error = goad_main (first, NULL, &cfg);
	if (s->user)
		goad_starve_stop (NULL);
	atomic_store (&child.main_done, 1);
	for (;;)
		pause ();
}

/* ---- the parent ------------------------------------------------------------------------------ */

static int wait_for (pid_t pid, uint64_t deadline)
{
	int status;

	for (;;) {
		pid_t got = waitpid (pid, &status, WNOHANG);
		struct timespec ts = { 0, 1000000 };

		if (got == pid)
			return status;
		if (got < 0 && errno != EINTR)
			return -1;
		if (goad_now () > deadline) {
			kill (pid, SIGKILL);
			waitpid (pid, &status, 0);
			return -1;
		}
		nanosleep (&ts, NULL);
	}
}

enum outcome starve_run (const struct setup *s)
{
	struct verdict *v = s->verdict;
	int status;

	memset (v, 0, sizeof *v);
	fflush (NULL);
	pid_t pid = fork ();
	if (pid == 0)
		starve_child (s);
	if (pid < 0) {
		snprintf (v->why, sizeof v->why, "fork: %s", strerror (errno));
		return STARVE_ERROR;
	}
	status = wait_for (pid, goad_after ((s->user ? user_limit_ns : limit_ns) + 5 * GOAD_S));
	if (atomic_load (&v->outcome) != STARVE_NONE)
		return (enum outcome) atomic_load (&v->outcome);
	if (status < 0)
		snprintf (v->why, sizeof v->why, "the process did not end in time, and was killed");
	else if (WIFSIGNALED (status))
		snprintf (v->why, sizeof v->why, "the process was killed by signal %d", WTERMSIG (status));
	else
		snprintf (v->why, sizeof v->why, "the process ended with %d", WEXITSTATUS (status));
	return status < 0 ? STARVE_FAIL : STARVE_ERROR;
}
