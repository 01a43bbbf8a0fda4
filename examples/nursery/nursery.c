/* SPDX-License-Identifier: MIT */
/* nursery.c - coroutines that end together: a wait group for the end, and a channel whose
 * closing cancels, since a close wakes everybody and stays */
#include "nursery.h"

#include <errno.h>
#include <stdlib.h>

struct child {
	struct nursery *nursery;
	nursery_fn fn;
	void *arg;
};

int nursery_open (struct nursery *n, uint64_t deadline)
{
	*n = (struct nursery){ .children = GOAD_WG_INIT, .deadline = deadline };
	return goad_chan_create (&n->cancelled, 0, 0);
}

/* The first error stays; and a channel can be closed once, so of several that fail at the
 * same time one cancels. */
void nursery_cancel (struct nursery *n, int error)
{
	int none = 0;

	if (atomic_compare_exchange_strong (&n->error, &none, error))
		goad_chan_close (n->cancelled);
}

int nursery_cancelled (struct nursery *n)
{
	return n->error != 0;
}

int nursery_sleep (struct nursery *n, uint64_t ns)
{
	int err = goad_chan_recv_until (n->cancelled, NULL, goad_after (ns));

	return err == -ETIMEDOUT ? 0 : -ECANCELED;
}

static void child (void *arg)
{
	struct child c = *(struct child *) arg;
	int err;

	free (arg);
	err = c.fn (c.nursery, c.arg);
	if (err < 0 && err != -ECANCELED)
		nursery_cancel (c.nursery, err);
	goad_wg_done (&c.nursery->children); /* from here on the nursery may be gone */
}

/* A child may start others: the nursery cannot end meanwhile, since it has not. */
int nursery_go (struct nursery *n, nursery_fn fn, void *arg)
{
	struct child *c = malloc (sizeof *c);
	int err;

	if (c == NULL)
		return -ENOMEM;
	*c = (struct child){ n, fn, arg };
	goad_wg_add (&n->children, 1);
	err = goad_go (child, c);
	if (err < 0) {
		goad_wg_done (&n->children);
		free (c);
	}
	return err;
}

int nursery_close (struct nursery *n)
{
	if (goad_wg_wait_until (&n->children, n->deadline) == -ETIMEDOUT) {
		nursery_cancel (n, -ETIMEDOUT);
		goad_wg_wait (&n->children);
	}
	goad_chan_destroy (n->cancelled);
	return n->error;
}
