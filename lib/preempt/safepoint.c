/* SPDX-License-Identifier: MIT */
/* safepoint.c - what to do with a coroutine that was stopped
 *
 * The reasoning is in doc/design: a coroutine may go on on another thread if no frame
 * of it can hold anything of this one.  Each frame is asked in turn, newest first;
 * the first that says no decides, and everything doubtful is a no.
 */
#include "preempt/safepoint.h"

#include "core/m.h"
#include "preempt/funcs.h"
#include "preempt/modules.h"
#include "preempt/walk.h"

#define DEPTH 64
#define NEUTRALS 16

struct neutral {
	_Atomic uintptr_t start;
	size_t size;
	bool is_entry;
};

static struct neutral neutrals[NEUTRALS];

void goad__safepoint_neutral (const void *func_start, size_t size, bool is_entry)
{
	uintptr_t start = (uintptr_t) func_start;

	for (int i = 0; i < NEUTRALS; i++) {
		uintptr_t is = atomic_load_explicit (&neutrals[i].start, memory_order_relaxed);

		if (is != 0 && is != start)
			continue;
		neutrals[i].size = size;
		neutrals[i].is_entry = is_entry;
		/* Readers come later: threads are made, and table and signals set up, after it. */
		atomic_store_explicit (&neutrals[i].start, start, memory_order_release);
		return;
	}
}

static const struct neutral *neutral_at (const struct goad__visit *f)
{
	for (int i = 0; i < NEUTRALS; i++) {
		uintptr_t start = atomic_load_explicit (&neutrals[i].start, memory_order_acquire);

		if (start == 0)
			break;
		if (neutrals[i].size ? f->at - start < neutrals[i].size : f->described && f->start == start)
			return &neutrals[i];
	}
	return NULL;
}

static bool decide (struct goad__judgement *out, enum goad__verdict verdict, const char *reason)
{
	out->verdict = verdict;
	out->reason = reason;
	return true;
}

/* Whether the frame decides. */
static bool judge_frame (const struct goad__walk *w, struct goad__visit *f, bool allow_bound,
                         struct goad__judgement *out)
{
	const struct neutral *neutral;
	const char *why;

	out->pc = f->pc;
	if (f->place.class_ == GOAD__DENIED || f->place.class_ == GOAD__UNKNOWN)
		return decide (out, allow_bound ? GOAD__DEFER : GOAD__HANDOFF, f->place.why);
	goad__walk_describe (w, f);
	neutral = neutral_at (f);
	if (out->depth > 0 && f->described && !f->called && !neutral &&
	    f->place.class_ != GOAD__RUNTIME && f->at != f->pc)
		return decide (out, GOAD__HANDOFF, "a return address that follows no call");
	/* Also the newest: a call into the library that finds on its way out that it was
	 * asked to stop.  The handler never lets one in that was interrupted there. */
	if (neutral || f->place.class_ == GOAD__RUNTIME) {
		return neutral && neutral->is_entry &&
		       decide (out, GOAD__YIELD, "every frame is thread-independent");
	}
	if (allow_bound)
		return false;
	if (f->place.class_ == GOAD__BOUND)
		return decide (out, GOAD__HANDOFF, f->place.why);
	if (!f->described)
		return decide (out, GOAD__HANDOFF, "a function without unwind information");
	why = goad__funcs_bound (f->place.object, f->start, f->end);
	return why && decide (out, GOAD__HANDOFF, why);
}

static void judge (struct goad__walk *w, bool allow_bound, struct goad__judgement *out)
{
	for (out->depth = 0; out->depth < DEPTH; out->depth++) {
		struct goad__visit f;
		int next;

		goad__walk_look (w, &f);
		if (judge_frame (w, &f, allow_bound, out))
			return;
		next = goad__walk_next (w, &f);
		if (next > 0)
			continue;
		if (allow_bound) /* the user answers for what cannot be seen */
			decide (out, GOAD__YIELD, "no frame that could be seen is denied");
		else if (next < 0)
			decide (out, GOAD__HANDOFF,
			        f.described ? "a frame that cannot be unwound"
			                    : "a function without unwind information");
		else if (f.place.class_ == GOAD__RUNTIME || neutral_at (&f))
			decide (out, GOAD__YIELD, "every frame is thread-independent");
		else
			decide (out, GOAD__HANDOFF, "the stack does not end in the runtime");
		return;
	}
	if (allow_bound)
		decide (out, GOAD__YIELD, "no frame that was looked at is denied");
	else
		decide (out, GOAD__HANDOFF, "more frames than are looked at");
}

void goad__safepoint_judge (const struct goad__regs *regs, uintptr_t stack_lo, uintptr_t stack_hi,
                            bool allow_bound, struct goad__judgement *out)
{
	struct goad__walk w;

	goad__walk_begin (&w, regs, stack_lo, stack_hi, goad__modules_enter ());
	judge (&w, allow_bound, out);
	goad__modules_leave ();
}

GOAD__FOREIGN static bool holds (const struct goad__walk *w, uintptr_t slot, uintptr_t pc)
{
	return slot >= w->lo && slot <= w->hi - sizeof pc && *(const volatile uintptr_t *) slot == pc;
}

/* For the handler on the same thread, which may come anywhere and then does not walk. */
static bool say_walking (struct m *m, bool walking)
{
	bool was;

	if (!m)
		return false;
	atomic_signal_fence (memory_order_seq_cst);
	was = atomic_load_explicit (&m->walking, memory_order_relaxed);
	atomic_store_explicit (&m->walking, walking, memory_order_relaxed);
	atomic_signal_fence (memory_order_seq_cst);
	return was;
}

int goad__safepoint_frames (const struct goad__regs *regs, uintptr_t lo, uintptr_t hi,
                            uintptr_t *pc, uintptr_t *slot, int max)
{
	struct m *m = goad__m ();
	bool was = say_walking (m, true);
	struct goad__walk w;
	struct goad__visit f;
	int n = 0;

	goad__walk_begin (&w, regs, lo, hi, goad__modules_enter ());
	while (n < max) {
		uintptr_t at = w.cfa - sizeof w.pc;
		pc[n] = w.pc;
		if (slot)
			slot[n] = n > 0 && holds (&w, at, w.pc) ? at : 0;
		n++;
		goad__walk_look (&w, &f);
		goad__walk_describe (&w, &f);
		if (goad__walk_next (&w, &f) <= 0)
			break;
	}
	goad__modules_leave ();
	say_walking (m, was);
	return n;
}

int goad__safepoint_backtrace (const struct goad__regs *regs, uintptr_t lo, uintptr_t hi,
                               void **pcs, int max)
{
	return goad__safepoint_frames (regs, lo, hi, (uintptr_t *) pcs, NULL, max);
}
