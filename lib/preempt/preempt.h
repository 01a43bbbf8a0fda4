/* SPDX-License-Identifier: MIT */
/* preempt/preempt.h - taking the CPU from a coroutine
 *
 *	request.c  sysmon's side: which slice should end, and the signal
 *	signal.c   the handler: ours or not, still true or not, what can be done here
 *	decide.c   the injected call and its judge on g0: yield in place, or hand off
 *	safepoint.c and what it stands on: is every frame thread-independent?
 */
#ifndef GOAD_PREEMPT_PREEMPT_H
#define GOAD_PREEMPT_PREEMPT_H

#include <ucontext.h>

#include "arch.h"
#include "base/clock.h"
#include "sched/sched.h"

/* signal.c */
int goad__signal_init (int signo);
void goad__signal_fini (void);
extern char goad__signal_cookie[1]; /* its address tells our signals from others' */

/* request.c: sysmon asks that slice tick of p end.  0, -ESTALE: it is over, -EAGAIN:
 * the signal cannot be sent now. */
int goad__preempt_request (struct p *p, uint64_t tick, bool fresh);
void goad__stop_request (struct p *p); /* whoever runs on p is to stop: sched/world.c */
extern _Atomic uint64_t goad__signals_sent, goad__requests;

/* decide.c */
void goad__decide_init (void);
void goad__preempt_here (struct goad__frame *f); /* called by goad_preempt_entry */
void goad__preempt_poll (void);                  /* on the way out of the runtime */

static inline int goad__g_mode (const struct g *g)
{
	return g->preempt ? g->preempt : goad__sched.preempt;
}

/* How g was preempted last, for dumps; g's own thread. */
static inline void goad__g_last (struct g *g, enum g_last how, uintptr_t pc, const char *why)
{
	g->last = (struct g_preempted){ goad__now (), pc, why, how };
}

/* What became of a request, why (static text), and the frame that decided: for the trace. */
static inline void goad__decided (enum goad__how how, const char *why, uintptr_t pc, int depth)
{
	goad__trace_n (decision, goad__now (), how, (uintptr_t) why, pc, (uint64_t) depth);
}

/* Not now: sysmon asks again. */
static inline void goad__deferred (struct p *p, struct g *g, const char *why, uintptr_t pc,
                                   int depth)
{
	goad__g_last (g, LAST_DEFERRED, pc, why);
	goad__decided (HOW_DEFERRED, why, pc, depth);
	goad__count (&p->n_deferred, 1);
	goad__g_add (&g->n_deferred, 1);
}

/* Hands off m with g, which stands at pc, waits until it has a P again, and counts what came
 * of it.  In the handler, on g0, and on g's own stack. */
void goad__preempt_hand_off (struct m *m, struct g *g, const char *why, uintptr_t pc, int depth);

/* A request that finds nobody waiting any more: the coroutine begins a new slice. */
void goad__preempt_not_needed (struct p *p, struct g *g);

/* True: g, asked to go for fresh work, may have begun just now, and goes on. */
bool goad__preempt_too_soon (struct p *p, struct g *g, uintptr_t pc);

#endif
