/* SPDX-License-Identifier: MIT */
/* core/self.h - who am I: this thread's M and G, and whether it is in the runtime
 *
 * Compilers keep the address of a thread-local across any call, and a coroutine may
 * wake on another thread.  So the variables are never touched by C: each access is
 * one instruction relative to the segment register, which a switch or a signal can
 * come before or after, but not into.
 *
 * A thread that is pinned is in the runtime, it may hold runtime locks, and the signal
 * handler does nothing but note that it came.  Pins count per thread, not per
 * coroutine: a coroutine that parks leaves one pin on this thread and finds one
 * wherever it wakes.
 *
 *	goad__pin ();              // from here on this thread is not preempted
 *	struct m *m = goad__m ();  // and so M and P stay ours
 *	...
 *	goad__unpin ();            // a request that came meanwhile is honoured here
 */
#ifndef GOAD_CORE_SELF_H
#define GOAD_CORE_SELF_H

#include "base/base.h"
#include "base/san.h"

struct m;
struct g;
struct trace_ring;

struct goad__self {
	uint64_t word;           /* 2 * locks + 1, and 1 less when a preemption signal came while   */
	                         /* locks > 0: one subtraction tells that both are over, by being 0 */
	struct m *m;             /* NULL on a thread that goad did not make                         */
	struct g *g;             /* NULL on g0                                                      */
	struct trace_ring *ring; /* never NULL: core/ring.h */
};

extern __thread struct goad__self goad__self __attribute__ ((tls_model ("initial-exec")));

#if defined __x86_64__

/* The variable's offset from the segment base: the same in all threads, so the
 * compiler may keep it. */
static inline uintptr_t goad__self_offset (void)
{
	uintptr_t off;
	__asm__("movq goad__self@GOTTPOFF(%%rip), %0" : "=r"(off));
	return off;
}

static inline struct m *goad__m (void)
{
	struct m *m;
	__asm__ volatile("movq %%fs:8(%1), %0" : "=r"(m) : "r"(goad__self_offset ()));
	return m;
}

/* Where this thread's variables are, for another one. */
static inline struct goad__self *goad__self_at (void)
{
	char *base;
	__asm__ volatile("movq %%fs:0, %0" : "=r"(base)); /* the ABI keeps it there */
	return (struct goad__self *) (base + goad__self_offset ());
}

static inline struct g *goad__g (void)
{
	struct g *g;
	__asm__ volatile("movq %%fs:16(%1), %0" : "=r"(g) : "r"(goad__self_offset ()));
	return g;
}

static inline void goad__set_m (struct m *m)
{
	__asm__ volatile("movq %0, %%fs:8(%1)" ::"r"(m), "r"(goad__self_offset ()) : "memory");
}

static inline void goad__set_g (struct g *g)
{
	__asm__ volatile("movq %0, %%fs:16(%1)" ::"r"(g), "r"(goad__self_offset ()) : "memory");
}

static inline struct trace_ring *goad__ring (void)
{
	struct trace_ring *r;
	__asm__ volatile("movq %%fs:24(%1), %0" : "=r"(r) : "r"(goad__self_offset ()));
	return r;
}

static inline void goad__set_ring (struct trace_ring *r)
{
	__asm__ volatile("movq %0, %%fs:24(%1)" ::"r"(r), "r"(goad__self_offset ()) : "memory");
}

/* Who a thread is that has no coroutine: the address of its control block. */
static inline uintptr_t goad__thread (void)
{
	uintptr_t tcb;
	__asm__ volatile("movq %%fs:0, %0" : "=r"(tcb));
	return tcb;
}

static inline bool goad__pinned (void)
{
	uint64_t n;
	__asm__ volatile("movq %%fs:(%1), %0" : "=r"(n) : "r"(goad__self_offset ()) : "memory");
	return n > 1;
}

/* For a thread's beginning and end. */
static inline void goad__set_pins (uint64_t n)
{
	__asm__ volatile("movq %0, %%fs:(%1)" ::"r"(2 * n + 1), "r"(goad__self_offset ()) : "memory");
}

static inline void goad__set_pending (void)
{
	__asm__ volatile("andq $-2, %%fs:(%0)" ::"r"(goad__self_offset ()) : "memory", "cc");
}

static inline void goad__clear_pending (void)
{
	__asm__ volatile("orq $1, %%fs:(%0)" ::"r"(goad__self_offset ()) : "memory", "cc");
}

static inline void goad__pin (void)
{
	__asm__ volatile("addq $2, %%fs:(%0)" ::"r"(goad__self_offset ()) : "memory", "cc");
}

/* True: that was the last pin, and a preemption signal came meanwhile. */
static inline bool goad__unpin_asks (void)
{
	bool asked;
	goad__tsan_release (goad__self_at ()); /* sysmon asks whether it is pinned: retake.c */
	__asm__ volatile("subq $2, %%fs:(%1)" : "=@ccz"(asked) : "r"(goad__self_offset ()) : "memory");
	return asked;
}

/* Leaves the runtime without looking: in the signal handler, and where the caller
 * looks itself. */
static inline void goad__unpin_quietly (void)
{
	(void) goad__unpin_asks ();
}

#else
#error "core/self.h knows x86-64 only so far"
#endif

/* Set by the preempt floor: what to do about a pending request on the way out. */
extern void (*goad__poll_hook) (void);

static inline void goad__unpin (void)
{
	if (unlikely (goad__unpin_asks ()))
		goad__poll_hook ();
}

#endif
