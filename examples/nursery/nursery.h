/* SPDX-License-Identifier: MIT */
/* nursery.h - coroutines that end together
 *
 *	struct nursery n;
 *
 *	nursery_open (&n, goad_after (2 * GOAD_S));
 *	nursery_go (&n, fetch_left, &page);
 *	nursery_go (&n, fetch_right, &page);
 *	err = nursery_close (&n);
 *
 * What is started in a nursery has ended when nursery_close returns: no coroutine is left
 * behind, and what they were given may stand in the frame of the one that opened it.  The
 * first that returns an error, or the deadline, cancels the others.  Cancelling is a
 * request: a coroutine hears of it where it waits by nursery_sleep, where it selects on
 * `cancelled' too, and where it asks; then it returns.
 * (Nathaniel J. Smith's "Notes on structured concurrency", 2018.) */
#ifndef NURSERY_H
#define NURSERY_H

#include <goad.h>
#include <stdatomic.h>

struct nursery {
	goad_chan_t *cancelled; /* nothing is ever sent; closed: cancelled */
	goad_wg_t children;
	uint64_t deadline;
	atomic_int error; /* the first one */
};

/* Returns 0, or a negative errno, which ends the nursery unless it is -ECANCELED. */
typedef int (*nursery_fn) (struct nursery *n, void *arg);

int nursery_open (struct nursery *n, uint64_t deadline);
int nursery_go (struct nursery *n, nursery_fn fn, void *arg);
void nursery_cancel (struct nursery *n, int error);
int nursery_cancelled (struct nursery *n);

/* 0: it slept; -ECANCELED: it did not, or not to the end. */
int nursery_sleep (struct nursery *n, uint64_t ns);

/* Waits for all of them: 0, the first error, or -ETIMEDOUT if the deadline was first. */
int nursery_close (struct nursery *n);

#endif
