/* SPDX-License-Identifier: MIT */
/* bench_exec.c - one run of one program, and whether the machine was its own meanwhile
 *
 * A run is noisy when other processes used more than 5% of a CPU meanwhile, or the host kept
 * more than 3% of one for others, or, for goad's programs, when the main thread was ready to
 * run and no CPU took it for more than 5% of the time. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

enum { WORDS_MAX = 32, TICKS_OF_STAT = 8 };

static volatile sig_atomic_t running; /* the process group that is measured now, or 0 */

struct moment {
	double busy, steal, own, wall; /* seconds */
};

static double wall_now (void)
{
	struct timespec ts;

	clock_gettime (CLOCK_MONOTONIC, &ts);
	return (double) ts.tv_sec + (double) ts.tv_nsec / 1e9;
}

static double seconds (const struct rusage *u)
{
	return (double) (u->ru_utime.tv_sec + u->ru_stime.tv_sec) +
	       (double) (u->ru_utime.tv_usec + u->ru_stime.tv_usec) / 1e6;
}

/* CPU time of the whole machine, of the host's other guests, and of us and ours. */
static struct moment moment (void)
{
	struct moment m = { .wall = wall_now () };
	double t[TICKS_OF_STAT] = { 0 }, hz = (double) sysconf (_SC_CLK_TCK);
	struct rusage self, children;
	FILE *f = fopen ("/proc/stat", "r");

	if (f != NULL) {
		/* user nice system idle iowait irq softirq steal */
		if (fscanf (f, "cpu %lf %lf %lf %lf %lf %lf %lf %lf", &t[0], &t[1], &t[2], &t[3], &t[4],
		            &t[5], &t[6], &t[7]) >= 7) {
			m.busy = (t[0] + t[1] + t[2] + t[5] + t[6]) / hz;
			m.steal = t[7] / hz;
		}
		fclose (f);
	}
	getrusage (RUSAGE_SELF, &self);
	getrusage (RUSAGE_CHILDREN, &children);
	m.own = seconds (&self) + seconds (&children);
	return m;
}

/* A clock tick or two are lost to rounding. */
static void judge_noise (struct bench_run *run, enum side side, struct moment a, struct moment b)
{
	double wall = b.wall - a.wall, steal = b.steal - a.steal;
	double foreign = (b.busy - a.busy) - (b.own - a.own);
	char *at = run->noisy;
	size_t room = sizeof run->noisy;
	int n = 0;

	if (foreign > 0.05 + 0.05 * wall)
		n += snprintf (at, room, "other %.0f%%", 100 * foreign / wall);
	if (steal > 0.02 + 0.03 * wall)
		n += snprintf (at + n, room - (size_t) n, "%ssteal %.0f%%", n > 0 ? ", " : "",
		               100 * steal / wall);
	if (side == SIDE_GOAD && run->run_delay_ms / 1e3 > 0.02 + 0.05 * wall)
		snprintf (at + n, room - (size_t) n, "%srun delay %.0f ms", n > 0 ? ", " : "",
		          run->run_delay_ms);
}

/* The child is in a process group of its own, which the terminal's Ctrl-C does not reach. */
static void stopped (int signo)
{
	if (running > 0)
		kill (-running, SIGKILL);
	signal (signo, SIG_DFL);
	raise (signo);
}

static void watch_signals (void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

	for (size_t i = 0; i < UTIL_COUNT (signals); i++)
		signal (signals[i], stopped);
}

static _Noreturn void be_program (const char *path, const char *options, int out)
{
	static char words[1024];
	static char *argv[WORDS_MAX];
	int n = 0;

	setpgid (0, 0);
	prctl (PR_SET_PDEATHSIG, SIGKILL);
	snprintf (words, sizeof words, "%s", options);
	argv[n++] = strdup (path);
	for (char *w = strtok (words, " "); w != NULL && n < WORDS_MAX - 1; w = strtok (NULL, " "))
		argv[n++] = w;
	argv[n] = NULL;
	if (dup2 (out, STDOUT_FILENO) >= 0)
		execv (path, argv);
	_exit (127);
}

static void keep_line (struct bench_run *run, const char *line)
{
	struct bench_value v;

	if (sscanf (line, "%31s %lf %11s", v.name, &v.value, v.unit) != 3)
		fprintf (stderr, "%s\n", line);
	else if (strcmp (v.name, "run_delay") == 0)
		run->run_delay_ms = v.value;
	else if (run->values_n < BENCH_VALUES)
		run->values[run->values_n++] = v;
}

/* Reads to the end of the output, or of the time. */
static int collect (int fd, uint64_t timeout_ns, struct bench_run *run)
{
	double end = wall_now () + (double) timeout_ns / 1e9;
	char text[8192], *line = text, *newline;
	size_t len = 0;

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		double left = end - wall_now ();

		if (left <= 0)
			return -ETIMEDOUT;
		if (poll (&p, 1, left > 1 ? 1000 : (int) (1000 * left) + 1) <= 0)
			continue;
		ssize_t n = read (fd, text + len, sizeof text - 1 - len);
		if (n <= 0)
			break;
		len += (size_t) n;
	}
	text[len] = '\0';
	for (; (newline = strchr (line, '\n')) != NULL; line = newline + 1) {
		*newline = '\0';
		keep_line (run, line);
	}
	return 0;
}

static int complain (const char *path, const char *options, int err, int status,
                     uint64_t timeout_ns)
{
	char t[16];

	if (err == -ETIMEDOUT)
		util_error ("%s %s: took longer than %s", path, options,
		            util_time (t, (double) timeout_ns));
	else if (WIFSIGNALED (status))
		util_error ("%s %s: died of signal %d", path, options, WTERMSIG (status));
	else
		util_error ("%s %s: exit code %d", path, options, WEXITSTATUS (status));
	return err < 0 ? err : -ECHILD;
}

int bench_exec (const struct bench *b, enum side side, const char *path, const char *options,
                struct bench_run *run)
{
	int fd[2], status = 0;
	struct moment before = moment ();

	*run = (struct bench_run){ .values_n = 0 };
	if (pipe (fd) != 0)
		return -errno;
	watch_signals ();
	pid_t pid = fork ();
	if (pid == 0) {
		close (fd[0]);
		be_program (path, options, fd[1]);
	}
	close (fd[1]);
	if (pid < 0) {
		close (fd[0]);
		return -errno;
	}
	setpgid (pid, pid);
	running = pid;
	int err = collect (fd[0], b->timeout_ns, run);
	close (fd[0]);
	if (err < 0)
		kill (-pid, SIGKILL);
	while (waitpid (pid, &status, 0) < 0 && errno == EINTR)
		;
	running = 0;
	if (err < 0 || status != 0)
		return complain (path, options, err, status, b->timeout_ns);
	judge_noise (run, side, before, moment ());
	return 0;
}
