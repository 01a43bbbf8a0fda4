/* SPDX-License-Identifier: MIT */
/* trace_record.c - goad trace record: a program runs with GOAD_TRACE set */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "trace.h"

/* The program may change its directory before the runtime starts. */
static char *absolute (const char *path)
{
	char *here, *all = NULL;

	if (path[0] == '/')
		return strdup (path);
	here = getcwd (NULL, 0);
	if (here != NULL && asprintf (&all, "%s/%s", here, path) < 0)
		all = NULL;
	free (here);
	return all;
}

/* What stood there is no trace of this run. */
static int clear (const char *path)
{
	int fd = open (path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	if (fd < 0) {
		util_error ("'%s': %s", path, strerror (errno));
		return TOOL_USAGE;
	}
	close (fd);
	return 0;
}

static int result (const char *path, const char *program, int status)
{
	struct stat st;
	int code = WIFEXITED (status) ? WEXITSTATUS (status) : 128 + WTERMSIG (status);

	if (WIFSIGNALED (status))
		util_error ("%s was ended by signal %d (%s)", program, WTERMSIG (status),
		            strsignal (WTERMSIG (status)));
	if (stat (path, &st) < 0 || st.st_size == 0) {
		util_error ("%s wrote no trace: does it use goad?", program);
		unlink (path);
		return code != 0 ? code : TOOL_FAILED;
	}
	util_error ("%s: %lld bytes; see them with 'goad trace show %s'", path, (long long) st.st_size,
	            path);
	return code;
}

/* The terminal's signals are for the program; we report when it has gone. */
static int await (pid_t pid, int *status)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, was[2];
	pid_t got;

	sigaction (SIGINT, &ignore, &was[0]);
	sigaction (SIGQUIT, &ignore, &was[1]);
	do
		got = waitpid (pid, status, 0);
	while (got < 0 && errno == EINTR);
	sigaction (SIGINT, &was[0], NULL);
	sigaction (SIGQUIT, &was[1], NULL);
	return got < 0 ? -1 : 0;
}

int trace_record (const struct trace_options *o)
{
	const char *file = o->out != NULL ? o->out : "goad.trace";
	char **argv = o->argv, *path;
	int status, code, argc = o->argc;
	pid_t pid;

	if (argc > 0 && strcmp (argv[0], "--") == 0)
		argc--, argv++;
	if (argc == 0) {
		util_error ("no PROGRAM: goad trace record -o FILE -- PROGRAM ARG...");
		return TOOL_USAGE;
	}
	path = absolute (file);
	code = path == NULL ? TOOL_FAILED : clear (path);
	if (code != 0) {
		free (path);
		return code;
	}
	fflush (NULL);
	pid = fork ();
	if (pid == 0) {
		setenv ("GOAD_TRACE", path, 1);
		execvp (argv[0], argv);
		util_error ("'%s': %s", argv[0], strerror (errno));
		_exit (errno == ENOENT ? 127 : 126);
	}
	if (pid < 0 || await (pid, &status) < 0) {
		util_error ("'%s' cannot be started: %s", argv[0], strerror (errno));
		code = TOOL_FAILED;
	} else {
		code = result (path, argv[0], status);
	}
	free (path);
	return code;
}
