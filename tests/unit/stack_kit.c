/* SPDX-License-Identifier: MIT */
#include "tests/unit/stack_kit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

char child_output[16384];

static _Noreturn void be_child (void (*fn) (void), int out)
{
	struct rlimit no_core = { 0, 0 };

	setrlimit (RLIMIT_CORE, &no_core);
	signal (SIGSEGV, SIG_DFL);
	signal (SIGBUS, SIG_DFL);
	signal (SIGABRT, SIG_DFL);
	dup2 (out, 2);
	alarm (60);
	fn ();
	_exit (0);
}

int child_status (void (*fn) (void))
{
	size_t len = 0;
	int fds[2], status = 0;
	ssize_t n;
	pid_t pid;

	child_output[0] = 0;
	fflush (NULL);
	if (pipe (fds) != 0 || (pid = fork ()) < 0)
		return -1;
	if (pid == 0)
		be_child (fn, fds[1]);
	close (fds[1]);
	while (len < sizeof child_output - 1 &&
	       (n = read (fds[0], child_output + len, sizeof child_output - 1 - len)) > 0)
		len += (size_t) n;
	child_output[len] = 0;
	close (fds[0]);
	waitpid (pid, &status, 0);
	return status;
}

bool child_dies_of (void (*fn) (void), int signo)
{
	int status = child_status (fn);
	return WIFSIGNALED (status) && WTERMSIG (status) == signo;
}

bool child_succeeds (void (*fn) (void))
{
	int status = child_status (fn);
	return WIFEXITED (status) && WEXITSTATUS (status) == 0;
}

_Noreturn void must_failed (int line, const char *what)
{
	dprintf (2, "line %d: %s does not hold\n", line, what);
	_exit (1);
}

static size_t read_all (const char *path, char *buf, size_t size)
{
	size_t len = 0;
	ssize_t n;
	int fd = open (path, O_RDONLY | O_CLOEXEC);

	while (fd >= 0 && len < size - 1 && (n = read (fd, buf + len, size - 1 - len)) > 0)
		len += (size_t) n;
	if (fd >= 0)
		close (fd);
	buf[len] = 0;
	return len;
}

size_t maps_text (char *buf, size_t size)
{
	return read_all ("/proc/self/maps", buf, size);
}

/* Not statm: its numbers lag behind by a batch per CPU, and count pages of files, which
 * the kernel takes away when it likes. */
size_t rss (void)
{
	char buf[4096];
	const char *at;

	read_all ("/proc/self/smaps_rollup", buf, sizeof buf);
	at = strstr (buf, "Anonymous:");
	return at ? strtoul (at + strlen ("Anonymous:"), NULL, 10) * KIB : 0;
}

size_t mappings (void)
{
	char buf[4096];
	size_t lines = 0;
	ssize_t n;
	int fd = open ("/proc/self/maps", O_RDONLY | O_CLOEXEC);

	while (fd >= 0 && (n = read (fd, buf, sizeof buf)) > 0)
		for (ssize_t i = 0; i < n; i++)
			lines += buf[i] == '\n';
	if (fd >= 0)
		close (fd);
	return lines;
}

struct stack *get (struct stack_cache *cache, size_t size)
{
	int err = 0;
	struct stack *s = goad__stack_get (cache, size, &err);

	if (!s) {
		fprintf (stderr, "no stack of %zu bytes: %d\n", size, err);
		abort ();
	}
	return s;
}
