/* SPDX-License-Identifier: MIT */
/* wait/wait.h - one blocking call of a coroutine or of a foreign thread, ended once
 *
 * The wait lies on the waiter's stack.  Whoever ends it does three things: claims it,
 * writes what the waiter is to have, and says that it is done.
 *
 *	struct wait w;                          // the waiter
 *	goad__wait_init (&w, deadline, false);
 *	... puts &w where others find it, under their lock ...
 *	err = goad__wait (&w, "chan receive", ch);
 *
 *	if (goad__wait_claim (w)) {             // whoever has something for it
 *		... writes ...
 *		goad__wait_done (w);            // w may be gone after this
 *	}
 *
 * Claim.  Where several can end a wait (a deadline, the other channels of a select) the
 * first to exchange `claimed` has it, and the rest look elsewhere.  Where only one can,
 * because taking it out of its queue under the queue's lock has made it his, the claim
 * is free.
 *
 * Done.  The waiter is found by others before it is parked: no lock is held while it
 * parks.  So each of the two adds its bit to `word`, DONE and PARKED, and the second of
 * them sees the first: if that is who ends the wait, he readies the coroutine; if it is
 * the commit of the park, on the next stack, the coroutine goes on at once.  Neither can
 * happen twice, and neither is left out.  [ord:wait-done]
 * Model: tests/model/select.pml.
 */
#ifndef GOAD_WAIT_WAIT_H
#define GOAD_WAIT_WAIT_H

#include "sched/sched.h"
#include "wait/sleep.h"

#define WAIT_DONE 1u
#define WAIT_PARKED 2u

struct wait {
	_Atomic uint32_t word;
	_Atomic uint32_t claimed;
	struct g *g;    /* NULL: a foreign thread, which sleeps on word              */
	void *won;      /* what ended it; NULL: the deadline, or no memory for it    */
	bool contested; /* more than one could end it: claim it                      */
	int err;        /* what goad__wait returns; 0 unless who ended it wrote more */
	uint64_t deadline;
	struct sleeper sleeper;
};

static inline void goad__wait_init (struct wait *w, uint64_t deadline, bool several)
{
	atomic_init (&w->word, 0);
	atomic_init (&w->claimed, 0);
	w->g = goad__g ();
	w->won = NULL;
	w->contested = several || deadline != UINT64_MAX;
	w->err = 0;
	w->deadline = deadline;
}

/* True: the caller, and nobody else, ends it. */
static inline bool goad__wait_claim (struct wait *w)
{
	return !w->contested || atomic_exchange_explicit (&w->claimed, 1, memory_order_relaxed) == 0;
}

/* False: somebody has it.  True may be out of date at once. */
static inline bool goad__wait_open (const struct wait *w)
{
	return atomic_load_explicit (&w->claimed, memory_order_relaxed) == 0;
}

static inline bool goad__wait_is_done (const struct wait *w)
{
	return (atomic_load_explicit (&w->word, memory_order_acquire) & WAIT_DONE) != 0;
}

/* By whoever claimed it.  Pinned; holds no lock. */
void goad__wait_done (struct wait *w);

/* Until it is done; pinned.  0, or what who ended it wrote into err; -ETIMEDOUT after
 * the deadline, -ENOMEM if that could not be kept: then won is NULL, and the caller takes
 * the wait back from wherever it was put.  kind and on are what dumps show.  (switches) */
int goad__wait (struct wait *w, const char *kind, const void *on);

/* The end of a call that may have run for long without ever parking: in mode COOP these
 * are where a coroutine can be preempted.  Unpins. */
void goad__wait_coop (void);

static inline void goad__wait_leave (void)
{
	if (unlikely (goad__sched.preempt == GOAD_PREEMPT_COOP))
		goad__wait_coop ();
	goad__unpin ();
}

#endif
