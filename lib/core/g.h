/* SPDX-License-Identifier: MIT */
/* core/g.h - G: a coroutine
 *
 * The descriptor lies in the top page of its stack, so that a parked coroutine
 * costs one page.  A state says who owns the stack and who may change the state:
 *
 *	IDLE      nobody runs it; the free list or the spawner owns it
 *	RUNNABLE  in exactly one run queue; whoever takes it out owns it.  If `bound` is
 *	          set, only that M may run it (a handed-off or locked coroutine)
 *	RUNNING   owned by the M whose `curg` it is; that M has a P
 *	WAITING   parked; owned by whatever it waits on, which will call goad__ready
 *	          exactly once.  Its stack is nobody's
 *	SYSCALL   in the kernel, announced or found there; still curg of its M, which runs
 *	          without a P (sched/block.c)
 *	DEAD      ended; owned by the joiner if there is one
 *
 * RUNNING becomes RUNNABLE, WAITING or DEAD only after its registers are saved, that
 * is on the next coroutine's stack or on g0 (sched/sched.h, "after"): once others can
 * see it they may run it at once.
 */
#ifndef GOAD_CORE_G_H
#define GOAD_CORE_G_H

#include "arch.h"
#include "base/base.h"
#include "base/fatal.h"
#include "base/san.h"
#include "core/ring.h"
#include "goad/sched.h"

struct m;
struct stack;

/* Where a coroutine that is RUNNABLE or WAITING left its registers. */
enum g_place {
	AT_SP,     /* in the context that g->sp points to                            */
	AT_SIGNAL, /* it was handed off in the handler: in bound->stopped            */
	AT_THREAD  /* its thread sleeps with it on its own stack: only that knows    */
};

/* The last time that it was preempted, or was to be. */
enum g_last { LAST_NEVER, LAST_YIELDED, LAST_HANDED, LAST_DEFERRED };
struct g_preempted {
	uint64_t at;
	uintptr_t pc;
	const char *why; /* static text */
	enum g_last how;
};

enum g_state { G_IDLE, G_RUNNABLE, G_RUNNING, G_WAITING, G_SYSCALL, G_DEAD };

/* g->join: who waits for the end.  Above these it is a struct waiter, and with JOIN_DIRECT
 * one who ran the coroutine, is to be switched to at its end, and stays until then.  Any
 * other may go at its deadline: until it is taken out of the word it is not looked at. */
#define JOIN_NONE ((uintptr_t) 0)
#define JOIN_DONE ((uintptr_t) 1)
#define JOIN_DETACHED ((uintptr_t) 2)
#define JOIN_DIRECT ((uintptr_t) 1) /* added to the pointer */

struct g {
	/* hot: touched by each switch */
	void *sp;           /* saved context, when not RUNNING                            */
	struct goad__fp fp; /* its control words, when it left by itself                  */
	struct g *next;     /* in a queue                                                 */
	uint32_t queued_at; /* the place in a ring where it was put last                  */
	struct m *bound;    /* the only M that may run it, or NULL                        */
	_Atomic uint32_t state;
	uint32_t nopreempt; /* goad_preempt_disable's count; only its own thread writes   */
	uint64_t ready_at;  /* when it became runnable                                    */
	uint64_t cpu;       /* ns on a P                                                  */
	uint64_t slices;
	uint64_t wait; /* ns runnable, and the longest                               */
	uint64_t wait_max;

	goad_fn fn;
	void *arg;
	struct stack *stack;
	uint64_t id;
	_Atomic uintptr_t join;
	uint32_t weight;
	uint32_t locked;      /* goad_lock_thread's count: bound stays between slices       */
	uint8_t preempt;      /* its own GOAD_PREEMPT_*, 0: the runtime's                   */
	uint8_t preempt_held; /* a request came while nopreempt > 0                        */
	uint8_t place;        /* enum g_place                                               */
	uint8_t hog;          /* was preempted, and has not blocked since                   */
	uint8_t mild;         /* a hog, but of late it left by itself, after a moment       */
	uint8_t leaves_soon;  /* how often in a row it left its P soon after readying one   */
	uint32_t blocking;    /* goad_block_begin's count; only its own thread writes       */

	/* fairq: place in the heap of preempted coroutines */
	uint64_t vruntime;
	uint64_t fair_seq;
	uint64_t unfinished; /* ns of a slice that fresh work broke off; not in vruntime   */
	struct g *fair_child, *fair_sibling;

	uint64_t n_yielded, n_handed, n_deferred, n_expired;
	struct g_preempted last;

	_Atomic uint64_t starve_told; /* the ready_at of the wait that was noticed last  */

	/* C++: what __cxa_get_globals holds while it is switched off in a handler */
	void *cxa_caught;
	uint32_t cxa_uncaught;

	struct goad__san san;
#ifdef GOAD_DEBUG_BUILD
	uint32_t seen; /* the last check of the world that found it in a queue */
#endif
	/* Before each park: what it waits for, for dumps.  Of others looked at only while it is
	 * WAITING; after that it may be out of date. */
	const char *wait_kind;
	const void *wait_on;
	uint64_t trace_word; /* its count of events, 24 bits; the trace, 8; its number, 32 */
	char name[32];
};

/* A thread or coroutine that waits for one event; lies on its stack. */
struct waiter {
	struct g *g;           /* NULL: a foreign thread, which sleeps on word          */
	_Atomic uint32_t word; /* futex: 1 when the event has come                      */
};

/* g->trace_word is the owner's. */
#define TRACE_ONE (UINT64_C (1) << 40)
#define TRACE_FRESH UINT64_C (1) /* of no trace yet */

static inline uint32_t goad__trace_gen_of (const struct g *g)
{
	return (uint8_t) (g->trace_word >> 32);
}

/* Before the first event of g in this trace: what it is. */
void goad__trace_info (struct g *g, uint64_t time);

/* g and its count, for an event that hands it on; by its owner, while tracing. */
static inline uint64_t goad__trace_ref (struct g *g, uint64_t time)
{
	uint32_t gen = atomic_load_explicit (&goad__trace_gen, memory_order_relaxed);

	if (unlikely (goad__trace_gen_of (g) != gen))
		goad__trace_info (g, time);
	g->trace_word += TRACE_ONE;
	return g->id << 24 | g->trace_word >> 40;
}

static inline void goad__trace_count_again (struct trace_ring *r)
{
#ifdef GOAD__TSAN
	__atomic_fetch_add (&r->again, 1, __ATOMIC_RELEASE);
#else
	/* [ord:trace-again] One instruction, and on x86 a store is a release.  open_again keeps
	 * the compiler from moving it before the head that it comes after. */
	__asm__ volatile("incl %0" : "+m"(r->again)::"cc");
#endif
}

/* To and fro (core/ring.h): true if that was the event that came next, and it is counted.
 * Nothing else need be compared: a full ring, another trace, or a thread that has no ring
 * yet, has no such word.  If the trace is a new one, and the thread has not told of itself
 * there, what is counted is in an old trace's event, which nobody reads. */
static inline bool goad__trace_ready_again (struct g *g)
{
	struct trace_ring *r = goad__ring ();
	uint64_t word = g->trace_word;

	if (unlikely (word != r->may_ready))
		return false;
	word += TRACE_ONE;
	g->trace_word = word;
	r->may_start = word;
	goad__trace_count_again (r);
	return true;
}

static inline bool goad__trace_wait_again (const struct g *from, struct g *next)
{
	struct trace_ring *r = goad__ring ();
	uint64_t word = next->trace_word;

	if (unlikely (word != r->may_start || from->wait_kind != r->kind))
		return false;
	next->trace_word = word + TRACE_ONE;
	r->may_ready = from->trace_word;
	goad__trace_count_again (r);
	return true;
}

#define goad__trace_go(name, time, g)                    \
	do {                                                 \
		GOAD__PROBE (name, (g)->id);                     \
		if (goad__tracing ())                            \
			goad__trace_put_go (EV_##name, (time), (g)); \
	} while (0)

/* g, which runs on this M, ends its run in that way; next, if any, begins its own. */
static inline void goad__trace_leaves (enum goad__ev how, uint64_t time, const struct g *g,
                                       struct g *next)
{
	(void) g;
	GOAD__PROBE (go_stop, g->id);
	if (goad__tracing ())
		goad__trace_put_go (how, time, next);
}

/* The one place where states change.  In a debug build each transition is checked. */
#ifdef GOAD_DEBUG_BUILD
void goad__g_change (struct g *g, enum g_state from, enum g_state to);
#else
static inline void goad__g_change (struct g *g, enum g_state from, enum g_state to)
{
	(void) from;
	/* What publishes g to others is the queue it goes into.  [ord:starve] release: who sees
	 * it RUNNABLE without having taken it sees since when. */
	atomic_store_explicit (&g->state, to, memory_order_release);
}
#endif

/* ready_at is set before: others may have it once it is RUNNABLE and queued. */
__attribute__ ((always_inline)) static inline void goad__g_transit (struct g *g, enum g_state from,
                                                                    enum g_state to)
{
	if (to == G_RUNNABLE && from == G_IDLE)
		goad__trace_go (go_create, g->ready_at, g);
	else if (to == G_RUNNABLE && from != G_RUNNING)
		goad__trace_go (go_unblock, g->ready_at, g);
	goad__g_change (g, from, to);
}

/* As goad__g_transit (g, G_WAITING, G_RUNNABLE) by who has a P, at the P's own time. */
static inline void goad__g_readied (struct g *g)
{
	GOAD__PROBE (go_unblock, g->id);
	if (goad__tracing () && !goad__trace_ready_again (g))
		goad__trace_put_ready (g->ready_at, g);
	goad__g_change (g, G_WAITING, G_RUNNABLE);
}

static inline enum g_state goad__g_state (const struct g *g)
{
	return (enum g_state) atomic_load_explicit (&g->state, memory_order_relaxed);
}

/* What goad_task_stats reads of a coroutine that may run: one writer, any readers. */
static inline void goad__g_set (uint64_t *field, uint64_t v)
{
	__atomic_store_n (field, v, __ATOMIC_RELAXED);
}

static inline uint64_t goad__g_get (const uint64_t *field)
{
	return __atomic_load_n (field, __ATOMIC_RELAXED);
}

static inline void goad__g_add (uint64_t *field, uint64_t n)
{
	goad__g_set (field, goad__g_get (field) + n);
}

/* It is about to park: what it waits for.  Static text. */
static inline void goad__g_waits (struct g *g, const char *kind, const void *on)
{
	g->wait_kind = kind;
	g->wait_on = on;
}

const char *goad__g_state_name (enum g_state s);

#endif
