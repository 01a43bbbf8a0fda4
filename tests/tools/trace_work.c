/* SPDX-License-Identifier: MIT */
/* trace_work.c - work that does a little of everything, for tests/tools/trace.sh to trace */
#include <goad.h>

#include <stdlib.h>
#include <unistd.h>

int mixed (int argc, char **argv);
int strict (int argc, char **argv);
int swing (int argc, char **argv);

static goad_mutex_t mutex;
static _Atomic int turns;

static void child (void *arg)
{
	goad_chan_t *ch = arg;
	int v;

	while (goad_chan_recv (ch, &v) == 0) {
		goad_mutex_lock (&mutex);
		free (malloc ((size_t) v % 1000 + 1));
		if (v % 8 == 0)
			goad_yield ();
		goad_mutex_unlock (&mutex);
	}
}

static void locked (void *arg)
{
	(void) arg;
	if (goad_lock_thread () == 0) {
		goad_sleep (100 * GOAD_US);
		goad_yield ();
		goad_unlock_thread ();
	}
}

static void round_of (int n)
{
	goad_task_t *t[3], *l;
	goad_chan_t *ch, *never;
	char byte = 1;
	int fd[2];

	if (goad_chan_create (&ch, sizeof (int), 0) < 0 || goad_chan_create (&never, 1, 0) < 0 ||
	    pipe (fd) < 0)
		return;
	for (int i = 0; i < 3; i++)
		if (goad_spawn (&t[i], NULL, child, ch) < 0)
			return;
	if (goad_spawn (&l, NULL, locked, NULL) < 0)
		return;
	for (int i = 0; i < n; i++)
		goad_chan_send (ch, &i);
	for (volatile int i = 0; i < 300000; i++)
		;
	goad_block_begin ();
	usleep (300);
	goad_block_end ();
	usleep (300);
	goad_case_t cases[] = { { never, GOAD_RECV, &byte, 0 }, { never, GOAD_RECV, &byte, 0 } };
	goad_select_until (cases, 2, goad_after (50 * GOAD_US));
	goad_wait_fd (fd[0], 1, goad_after (50 * GOAD_US));
	goad_chan_close (ch);
	for (int i = 0; i < 3; i++)
		goad_join (t[i]);
	goad_join (l);
	goad_chan_destroy (ch);
	goad_chan_destroy (never);
	close (fd[0]);
	close (fd[1]);
	if (++turns % 16 == 0)
		goad_set_procs (1 + turns / 16 % 4);
}

/* So many rounds; 0: for ever. */
int mixed (int argc, char **argv)
{
	long n = argc > 1 ? strtol (argv[1], NULL, 10) : 0;

	for (long i = 0; n == 0 || i < n; i++)
		round_of (64);
	return 0;
}

struct pair {
	goad_chan_t *to, *fro;
};

static void partner (void *arg)
{
	struct pair *c = arg;
	long v;

	while (goad_chan_recv (c->to, &v) == 0)
		goad_chan_send (c->fro, &v);
}

/* So many values to another coroutine and back. */
int swing (int argc, char **argv)
{
	long n = argc > 1 ? strtol (argv[1], NULL, 10) : 1000;
	struct pair c;
	goad_task_t *t;

	if (goad_chan_create (&c.to, sizeof n, 0) < 0 || goad_chan_create (&c.fro, sizeof n, 0) < 0 ||
	    goad_spawn (&t, NULL, partner, &c) < 0)
		return 1;
	for (long i = 0, v; i < n; i++) {
		goad_chan_send (c.to, &i);
		goad_chan_recv (c.fro, &v);
	}
	goad_chan_close (c.to);
	goad_join (t);
	goad_chan_destroy (c.to);
	goad_chan_destroy (c.fro);
	return 0;
}

/* Cannot be preempted for most of its time. */
int strict (int argc, char **argv)
{
	(void) argc, (void) argv;
	for (;;) {
		goad_preempt_disable ();
		for (volatile int i = 0; i < 1000000; i++)
			;
		goad_preempt_enable ();
	}
}
