/* SPDX-License-Identifier: MIT */
/* A program for goad top to look at: it goes on a step with each byte that it reads, and says
 * which. */
#include <goad.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static goad_chan_t *never;

static void say (const char *what)
{
	(void) !write (1, what, strlen (what));
}

static void await_byte (void)
{
	char c;

	if (goad_read (0, &c, 1) != 1)
		_exit (3);
}

static void waits (void *arg)
{
	(void) arg;
	goad_chan_recv (never, NULL);
}

/* Children have no page, and do not take the parent's away. */
static void forks (void *arg)
{
	pid_t pid = fork ();

	(void) arg;
	if (pid == 0)
		exit (0);
	waitpid (pid, NULL, 0);
}

static void first (void *arg)
{
	goad_attr_t a = GOAD_ATTR_INIT;
	goad_task_t *t;

	(void) arg;
	a.name = "waiter";
	goad_spawn (&t, &a, waits, NULL);
	say ("waits\n");
	await_byte ();
	forks (NULL);
	say ("forked\n");
	await_byte ();
	goad_chan_close (never);
	goad_join (t);
}

static void again (void *arg)
{
	goad_attr_t a = GOAD_ATTR_INIT;
	goad_task_t *t;

	(void) arg;
	a.name = "second";
	goad_chan_create (&never, 1, 0);
	goad_spawn (&t, &a, waits, NULL);
	say ("again\n");
	await_byte ();
	exit (0); /* in the middle of it */
}

int main (void)
{
	char c;

	goad_chan_create (&never, 1, 0);
	goad_main (first, NULL, NULL);
	say ("ended\n");
	if (read (0, &c, 1) == 1)
		goad_main (again, NULL, NULL);
	return 1;
}
