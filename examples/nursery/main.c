/* SPDX-License-Identifier: MIT */
/* main.c - what a nursery is for, in three acts
 *
 *	cc main.c nursery.c $(pkg-config --cflags --libs goad)
 *	./a.out
 */
#include "nursery.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static _Atomic int ended;

/* A worker of the usual kind: it waits for something, here for its time. */
static int worker (struct nursery *n, void *arg)
{
	int err = nursery_sleep (n, *(uint64_t *) arg);

	ended++;
	return err;
}

/* It waits for a channel, and selects on the cancellation too. */
static int reader (struct nursery *n, void *arg)
{
	goad_case_t cases[] = { { arg, GOAD_RECV, NULL, 0 }, { n->cancelled, GOAD_RECV, NULL, 0 } };
	int i = goad_select (cases, 2);

	ended++;
	return i == 0 ? 0 : -ECANCELED;
}

/* It waits for nothing at all: it asks. */
static int computer (struct nursery *n, void *arg)
{
	(void) arg;
	while (!nursery_cancelled (n))
		for (volatile int i = 0; i < 10000; i++)
			;
	ended++;
	return -ECANCELED;
}

static int failing (struct nursery *n, void *arg)
{
	int err = nursery_sleep (n, 10 * GOAD_MS);

	(void) arg;
	ended++;
	return err < 0 ? err : -EIO;
}

static void tell (const char *act, int err)
{
	printf ("%s: %d ended, %s\n", act, ended, err == 0 ? "no error" : strerror (-err));
	ended = 0;
}

static void first (void *arg)
{
	uint64_t shortly = 20 * GOAD_MS, never = 3600 * GOAD_S;
	goad_chan_t *silent = arg; /* nobody ever sends */
	struct nursery n;

	if (nursery_open (&n, GOAD_FOREVER) < 0)
		return;
	for (int i = 0; i < 10; i++)
		nursery_go (&n, worker, &shortly);
	tell ("all in time", nursery_close (&n));

	if (nursery_open (&n, goad_after (50 * GOAD_MS)) < 0)
		return;
	nursery_go (&n, worker, &never);
	nursery_go (&n, reader, silent);
	nursery_go (&n, computer, NULL);
	tell ("the deadline", nursery_close (&n));

	if (nursery_open (&n, GOAD_FOREVER) < 0)
		return;
	nursery_go (&n, worker, &never);
	nursery_go (&n, reader, silent);
	nursery_go (&n, failing, NULL);
	nursery_go (&n, computer, NULL);
	tell ("one that fails", nursery_close (&n));
}

int main (void)
{
	goad_chan_t *silent;
	int err = goad_chan_create (&silent, sizeof (int), 0);

	if (err == 0) {
		err = goad_main (first, silent, NULL);
		goad_chan_destroy (silent);
	}
	return err < 0;
}
