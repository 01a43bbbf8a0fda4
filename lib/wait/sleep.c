/* SPDX-License-Identifier: MIT */
#include "wait/sleep.h"

#include <errno.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "sched/sched.h"

#define ARITY 4u
#define FIRST_ROOM 1024u

static struct {
	struct goad__spinlock lock;
	uint32_t n, room;
	struct sleeper **at; /* mmap'ed: malloc's lock may belong to a handed-off coroutine */
} heap = { GOAD__SPINLOCK_INIT (GOAD__RANK_SLEEP), 0, 0, NULL };

static bool grow (void)
{
	uint32_t room = heap.room ? heap.room * 2 : FIRST_ROOM;
	void *p;

	if (heap.at)
		p = mremap (heap.at, heap.room * sizeof *heap.at, room * sizeof *heap.at, MREMAP_MAYMOVE);
	else
		p = mmap (NULL, room * sizeof *heap.at, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		          -1, 0);
	if (p == MAP_FAILED)
		return false;
	heap.at = p;
	heap.room = room;
	return true;
}

static void place (uint32_t i, struct sleeper *s)
{
	heap.at[i] = s;
	s->index = i + 1;
}

static void sift_up (uint32_t i, struct sleeper *s)
{
	while (i > 0) {
		uint32_t parent = (i - 1) / ARITY;
		if (heap.at[parent]->when <= s->when)
			break;
		place (i, heap.at[parent]);
		i = parent;
	}
	place (i, s);
}

static void sift_down (uint32_t i, struct sleeper *s)
{
	for (;;) {
		uint32_t best = i * ARITY + 1;
		if (best >= heap.n)
			break;
		for (uint32_t c = best + 1; c < heap.n && c <= i * ARITY + ARITY; c++)
			if (heap.at[c]->when < heap.at[best]->when)
				best = c;
		if (heap.at[best]->when >= s->when)
			break;
		place (i, heap.at[best]);
		i = best;
	}
	place (i, s);
}

static void take_out (struct sleeper *s)
{
	uint32_t i = s->index - 1;
	struct sleeper *last = heap.at[--heap.n];

	s->index = 0;
	if (last == s)
		return;
	if (i > 0 && heap.at[(i - 1) / ARITY]->when > last->when)
		sift_up (i, last);
	else
		sift_down (i, last);
}

/* Readers look at it without the lock, to see whether it is worth taking. */
static void publish (void)
{
	atomic_store_explicit (&goad__sched.next_timer, heap.n ? heap.at[0]->when : UINT64_MAX,
	                       memory_order_relaxed);
}

int goad__sleep_add (struct sleeper *s, bool (*announce) (struct sleeper *s))
{
	bool first;

	goad__spin_lock (&heap.lock);
	if (heap.n == heap.room && !grow ()) {
		goad__spin_unlock (&heap.lock);
		return -ENOMEM;
	}
	if (announce && !announce (s)) {
		goad__spin_unlock (&heap.lock);
		return -EAGAIN;
	}
	sift_up (heap.n++, s);
	first = heap.at[0] == s;
	if (first)
		publish ();
	goad__spin_unlock (&heap.lock);
	if (first)
		goad__sysmon_wake (); /* it may sleep beyond this */
	return 0;
}

bool goad__sleep_cancel (struct sleeper *s)
{
	bool was;

	goad__spin_lock (&heap.lock);
	was = s->index != 0;
	if (was) {
		take_out (s);
		publish ();
	}
	goad__spin_unlock (&heap.lock);
	return was;
}

void goad__sleep_run (uint64_t now)
{
	struct gbatch due = { 0 };

	goad__spin_lock (&heap.lock);
	while (heap.n && heap.at[0]->when <= now) {
		struct sleeper *s = heap.at[0];
		struct g *g = s->g;
		take_out (s);
		/* After a true the sleeper may be gone as soon as g runs, not before the lock
		 * is released. */
		if (s->fire (s)) {
			goad__g_set (&g->ready_at, now);
			goad__g_transit (g, G_WAITING, G_RUNNABLE);
			gbatch_add (&due, g);
		}
	}
	/* Under the lock still: who runs timers at the same time comes behind, so deadlines
	 * are kept in order; and before next_timer is published, so that at no instant
	 * neither heap nor queue shows them (the search for a deadlock). */
	if (due.n)
		goad__globq_append (&due);
	publish ();
	goad__spin_unlock (&heap.lock);
	if (due.n) {
		/* [ord:idle-recheck] */
		atomic_thread_fence (memory_order_seq_cst);
		goad__sched_wake ();
	}
}

static bool fire_plain (struct sleeper *s)
{
	(void) s;
	return true;
}

/* On the next stack: g's registers are saved, it may be readied at once. */
static bool commit_sleep (struct g *g, void *arg)
{
	struct sleeper *s = arg;
	(void) g;
	return goad__sleep_add (s, NULL) == 0; /* else: it goes on, and looks at the clock again */
}

void goad__sleep_until (uint64_t deadline)
{
	struct sleeper s = { .when = deadline, .fire = fire_plain };

	s.g = goad__g ();
	while (goad__now () < deadline) {
		goad__pin ();
		goad__sched_park (commit_sleep, &s);
		goad__unpin ();
	}
}

void goad__sleep_init (void)
{
	heap.n = 0;
	publish ();
	goad__timers_hook = goad__sleep_run;
}

void goad__sleep_fini (void)
{
	if (heap.at)
		munmap (heap.at, heap.room * sizeof *heap.at);
	heap.at = NULL;
	heap.n = heap.room = 0;
}
