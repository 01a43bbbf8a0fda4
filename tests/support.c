/* SPDX-License-Identifier: MIT */
/* tests/support.c - what the behaviour tests share */
#include "tests/support.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CLAIMS = 16, CLAIM_SIZE = 160 };

static char broken[CLAIMS][CLAIM_SIZE];
static _Atomic unsigned nbroken;

/* No lock: each writer has a line of its own, and the reader comes when all have ended. */
void claim_broken (const char *file, int line, const char *what, long long a, long long b)
{
	unsigned at = atomic_fetch_add (&nbroken, 1);

	if (at >= CLAIMS)
		return;
	if (a == b)
		snprintf (broken[at], CLAIM_SIZE, "%s:%d: %s", file, line, what);
	else
		snprintf (broken[at], CLAIM_SIZE, "%s:%d: %s (%lld, %lld)", file, line, what, a, b);
}

void claim_eq_ (const char *file, int line, const char *what, long long a, long long b)
{
	if (a != b)
		claim_broken (file, line, what, a, b);
}

const char *claims_text (void)
{
	static char text[CLAIMS * (CLAIM_SIZE + 1) + 64];
	unsigned n = atomic_exchange (&nbroken, 0);
	size_t len = 0;

	text[0] = '\0';
	for (unsigned i = 0; i < n && i < CLAIMS; i++)
		len += (size_t) sprintf (text + len, "%s%s", i ? "\n" : "", broken[i]);
	if (n > CLAIMS)
		sprintf (text + len, "\nand %u more", n - CLAIMS);
	return text;
}

goad_config_t config_of (int procs, uint64_t quantum_ns, int preempt)
{
	goad_config_t cfg = GOAD_CONFIG_INIT;

	cfg.procs = procs;
	cfg.quantum_ns = quantum_ns;
	cfg.preempt = preempt;
	cfg.seed = 1;
	return cfg;
}

int run_main (goad_fn fn, void *arg, int procs, uint64_t quantum_ns, int preempt)
{
	goad_config_t cfg = config_of (procs, quantum_ns, preempt);

	return goad_main (fn, arg, &cfg);
}

goad_stats_t stats_now (void)
{
	goad_stats_t s;

	memset (&s, 0, sizeof s);
	claim_eq (goad_stats (&s), 0);
	return s;
}

goad_stats_t stats_delta (const goad_stats_t *before, const goad_stats_t *after)
{
	goad_stats_t d = *after;

	d.switches -= before->switches;
	d.steals -= before->steals;
	d.handoffs -= before->handoffs;
	d.spawned -= before->spawned;
	d.preempt_requested -= before->preempt_requested;
	d.preempt_yielded -= before->preempt_yielded;
	d.preempt_handed_off -= before->preempt_handed_off;
	d.preempt_deferred -= before->preempt_deferred;
	d.preempt_expired -= before->preempt_expired;
	d.sysmon_ticks -= before->sysmon_ticks;
	d.sysmon_cpu_ns -= before->sysmon_cpu_ns;
	d.signals_sent -= before->signals_sent;
	d.slices -= before->slices;
	d.slice_ns -= before->slice_ns;
	return d;
}

void program_scanned (void)
{
	static bool done;

	if (!done)
		claim_eq (goad_module_class ("", GOAD_MODULE_SCANNED), 0);
	done = true;
}

void hog_run (void *arg)
{
	struct hog *h = arg;
	uint64_t n = 0;

	while (!atomic_load_explicit (h->stop, memory_order_relaxed)) {
		atomic_store_explicit (&h->loops, ++n, memory_order_relaxed);
		loop_apart ();
	}
}

int hog_spawn (struct hog *h, const goad_attr_t *attr, const _Atomic int *stop)
{
	h->stop = stop;
	atomic_store (&h->loops, 0);
	return goad_spawn (&h->task, attr, hog_run, h);
}

void hogs_begin (struct hog *h, int n, _Atomic int *stop)
{
	atomic_store (stop, 0);
	for (int i = 0; i < n; i++)
		claim_eq (hog_spawn (&h[i], NULL, stop), 0);
}

void hogs_end (struct hog *h, int n, _Atomic int *stop)
{
	atomic_store (stop, 1);
	for (int i = 0; i < n; i++)
		claim_eq (goad_join (h[i].task), 0);
}

void spin_for (uint64_t ns)
{
	uint64_t end = goad_after (ns);

	while (goad_now () < end)
		spin_loops (500);
}

__attribute__ ((noinline)) void spin_loops (uint64_t loops)
{
	while (loops-- > 0)
		__asm__ volatile("" ::: "memory");
}

/* Of three tries the fastest, which the host disturbed least. */
uint64_t loops_per_ms (void)
{
	static uint64_t best;

	for (int i = 0; best == 0 || i < 3; i++) {
		uint64_t start = goad_now (), rate;

		spin_loops (1000000);
		rate = UINT64_C (1000000) * GOAD_MS / (goad_now () - start + 1);
		best = rate > best ? rate : best;
	}
	return best;
}

double jain (const double *x, size_t n)
{
	double sum = 0, squares = 0;

	for (size_t i = 0; i < n; i++) {
		sum += x[i];
		squares += x[i] * x[i];
	}
	return squares > 0 ? sum * sum / ((double) n * squares) : 0;
}

void await (const _Atomic int *flag, int want)
{
	while (atomic_load (flag) < want) {
		if (goad_id ())
			goad_yield ();
		else
			goad_sleep (100 * GOAD_US);
	}
}

static int count_entries (const char *dir)
{
	DIR *d = opendir (dir);
	struct dirent *e;
	int n = 0;

	while (d && (e = readdir (d)))
		n += e->d_name[0] != '.';
	if (d)
		closedir (d);
	return n;
}

static size_t status_kb (const char *key)
{
	FILE *f = fopen ("/proc/self/status", "re");
	char line[256];
	size_t kb = 0;

	while (f && fgets (line, sizeof line, f))
		if (strncmp (line, key, strlen (key)) == 0)
			kb = strtoul (line + strlen (key) + 1, NULL, 10);
	if (f)
		fclose (f);
	return kb;
}

struct census census_now (void)
{
	struct census c;
	FILE *f = fopen ("/proc/self/maps", "re");
	int ch;

	c.threads = count_entries ("/proc/self/task");
	c.fds = count_entries ("/proc/self/fd");
	c.maps = 0;
	while (f && (ch = getc (f)) != EOF)
		c.maps += ch == '\n';
	if (f)
		fclose (f);
	c.vm_kb = status_kb ("VmSize");
	return c;
}

/* A thread that has been joined is listed a little longer. */
struct census census_settled (int threads)
{
	uint64_t deadline = goad_after (2 * GOAD_S);

	while (count_entries ("/proc/self/task") > threads && goad_now () < deadline)
		usleep (1000);
	return census_now ();
}

uint64_t process_cpu_ns (void)
{
	struct timespec ts;

	clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (uint64_t) ts.tv_sec * GOAD_S + (uint64_t) ts.tv_nsec;
}

size_t rss_bytes (void)
{
	return status_kb ("VmRSS") * 1024;
}

/* The second figure of schedstat is the time spent runnable and not running; the
 * eighth of the cpu line in /proc/stat is what the hypervisor took, in ticks. */
uint64_t host_delay_ns (void)
{
	DIR *d = opendir ("/proc/self/task");
	struct dirent *e;
	unsigned long long v, steal = 0;
	uint64_t sum = 0;
	FILE *f;

	while (d && (e = readdir (d))) {
		char path[300];

		snprintf (path, sizeof path, "/proc/self/task/%s/schedstat", e->d_name);
		if (e->d_name[0] == '.' || (f = fopen (path, "re")) == NULL)
			continue;
		if (fscanf (f, "%*u %llu", &v) == 1)
			sum += v;
		fclose (f);
	}
	if (d)
		closedir (d);
	f = fopen ("/proc/stat", "re");
	if (f && fscanf (f, "cpu %*u %*u %*u %*u %*u %*u %*u %llu", &steal) == 1)
		sum += steal * (GOAD_S / (uint64_t) sysconf (_SC_CLK_TCK));
	if (f)
		fclose (f);
	return sum;
}

static _Noreturn void child_body (void (*fn) (void *), void *arg, int fd)
{
	static const int fatal[] = { SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE, SIGTRAP, SIGTERM };
	struct rlimit none = { 0, 0 };

	for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++)
		signal (fatal[i], SIG_DFL);
	setrlimit (RLIMIT_CORE, &none);
	dup2 (fd, STDOUT_FILENO);
	dup2 (fd, STDERR_FILENO);
	setvbuf (stdout, NULL, _IONBF, 0);
	fn (arg);
	_exit (0);
}

int child_run (void (*fn) (void *), void *arg, double timeout, char *out, size_t size)
{
	uint64_t deadline = goad_after ((uint64_t) (timeout * 1e9));
	struct pollfd pfd = { .events = POLLIN };
	int fds[2], status = 0;
	size_t len = 0;
	pid_t pid;
	ssize_t n;

	out[0] = '\0';
	if (pipe (fds) != 0)
		return -1;
	fflush (NULL);
	pid = fork ();
	if (pid == 0)
		child_body (fn, arg, fds[1]);
	close (fds[1]);
	pfd.fd = fds[0];
	for (;;) {
		uint64_t now = goad_now ();
		char spill[256];
		bool full = len + 1 >= size;

		if (now >= deadline || poll (&pfd, 1, (int) ROUND_UP_MS (deadline - now)) == 0)
			break;
		n = read (fds[0], full ? spill : out + len, full ? sizeof spill : size - 1 - len);
		if (n == 0 || (n < 0 && errno != EINTR))
			break;
		if (n > 0 && !full)
			out[len += (size_t) n] = '\0';
	}
	if (goad_now () >= deadline) {
		kill (pid, SIGKILL);
		waitpid (pid, &status, 0);
		status = -1;
	} else {
		waitpid (pid, &status, 0);
	}
	close (fds[0]);
	return status;
}

bool child_signalled (int status, int signo)
{
	return status != -1 && WIFSIGNALED (status) && WTERMSIG (status) == signo;
}

bool child_exited (int status, int code)
{
	return status != -1 && WIFEXITED (status) && WEXITSTATUS (status) == code;
}
