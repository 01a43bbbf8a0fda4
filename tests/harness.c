/* SPDX-License-Identifier: MIT */
/* tests/harness.c - main for the tests: Criterion's, or the plain runner's */
#include "tests/harness.h"

#include <stdlib.h>

#ifndef GOAD_PLAIN_TESTS

/* One test at a time, unlike Criterion's default: most of them measure who got the
 * CPU, and this way they compete with nobody.  Each is named, as are those skipped. */
int main (int argc, char **argv)
{
	struct criterion_test_set *set = criterion_initialize ();
	int rc = EXIT_SUCCESS;

	criterion_options.jobs = 1;
	criterion_options.logging_threshold = CRITERION_INFO;
	if (criterion_handle_args (argc, argv, true))
		rc = criterion_run_all_tests (set) ? EXIT_SUCCESS : EXIT_FAILURE;
	criterion_finalize (set);
	return rc;
}

#else

#include <errno.h>
#include <fnmatch.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The tests run in a child, which only dies with a test that crashes or runs out of
 * time; the parent has no other thread, so it forks another child for the rest. */
enum { WAITING, RUNNING, PASSED, FAILED, SKIPPED, CRASHED };

struct board {
	double started; /* the running test, by the monotonic clock */
	int current;    /* its index; -1 between two               */
	int state[];
};

static struct harness_test *first, **last = &first;
static struct harness_test **tests;
static struct board *board;
static int ntests;
static bool in_process;

static jmp_buf leave;
static bool failed;

static double now (void)
{
	struct timespec ts;

	clock_gettime (CLOCK_MONOTONIC, &ts);
	return (double) ts.tv_sec + (double) ts.tv_nsec / 1e9;
}

void harness_register (struct harness_test *test)
{
	*last = test;
	last = &test->next;
}

void harness_check (bool fatal, bool held, const char *file, int line, const char *what,
                    const char *fmt, ...)
{
	va_list ap;

	if (held)
		return;
	fprintf (stderr, "[----] %s:%d: Assertion Failed\n[----]   ", file, line);
	if (*fmt) {
		va_start (ap, fmt);
		vfprintf (stderr, fmt, ap);
		va_end (ap);
	} else {
		fputs (what, stderr);
	}
	fputc ('\n', stderr);
	failed = true;
	if (fatal)
		longjmp (leave, FAILED);
}

void harness_skip (const char *fmt, ...)
{
	va_list ap;
	const struct harness_test *t = tests[board->current];

	fprintf (stderr, "[SKIP] %s::%s: ", t->suite, t->name);
	va_start (ap, fmt);
	vfprintf (stderr, fmt, ap);
	va_end (ap);
	fputc ('\n', stderr);
	longjmp (leave, SKIPPED);
}

static void run_one (int i)
{
	const struct harness_test *t = tests[i];
	int how;

	fprintf (stderr, "[RUN ] %s::%s\n", t->suite, t->name);
	failed = false;
	board->started = now ();
	board->state[i] = RUNNING;
	board->current = i;
	how = setjmp (leave);
	if (how == 0) {
		if (t->opt.init)
			t->opt.init ();
		t->fn ();
		if (t->opt.fini)
			t->opt.fini ();
	}
	board->current = -1;
	board->state[i] = how == SKIPPED ? SKIPPED : failed ? FAILED : PASSED;
	if (how != SKIPPED)
		fprintf (stderr, "[%s] %s::%s: (%.2fs)\n", failed ? "FAIL" : "PASS", t->suite, t->name,
		         now () - board->started);
}

/* A test that is to die has a child of its own. */
static bool alone (int i)
{
	return tests[i]->opt.signal || tests[i]->opt.exit_code;
}

static void run_from (int i)
{
	bool one = alone (i);

	for (; i < ntests && alone (i) == one; i++) {
		if (board->state[i] == WAITING) {
			run_one (i);
			if (one)
				break;
		}
	}
}

/* Waits for the child; kills it when its test has run for longer than it may. */
static int wait_child (pid_t pid, bool *timed_out)
{
	struct pollfd pfd = { .fd = (int) syscall (SYS_pidfd_open, pid, 0), .events = POLLIN };
	int status = 0;

	*timed_out = false;
	while (pfd.fd >= 0 && poll (&pfd, 1, 50) == 0) {
		int i = board->current;
		double limit = i >= 0 ? tests[i]->opt.timeout : 0;

		if (limit > 0 && now () - board->started > limit) {
			*timed_out = true;
			kill (pid, SIGKILL);
			break;
		}
	}
	while (waitpid (pid, &status, 0) < 0 && errno == EINTR)
		;
	if (pfd.fd >= 0)
		close (pfd.fd);
	return status;
}

/* Says how the test went in which the child ended. */
static void judge_end (int i, int status, bool timed_out)
{
	const struct harness_test *t = tests[i];

	if (timed_out) {
		board->state[i] = FAILED;
		fprintf (stderr, "[FAIL] %s::%s: Timed out. (%.2fs)\n", t->suite, t->name,
		         now () - board->started);
	} else if (WIFSIGNALED (status) && WTERMSIG (status) == t->opt.signal) {
		board->state[i] = PASSED;
	} else if (WIFEXITED (status) && t->opt.exit_code && WEXITSTATUS (status) == t->opt.exit_code) {
		board->state[i] = PASSED;
	} else {
		board->state[i] = CRASHED;
		fprintf (stderr, "[----] %s:%d: Unexpected %s %d caught below this line!\n", t->file,
		         t->line, WIFSIGNALED (status) ? "signal" : "exit with",
		         WIFSIGNALED (status) ? WTERMSIG (status) : WEXITSTATUS (status));
		fprintf (stderr, "[FAIL] %s::%s: CRASH!\n", t->suite, t->name);
	}
}

/* One child, from test i on.  True if it ended badly outside every test, as after a
 * sanitizer's last report. */
static bool supervise (int i)
{
	bool timed_out;
	int status, at;
	pid_t pid;

	board->current = -1;
	fflush (NULL);
	pid = fork ();
	if (pid == 0) {
		run_from (i);
		exit (EXIT_SUCCESS);
	}
	status = wait_child (pid, &timed_out);
	at = board->current;
	if (at >= 0) {
		judge_end (at, status, timed_out);
		return false;
	}
	if (alone (i) && board->state[i] == PASSED) {
		board->state[i] = FAILED;
		fprintf (stderr, "[FAIL] %s::%s: returned, and was to die\n", tests[i]->suite,
		         tests[i]->name);
	}
	if (status != 0)
		fprintf (stderr, "[FAIL] the process ended with status %#x after its last test\n", status);
	return status != 0;
}

static void list (void)
{
	for (int i = 0; i < ntests; i++)
		printf ("%s/%s%s\n", tests[i]->suite, tests[i]->name,
		        tests[i]->opt.disabled ? " (skipped)" : "");
}

static void collect (const char *pattern)
{
	struct harness_test *t;
	char id[256];

	for (t = first; t; t = t->next)
		ntests++;
	tests = calloc ((size_t) ntests + 1, sizeof *tests);
	board = mmap (NULL, sizeof *board + (size_t) ntests * sizeof (int), PROT_READ | PROT_WRITE,
	              MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (tests == NULL || board == MAP_FAILED) {
		fputs ("harness: no memory\n", stderr);
		exit (99);
	}
	ntests = 0;
	for (t = first; t; t = t->next) {
		snprintf (id, sizeof id, "%s/%s", t->suite, t->name);
		if (pattern && fnmatch (pattern, id, FNM_EXTMATCH) != 0)
			continue;
		tests[ntests] = t;
		board->state[ntests++] = t->opt.disabled ? SKIPPED : WAITING;
	}
}

static int count (int state)
{
	int n = 0;

	for (int i = 0; i < ntests; i++)
		n += board->state[i] == state;
	return n;
}

int main (int argc, char **argv)
{
	const char *pattern = NULL;
	bool only_list = false, bad = false;
	int passed, broken;

	for (int i = 1; i < argc; i++) {
		if (strcmp (argv[i], "--list") == 0 || strcmp (argv[i], "-l") == 0)
			only_list = true;
		else if (strncmp (argv[i], "--filter=", 9) == 0)
			pattern = argv[i] + 9;
		else if (strcmp (argv[i], "--filter") == 0 && i + 1 < argc)
			pattern = argv[++i];
		else if (strcmp (argv[i], "--in-process") == 0) /* for a debugger: no child */
			in_process = true;
	}
	collect (pattern);
	if (only_list) {
		list ();
		return EXIT_SUCCESS;
	}
	for (int i = 0; i < ntests; i++) {
		if (board->state[i] != WAITING)
			continue;
		if (in_process && !alone (i))
			run_one (i);
		else
			bad |= supervise (i);
	}
	passed = count (PASSED);
	broken = count (FAILED) + count (CRASHED);
	fprintf (stderr, "[====] Synthesis: Tested: %d | Passing: %d | Failing: %d | Crashing: %d \n",
	         passed + broken, passed, broken, count (CRASHED));
	return bad || broken > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
