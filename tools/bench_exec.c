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
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

enum { WORDS_MAX = 32 };

static volatile sig_atomic_t running; /* the process group that is measured now, or 0 */

/* A clock tick or two are lost to rounding. */
static void judge_noise (struct bench_run *run, enum side side, struct util_moment a,
                         struct util_moment b)
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
	double end = util_moment ().wall + (double) timeout_ns / 1e9;
	char text[8192], *line = text, *newline;
	size_t len = 0;

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		double left = end - util_moment ().wall;

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
	struct util_moment before = util_moment ();

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
	judge_noise (run, side, before, util_moment ());
	return 0;
}
