/* SPDX-License-Identifier: MIT */
/* What becomes of a coroutine that was interrupted: the ordinary code behind the
 * injected call.
 *
 * goad__preempt_here runs on the coroutine's stack, all of its registers saved below.
 * The walk over its frames needs more stack than it may have, so g0 judges, and then
 * either queues it like any other (yield in place) or keeps it on this thread (hand
 * off).
 */
#include <errno.h>

#include "preempt/preempt.h"
#include "preempt/safepoint.h"
#include "sched/account.h"
#include "sched/feedback.h"

/* errno's address belongs to the thread; these stay out of line so that no compiler
 * keeps it across the switch. */
GOAD__NOINLINE static int errno_get (void)
{
	goad__compiler_barrier ();
	return errno;
}

GOAD__NOINLINE static void errno_set (int e)
{
	goad__compiler_barrier ();
	errno = e;
}

void goad__preempt_here (struct goad__frame *f)
{
	int e = errno_get ();

	goad__m ()->frame = f;
	goad__sched_preempted ();
	errno_set (e);
	/* Quietly: a request that came in these few lines would nest another frame here;
	 * sysmon repeats it. */
	goad__clear_pending ();
	goad__unpin_quietly ();
}

static void judge_frames (struct m *m, struct g *g, struct goad__judgement *j)
{
	struct goad__regs regs;
	int mode = goad__g_mode (g);

	goad__arch_frame_regs (m->frame, regs.r);
	*j = (struct goad__judgement){ .verdict = GOAD__HANDOFF, .pc = regs.r[16] };
	if (mode == GOAD_PREEMPT_COOP) {
		j->verdict = GOAD__YIELD;
		j->reason = "it called into the runtime";
	} else if (mode == GOAD_PREEMPT_HANDOFF) {
		j->reason = "the mode is hand-off";
	} else if (g->bound) {
		j->reason = "it is locked to its thread";
	} else {
		goad__safepoint_judge (&regs, (uintptr_t) g->stack->lo, (uintptr_t) g->stack->hi,
		                       mode == GOAD_PREEMPT_YIELD, j);
	}
}

static uintptr_t pc_of (const struct m *m)
{
	return ((const struct goad__frame *) m->frame)->pc;
}

static void yield_in_place (struct m *m, struct g *g, const char *why)
{
	struct p *p = m->p;
	uint64_t t = goad__p_time_exact (p);

	g->last = (struct g_preempted){ t, pc_of (m), why, LAST_YIELDED };
	goad__p_preempted (p, g, t);
	goad__count (&p->n_yielded, 1);
	goad__g_add (&g->n_yielded, 1);
	goad__g_set (&g->ready_at, t);
	goad__trace_leaves (EV_go_preempt, t, g, NULL);
	goad__g_transit (g, G_RUNNING, G_RUNNABLE);
	goad__note_preempted (p, g, t);
	goad__ready_fair (g);
	goad__p_new_slice (p, t); /* the request is answered */
}

static bool judge (struct m *m, struct g *g)
{
	struct goad__judgement j;
	struct p *p = m->p;

	if (goad__stopping ()) { /* its slice goes on when the world does */
		goad__world_halt (m, g);
		return true;
	}
	if (!goad__preempt_wanted (p)) {
		goad__decided (HOW_UNNEEDED, "nobody waits any more", 0, 0);
		goad__preempt_not_needed (p, g);
		return true;
	}
	judge_frames (m, g, &j);
	switch (j.verdict) {
	case GOAD__YIELD:
		goad__decided (HOW_YIELD, j.reason, j.pc, j.depth);
		yield_in_place (m, g, j.reason);
		return false;
	case GOAD__HANDOFF:
		goad__preempt_hand_off (m, g, j.reason, pc_of (m), j.depth);
		return true;
	case GOAD__DEFER:
		goad__deferred (p, g, j.reason, pc_of (m), j.depth);
		break;
	}
	return true;
}

/* g stands on its own stack, in the runtime, and its thread may sleep so. */
static void stop_here (struct m *m, struct g *g, uintptr_t pc, void (*how) (struct m *, struct g *))
{
	g->place = AT_THREAD;
	if (how)
		how (m, g);
	else
		goad__preempt_hand_off (m, g, "no room on its stack", pc, 0);
	g->place = AT_SP;
}

void goad__preempt_poll (void)
{
	uintptr_t pc = (uintptr_t) __builtin_return_address (0);
	struct g *g;
	struct m *m;

	goad__pin ();
	goad__clear_pending ();
	m = goad__m ();
	g = goad__g ();
	if (m && g && !goad__own_p (m))
		stop_here (m, g, pc, goad__block_rejoin);
	if (goad__stopping () && m && g && m->p) {
		if (g->nopreempt)
			g->preempt_held = 1;
		else
			stop_here (m, g, pc, goad__world_halt);
		goad__unpin_quietly ();
		return;
	}
	if (!m || !g || !m->p || !goad__p_expired (m->p) || goad__g_mode (g) == GOAD_PREEMPT_OFF) {
		goad__unpin_quietly ();
		return;
	}
	if (goad__preempt_too_soon (m->p, g, pc)) {
		goad__unpin_quietly ();
		return;
	}
	goad__decided (HOW_PENDING, "on the way out of the runtime", 0, 0);
	if (g->nopreempt) {
		g->preempt_held = 1;
		goad__deferred (m->p, g, "preemption is disabled", pc, 0);
		goad__unpin_quietly ();
		return;
	}
	if ((uintptr_t) __builtin_frame_address (0) <
	    (uintptr_t) g->stack->lo + goad__arch_inject_room ()) {
		/* No room for the frame: the thread stops here, as in the handler. */
		stop_here (m, g, pc, NULL);
		goad__unpin_quietly ();
		return;
	}
	goad__preempt_self (); /* unpins */
}

void goad__decide_init (void)
{
	goad__judge_hook = judge;
	goad__stop_hook = goad__stop_request;
	goad__poll_hook = goad__preempt_poll;
	goad__safepoint_neutral ((const void *) (uintptr_t) goad__g_main, 0, true);
	goad__safepoint_neutral ((const void *) (uintptr_t) goad__g_start, 0, true);
}
