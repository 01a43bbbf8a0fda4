/* SPDX-License-Identifier: MIT */
/* core/ring.h - tracing: a ring of events for each thread of the runtime
 *
 *	goad__trace (proc_start, now, p->id + 1);   // a pinned thread
 *
 * Off, a point costs a test of one word that hardly ever changes, and its arguments are
 * not even computed.  On, it writes two words or more into the thread's own ring: no
 * lock, no locked instruction, and mostly no look at the clock, for a switch of coroutines
 * has its time already (sched/account.h).  Each point is a probe for perf, bpftrace and
 * gdb as well, provider `goad` (sys/sdt.h), where that was there at build time: a nop.
 *
 * One producer.  A ring is written by its thread alone, and only while that is pinned.
 * The signal handler, which may interrupt the thread in the middle of an event, finds it
 * pinned then and writes nothing; what it has to tell is written on the way out of the
 * runtime.  Where it finds it not pinned it pins it, and is the one producer itself, until
 * it unpins.  So no event is ever begun inside of another.
 *
 * One consumer: the tracer's thread (runtime/tracer.c).
 * [ord:trace-head] words, then head (release); the tracer: head (acquire), then words.
 * [ord:trace-tail] the tracer: reads the words, then tail (release); the producer: tail
 * (acquire), then it writes over them.
 *
 * When a ring is full its events are lost, and counted: with the next one that finds the
 * ring half empty again, or at the end, comes an event that says how many and since when.
 * Wrong: to write over the oldest ones, as an aircraft's recorder does.  The tracer would
 * have to know whether what it read was changed meanwhile, and the start of the file,
 * without which the rest cannot be read well, would be the first to go.
 *
 * Events of a coroutine are written in several rings, whose clocks may differ by a few
 * microseconds (a time can be that of up to 159 switches ago).  So each that hands a
 * coroutine on carries its count: whoever owns the coroutine at that moment increments
 * it, before others can see it, and a reader puts them into that order (Go's tracer does
 * the same).
 *
 * To and fro.  Two coroutines that pass something to each other make the same four events
 * again and again: B is readied, A waits and B runs, A is readied, B waits and A runs.  So
 * when they have come once, the last event in the ring is `again`, and what goes on like
 * that is only counted, in r->again: a comparison and an increment, without a new word,
 * until another event is written, or the time changes.  The event itself holds the count
 * where it began, and when something follows it the difference, and CLOSED.  The comparison
 * is of g->trace_word, number, trace and count at once: nobody else has had that coroutine
 * meanwhile, in which case it would have another count.
 *
 * The tracer leaves a last event that is open where it is, and remembers how much of it it
 * has told; so nothing is held back, if a coroutine is readied and that is the last event
 * for an hour.  [ord:trace-again] the producer: CLOSED, then a later head (release), then
 * counts (release); the tracer: head, the count (acquire), and head once more: if that has
 * not moved, the count has to do with that event; and if it has, the event is CLOSED.
 * Model: tests/model/ring.pml.
 */
#ifndef GOAD_CORE_RING_H
#define GOAD_CORE_RING_H

#include "base/base.h"
#include "core/events.h"
#include "core/self.h"

#ifdef HAVE_SDT
#include <sys/sdt.h>
#define GOAD__PROBE(name, a) DTRACE_PROBE1 (goad, name, a)
#ifdef __clang__ /* what that expands to leaves a variadic macro without arguments */
#pragma clang diagnostic ignored "-Wgnu-zero-variadic-macro-arguments"
#endif
#else
#define GOAD__PROBE(name, a) (void) 0
#endif

#define RING_WORDS (1u << 16) /* 512 KiB, touched as it is used */

struct trace_ring {
	_Atomic uint32_t head GOAD__ALIGNED; /* the producer's, as the rest of this line */
	uint32_t limit;                      /* head may come this far without another look */
	uint32_t gen;                        /* the trace that it has announced itself in   */
	uint32_t deaf;                       /* it was full, and is looked at now and then  */
	uint32_t again;                      /* events counted to and fro, in all           */
	uint32_t phase;                      /* enum ring_phase                             */
	uint64_t time;                       /* of the last event                           */
	uint64_t may_ready, may_start;       /* the trace_word of who comes next, or NOBODY */
	const char *kind;                    /* what the one that left last waits for       */
	_Atomic uint64_t lost;               /* not told yet                                */
	_Atomic uint64_t lost_since GOAD__ALIGNED;
	uint64_t left, readied; /* the trace_word of who left last, and of who was readied then */

	_Atomic uint32_t tail GOAD__ALIGNED; /* the tracer's, as the rest of this one       */
	uint32_t seen_gen;                   /* up to this one's announcement all is old    */
	uint32_t told;                       /* of the open event at the tail               */
	uint64_t last, time_seen;            /* time of the last event: as written, as read */
	uint64_t who[3];                     /* role, M, thread, as announced               */

	_Atomic uint32_t taken GOAD__ALIGNED; /* a thread has it                            */
	struct trace_ring *next;              /* they go when the runtime ends              */
	uint64_t word[RING_WORDS];
};

/* What the last events in the ring were; in OPEN and PAUSED the last is `again`. */
enum ring_phase {
	RING_ANY,
	RING_READIED, /* one was readied                                               */
	RING_PASSED,  /* ... and the one that readied it left, and it began to run     */
	RING_BACK,    /* ... and readied the one that had left                         */
	RING_OPEN,    /* ... and left to that one; what comes is compared and counted  */
	RING_PAUSED   /* the P has read the clock: the next event needs a new time     */
};

#define RING_NOBODY UINT64_C (0) /* no coroutine has it */

/* An event begins with its kind and time, and its arguments follow, a word each.  Most are
 * of a coroutine and have no other argument; one that comes at the same time as the event
 * before, as they do where a stamp is shared, is a single word:
 *	bit 63 set    kind 6 bits, count 24, number 33 (32 are used)
 *	bit 63 clear  kind 7 bits, time 56
 * `again` is one word too: kind 7 bits, time since the event before 24, closed 1, count 31 */
#define RING_CLOSED (UINT64_C (1) << 31)
#define RING_COUNT (RING_CLOSED - 1)
#define RING_SOON (UINT64_C (1) << 24)
#define RING_SHORT (UINT64_C (1) << 63)
#define RING_SHORT_ID ((UINT64_C (1) << 33) - 1)

/* 0: off; else the number of the trace, 1 to 255. */
extern _Atomic uint32_t goad__trace_gen;
extern _Atomic uint32_t goad__trace_bell;         /* futex: 1, the tracer is to look       */
extern _Atomic (struct trace_ring *) goad__rings; /* all, the newest first                 */
extern _Atomic uint64_t goad__trace_unringed;     /* events lost for want of a ring         */
extern struct trace_ring goad__no_ring;           /* of threads that goad did not make      */

static inline bool goad__tracing (void)
{
	return unlikely (atomic_load_explicit (&goad__trace_gen, memory_order_relaxed) != 0);
}

/* An event with its words; pinned. */
void goad__trace_put (enum goad__ev ev, uint64_t time, uint64_t a);
/* True: the ring is full, and the event counted as lost.  So while the tracer cannot keep
 * up an event costs no more than this. */
static inline bool goad__trace_lost (void)
{
	struct trace_ring *r = goad__ring ();
	uint64_t lost;

	if (!r->deaf || r->gen != atomic_load_explicit (&goad__trace_gen, memory_order_relaxed))
		return false;
	lost = atomic_load_explicit (&r->lost, memory_order_relaxed);
	if ((lost & 1023) == 0)
		return false;
	atomic_store_explicit (&r->lost, lost + 1, memory_order_relaxed);
	return true;
}

struct g;
void goad__trace_put_go (enum goad__ev ev, uint64_t time, struct g *g); /* or NULL */
/* g is readied; from waits, and next, or NULL, begins to run. */
void goad__trace_put_ready (uint64_t time, struct g *g);
void goad__trace_put_wait (enum goad__ev ev, uint64_t time, const struct g *from, struct g *next);
/* The P of this thread has a new time. */
void goad__trace_pause (void);
void goad__trace_put_n (enum goad__ev ev, uint64_t time, const uint64_t *a, unsigned n);

const char *goad__trace_args (unsigned ev);

/* How many words they take. */
static inline unsigned goad__trace_count (unsigned ev)
{
	unsigned n = 0;

	for (const char *a = goad__trace_args (ev); *a; a++)
		n += *a == 'N' ? 4 : 1;
	return n;
}

#define goad__trace(name, time, a)                               \
	do {                                                         \
		GOAD__PROBE (name, a);                                   \
		if (goad__tracing ())                                    \
			goad__trace_put (EV_##name, (time), (uint64_t) (a)); \
	} while (0)

/* The first of the arguments goes to the probe. */
#define goad__trace_n(name, time, ...)                                               \
	do {                                                                             \
		GOAD__PROBE (name, ((const uint64_t[]){ __VA_ARGS__ })[0]);                  \
		if (goad__tracing ())                                                        \
			goad__trace_put_n (EV_##name, (time), (const uint64_t[]){ __VA_ARGS__ }, \
			                   sizeof ((const uint64_t[]){ __VA_ARGS__ }) / 8);      \
	} while (0)

#define goad__trace_0(name, time)                           \
	do {                                                    \
		GOAD__PROBE (name, 0);                              \
		if (goad__tracing ())                               \
			goad__trace_put_n (EV_##name, (time), NULL, 0); \
	} while (0)

/* A thread of the runtime that is to have a ring, when it writes its first event; and
 * one that ends. */
void goad__ring_begin (void);
void goad__ring_end (void);

void goad__rings_free (void); /* all threads have ended */
void goad__rings_forked (void);

#endif
