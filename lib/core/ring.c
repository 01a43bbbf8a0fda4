/* SPDX-License-Identifier: MIT */
/* Writing events into rings: see ring.h. */
#include "core/ring.h"

#include <sys/mman.h>

#include "base/fatal.h"
#include "base/futex.h"
#include "base/lock.h"
#include "base/os.h"
#include "core/m.h"

#define MASK (RING_WORDS - 1)
#define LOST_WORDS 3u
#define MOST_WORDS 8u /* of one event, its first word among them */

_Atomic uint32_t goad__trace_gen GOAD__ALIGNED;
_Atomic uint32_t goad__trace_bell GOAD__ALIGNED;
_Atomic (struct trace_ring *) goad__rings;
_Atomic uint64_t goad__trace_unringed;

/* What a thread has that is to have a ring, and writes nothing yet; and what one has that
 * goad did not make.  Never written, nor are their words ever touched. */
static struct trace_ring none;
struct trace_ring goad__no_ring;

/* Threads that goad did not make share one. */
static struct trace_ring *outside;
static struct goad__spinlock outside_lock = GOAD__SPINLOCK_INIT (GOAD__RANK_LEAF);

static const char *const args_of[] = {
#define EV(name, args, names) [EV_##name] = args,
	GOAD__EVENTS (EV)
#undef EV
};

const char *goad__trace_args (unsigned ev)
{
	return ev < EV_COUNT ? args_of[ev] : "";
}

/* Raw: this may be the signal handler, and errno is not to change. */
static struct trace_ring *map_ring (void)
{
	long at = goad__syscall6 (SYS_mmap, 0, (long) sizeof (struct trace_ring),
	                          PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return at < 0 && at > -4096 ? NULL : (struct trace_ring *) at;
}

/* One that a thread has left, or a new one.  [ord:trace-ring] taken: release by who
 * leaves it, acquire by who takes it, so the rest of the producer's words go with it. */
static struct trace_ring *take_ring (void)
{
	struct trace_ring *r = atomic_load_explicit (&goad__rings, memory_order_acquire);

	for (; r; r = r->next) {
		uint32_t no = 0;
		if (atomic_load_explicit (&r->taken, memory_order_relaxed) == 0 &&
		    atomic_compare_exchange_strong_explicit (&r->taken, &no, 1, memory_order_acquire,
		                                             memory_order_relaxed))
			return r;
	}
	r = map_ring ();
	if (!r)
		return NULL;
	atomic_store_explicit (&r->taken, 1, memory_order_relaxed);
	r->limit = RING_WORDS;
	r->next = atomic_load_explicit (&goad__rings, memory_order_relaxed);
	while (!atomic_compare_exchange_weak_explicit (&goad__rings, &r->next, r, memory_order_release,
	                                               memory_order_relaxed))
		;
	return r;
}

static void ring_bell (void)
{
	if (atomic_load_explicit (&goad__trace_bell, memory_order_relaxed) == 0 &&
	    atomic_exchange_explicit (&goad__trace_bell, 1, memory_order_relaxed) == 0)
		goad__futex_wake (&goad__trace_bell, 1);
}

/* What is written next is nothing that goes to and fro. */
static void break_off (struct trace_ring *r)
{
	if (r->phase >= RING_OPEN) {
		uint32_t last = atomic_load_explicit (&r->head, memory_order_relaxed) - 1;
		uint64_t w = r->word[last & MASK];
		w = w >> 32 << 32 | RING_CLOSED | ((r->again - w) & RING_COUNT);
		/* [ord:trace-again] before the next head */
		__atomic_store_n (&r->word[last & MASK], w, __ATOMIC_RELAXED);
		r->may_ready = r->may_start = RING_NOBODY;
	}
	r->phase = RING_ANY;
}

static void write_words (struct trace_ring *r, enum goad__ev ev, uint64_t time, const uint64_t *a,
                         unsigned n)
{
	uint32_t h = atomic_load_explicit (&r->head, memory_order_relaxed);

	if (unlikely (r->phase != RING_ANY))
		break_off (r);
	r->word[h++ & MASK] = (uint64_t) ev << 56 | time;
	for (unsigned i = 0; i < n; i++)
		r->word[h++ & MASK] = a[i];
	r->time = time;
	atomic_store_explicit (&r->head, h, memory_order_release); /* [ord:trace-head] */
}

static void lose (struct trace_ring *r, uint64_t time)
{
	uint64_t lost = atomic_load_explicit (&r->lost, memory_order_relaxed);

	break_off (r);
	if (lost == 0)
		atomic_store_explicit (&r->lost_since, time, memory_order_relaxed);
	atomic_store_explicit (&r->lost, lost + 1, memory_order_relaxed);
}

/* Room for an event of the longest kind.  The limit stands at each quarter of the ring, so
 * that the tracer is told there; and after a loss nothing is written until half is free. */
static bool make_room (struct trace_ring *r, uint64_t time)
{
	uint32_t h = atomic_load_explicit (&r->head, memory_order_relaxed);
	uint32_t used = h -
	                atomic_load_explicit (&r->tail, memory_order_acquire); /* [ord:trace-tail] */
	uint64_t lost = atomic_load_explicit (&r->lost, memory_order_relaxed);

	if (used >= RING_WORDS / 4)
		ring_bell ();
	if (used + MOST_WORDS + LOST_WORDS > RING_WORDS || (lost && used > RING_WORDS / 2)) {
		r->limit = h;
		r->deaf = 1;
		lose (r, time);
		return false;
	}
	r->deaf = 0;
	r->limit = h + goad__min64 (RING_WORDS - used, RING_WORDS / 4 + MOST_WORDS);
	if (lost) {
		const uint64_t a[] = { atomic_load_explicit (&r->lost_since, memory_order_relaxed), lost };
		write_words (r, EV_lost, time, a, 2);
		atomic_store_explicit (&r->lost, 0, memory_order_relaxed);
	}
	return true;
}

static bool has_room (const struct trace_ring *r, unsigned n)
{
	return (int32_t) (r->limit - atomic_load_explicit (&r->head, memory_order_relaxed)) >=
	       (int32_t) n;
}

/* Who writes into this ring from here on, and what it is doing. */
static void announce (struct trace_ring *r, uint32_t gen, uint64_t time)
{
	const struct m *m = goad__m ();
	const struct g *g = goad__g ();
	bool on_p = m && m->p && g;
	const uint64_t a[] = {
		gen,
		r == outside ? GOAD__ROLE_OUTSIDE
		: m          ? GOAD__ROLE_M
		             : GOAD__ROLE_SYSMON,
		m ? (uint64_t) m->id + 1 : 0,
		r == outside ? 0 : (uint64_t) goad__gettid (),
		m && m->p ? (uint64_t) m->p->id + 1 : 0,
		on_p ? g->id : 0,
	};

	r->gen = gen;
	r->deaf = 0;
	atomic_store_explicit (&r->lost, 0, memory_order_relaxed);
	if (has_room (r, MOST_WORDS) || make_room (r, time))
		write_words (r, EV_thread, time, a, 6);
	else
		r->gen = 0; /* the next event tries again */
}

static void put (struct trace_ring *r, uint32_t gen, enum goad__ev ev, uint64_t time,
                 const uint64_t *a, unsigned n)
{
	if (r->gen != gen)
		announce (r, gen, time);
	if (r->gen == gen && (has_room (r, n + 1) || make_room (r, time)))
		write_words (r, ev, time, a, n);
}

static void put_outside (uint32_t gen, enum goad__ev ev, uint64_t time, const uint64_t *a,
                         unsigned n)
{
	goad__spin_lock (&outside_lock);
	if (!outside)
		outside = take_ring ();
	if (outside)
		put (outside, gen, ev, time, a, n);
	else
		atomic_fetch_add_explicit (&goad__trace_unringed, 1, memory_order_relaxed);
	goad__spin_unlock (&outside_lock);
}

GOAD__NOINLINE static void put_slowly (enum goad__ev ev, uint64_t time, const uint64_t *a,
                                       unsigned n)
{
	uint32_t gen = atomic_load_explicit (&goad__trace_gen, memory_order_acquire);
	struct trace_ring *r = goad__ring ();

	goad__assert (goad__pinned ());
	if (!gen)
		return; /* just now */
	if (r == &goad__no_ring) {
		put_outside (gen, ev, time, a, n);
		return;
	}
	if (r == &none) {
		r = take_ring ();
		if (!r) {
			atomic_fetch_add_explicit (&goad__trace_unringed, 1, memory_order_relaxed);
			return;
		}
		goad__set_ring (r);
	}
	put (r, gen, ev, time, a, n);
}

void goad__trace_put (enum goad__ev ev, uint64_t time, uint64_t a)
{
	put_slowly (ev, time, &a, 1);
}

/* The count is not touched for an event that is lost. */
GOAD__NOINLINE static void put_go_slowly (enum goad__ev ev, uint64_t time, struct g *g)
{
	struct trace_ring *r = goad__ring ();
	uint64_t a;

	if (r->gen && r->gen == atomic_load_explicit (&goad__trace_gen, memory_order_relaxed) &&
	    !has_room (r, MOST_WORDS) && !make_room (r, time))
		return;
	a = g ? goad__trace_ref (g, time) : 0;
	put_slowly (ev, time, &a, 1);
}

void goad__trace_put_go (enum goad__ev ev, uint64_t time, struct g *g)
{
	uint32_t gen = atomic_load_explicit (&goad__trace_gen, memory_order_relaxed);
	struct trace_ring *r = goad__ring ();
	uint64_t ref = 0;
	uint32_t h;

	if (goad__trace_lost ())
		return;
	if (unlikely (r->gen != gen || !has_room (r, 2)))
		goto slowly;
	if (g) {
		if (unlikely (goad__trace_gen_of (g) != gen || g->id > UINT32_MAX))
			goto slowly;
		g->trace_word += TRACE_ONE;
		ref = g->id | g->trace_word >> 40 << 33;
	}
	if (unlikely (r->phase != RING_ANY))
		break_off (r);
	h = atomic_load_explicit (&r->head, memory_order_relaxed);
	if (likely (time == r->time)) {
		r->word[h & MASK] = RING_SHORT | (uint64_t) ev << 57 | ref;
		h += 1;
	} else {
		r->word[h & MASK] = (uint64_t) ev << 56 | time;
		r->word[(h + 1) & MASK] = (ref & RING_SHORT_ID) << 24 | ref >> 33;
		r->time = time;
		h += 2;
	}
	atomic_store_explicit (&r->head, h, memory_order_release); /* [ord:trace-head] */
	return;
slowly:
	put_go_slowly (ev, time, g);
}

/* This thread's ring, where an event can be written; else NULL. */
static struct trace_ring *ring_that_hears (void)
{
	struct trace_ring *r = goad__ring ();
	uint32_t gen = atomic_load_explicit (&goad__trace_gen, memory_order_relaxed);

	return gen && r->gen == gen && !r->deaf ? r : NULL;
}

/* `again`, with the count where it begins. */
static bool open_again (struct trace_ring *r, uint64_t time)
{
	uint32_t h = atomic_load_explicit (&r->head, memory_order_relaxed);
	uint64_t after = time - r->time;

	if (after >= RING_SOON || !has_room (r, 1))
		return false;
	break_off (r);
	r->word[h & MASK] = (uint64_t) EV_again << 56 | after << 32 | (r->again & RING_COUNT);
	r->time = time;
	r->phase = RING_OPEN;
	/* [ord:trace-head] */
	atomic_store_explicit (&r->head, h + 1, memory_order_release);
	goad__compiler_barrier (); /* [ord:trace-again] what is counted next comes after it */
	return true;
}

/* Of those that may come next one at most is there: the other's count has gone on. */
void goad__trace_pause (void)
{
	struct trace_ring *r = goad__ring ();

	if (r->phase != RING_OPEN)
		return;
	r->left = r->may_ready;
	r->readied = r->may_start;
	r->may_ready = r->may_start = RING_NOBODY;
	r->phase = RING_PAUSED;
}

void goad__trace_put_ready (uint64_t time, struct g *g)
{
	struct trace_ring *r = ring_that_hears ();
	bool back;

	if (!r) {
		goad__trace_put_go (EV_go_unblock, time, g);
		return;
	}
	back = g->trace_word == r->left;
	if (back && r->phase == RING_PAUSED && open_again (r, time)) {
		r->may_ready = g->trace_word;
		(void) goad__trace_ready_again (g);
		return;
	}
	back = back && r->phase == RING_PASSED;
	goad__trace_put_go (EV_go_unblock, time, g);
	if (!ring_that_hears ())
		return;
	r->readied = g->trace_word;
	r->phase = back ? RING_BACK : RING_READIED;
}

void goad__trace_put_wait (enum goad__ev ev, uint64_t time, const struct g *from, struct g *next)
{
	struct trace_ring *r = ring_that_hears ();
	enum ring_phase was;
	bool to_him, alike;

	if (!r || !next) {
		goad__trace_put_go (ev, time, next);
		return;
	}
	was = (enum ring_phase) r->phase;
	to_him = next->trace_word == r->readied;
	alike = from->wait_kind == r->kind;
	if (to_him && alike && was == RING_PAUSED && open_again (r, time)) {
		r->may_start = next->trace_word;
		(void) goad__trace_wait_again (from, next);
		return;
	}
	goad__trace_put_go (ev, time, next);
	if (!to_him || (was != RING_READIED && was != RING_BACK) || !ring_that_hears ())
		return;
	r->left = from->trace_word;
	r->kind = from->wait_kind;
	r->phase = RING_PASSED;
	if (was == RING_BACK && alike && open_again (r, time))
		r->may_ready = r->left;
}

void goad__trace_put_n (enum goad__ev ev, uint64_t time, const uint64_t *a, unsigned n)
{
	put_slowly (ev, time, a, n);
}

void goad__ring_begin (void)
{
	goad__set_ring (&none);
}

void goad__ring_end (void)
{
	struct trace_ring *r = goad__ring ();

	goad__set_ring (&goad__no_ring);
	if (r == &goad__no_ring || r == &none)
		return;
	break_off (r);
	r->gen = 0;                                                 /* the next one announces itself */
	atomic_store_explicit (&r->taken, 0, memory_order_release); /* [ord:trace-ring] */
}

void goad__rings_free (void)
{
	struct trace_ring *r = atomic_exchange_explicit (&goad__rings, NULL, memory_order_acquire);

	outside = NULL;
	for (struct trace_ring *next; r; r = next) {
		next = r->next;
		goad__syscall3 (SYS_munmap, (long) r, (long) sizeof *r, 0);
	}
}

/* Whoever held the lock is not here. */
void goad__rings_forked (void)
{
	atomic_store_explicit (&goad__trace_gen, 0, memory_order_relaxed);
	outside_lock = (struct goad__spinlock) GOAD__SPINLOCK_INIT (GOAD__RANK_LEAF);
	goad__set_ring (&goad__no_ring);
	goad__rings_free ();
}
