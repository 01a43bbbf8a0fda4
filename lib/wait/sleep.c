/* SPDX-License-Identifier: MIT */
#include "wait/sleep.h"

#include <errno.h>

#include "base/clock.h"
#include "base/futex.h"
#include "sched/sched.h"
#include "wait/timer.h"

#define RETRY 200000u /* ns until it is tried again when there was no memory */

/* Never comes, so it is in no heap: nobody could be woken by it. */
static int add_forever (struct sleeper *s, bool (*announce) (struct sleeper *s))
{
	s->index = 0;
	atomic_store_explicit (&s->home, 0, memory_order_relaxed);
	return announce && !announce (s) ? -EAGAIN : 0;
}

int goad__sleep_add (struct sleeper *s, bool (*announce) (struct sleeper *s))
{
	struct timers *h;

	if (s->when == UINT64_MAX)
		return add_forever (s, announce);
	h = goad__timers_lock ();
	if (!goad__timers_put (h, s)) {
		goad__spin_unlock (&h->lock);
		return -ENOMEM;
	}
	if (announce && !announce (s)) {
		goad__heap_take (&h->heap, s);
		goad__timers_unlock (h);
		return -EAGAIN;
	}
	goad__timers_unlock (h);
	return 0;
}

bool goad__sleep_cancel (struct sleeper *s)
{
	struct timers *h = goad__timers_lock_of (s);
	bool was;

	if (!h)
		return true;
	was = s->index != 0;
	if (was)
		goad__heap_take (&h->heap, s);
	goad__timers_unlock (h);
	return was;
}

static bool fire_plain (struct sleeper *s)
{
	(void) s;
	return true;
}

struct nap {
	struct sleeper s;
	bool failed;
};

/* On the next stack: g's registers are saved, it may be readied at once. */
static bool commit_sleep (struct g *g, void *arg)
{
	struct nap *nap = arg;
	(void) g;
	if (goad__sleep_add (&nap->s, NULL) == 0)
		return true; /* nap may be gone by now */
	nap->failed = true;
	return false;
}

/* No memory.  The thread sleeps a little: what it runs may be what frees some, but no
 * more can be done without. */
static void sleep_on_the_thread (uint64_t deadline)
{
	_Atomic uint32_t word = 0;

	goad__futex_wait (&word, 0, goad__min64 (deadline, goad__now () + RETRY));
}

void goad__sleep_until (uint64_t deadline)
{
	struct nap nap = { .s = { .when = deadline, .g = goad__g (), .fire = fire_plain } };

	while (goad__now () < deadline) {
		nap.failed = false;
		goad__pin ();
		nap.s.g->parks = EV_go_sleep;
		goad__sched_park (commit_sleep, &nap);
		goad__unpin ();
		if (unlikely (nap.failed))
			sleep_on_the_thread (deadline);
	}
}
