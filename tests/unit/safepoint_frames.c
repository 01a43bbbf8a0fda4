/* SPDX-License-Identifier: MIT */
/* safepoint_frames.c - the judgement of stopped code, case by case */
#include "tests/harness.h"
#include "tests/unit/safepoint_kit.h"

#include <stdlib.h>

static void *code;

static void begin (void)
{
	code = safepoint_object ("code");
	if (!code || SAFEPOINT_INSTRUMENTED)
		cr_skip_test ("the objects are not there, or instrumented");
	cr_assert_eq (goad__modules_init (), 0, "no table of modules");
}

static void expect (const char *fn, void *arg, enum goad__verdict automatic,
                    enum goad__verdict yield)
{
	struct safepoint_seen s;

	begin ();
	s = safepoint_run (code, fn, arg);
	cr_assert_eq (s.automatic.verdict, automatic, "%s: %s at depth %d", fn, s.automatic.reason,
	              s.automatic.depth);
	cr_assert_eq (s.yield.verdict, yield, "%s in mode YIELD: %s at depth %d", fn, s.yield.reason,
	              s.yield.depth);
	goad__modules_fini ();
}

Test (safepoint_frames, a_compute_loop_yields)
{
	expect ("loop", NULL, GOAD__YIELD, GOAD__YIELD);
}

Test (safepoint_frames, a_tail_call_yields)
{
	expect ("tail", NULL, GOAD__YIELD, GOAD__YIELD);
}

Test (safepoint_frames, a_frame_of_dynamic_size_yields)
{
	expect ("dynamic", (void *) 7, GOAD__YIELD, GOAD__YIELD);
}

Test (safepoint_frames, twenty_frames_yield)
{
	expect ("deep", (void *) 20, GOAD__YIELD, GOAD__YIELD);
}

Test (safepoint_frames, a_hundred_frames_are_handed_off_in_auto)
{
	expect ("deep", (void *) 100, GOAD__HANDOFF, GOAD__YIELD);
}

Test (safepoint_frames, a_callback_of_qsort_is_handed_off_or_deferred)
{
	expect ("sorter", NULL, GOAD__HANDOFF, GOAD__DEFER);
}

Test (safepoint_frames, a_user_of_ctype_is_handed_off)
{
	expect ("letters", (void *) "a", GOAD__HANDOFF, GOAD__YIELD);
}

Test (safepoint_frames, a_user_of_errno_is_handed_off)
{
	expect ("error", NULL, GOAD__HANDOFF, GOAD__YIELD);
}

Test (safepoint_frames, an_address_from_a_function_of_the_object_is_seen)
{
	expect ("error_kept", NULL, GOAD__HANDOFF, GOAD__YIELD);
}

Test (safepoint_frames, a_system_call_of_its_own_is_handed_off)
{
	expect ("kernel", NULL, GOAD__HANDOFF, GOAD__YIELD);
}

Test (safepoint_frames, a_backtrace_goes_through_everything)
{
	struct safepoint_seen s;

	begin ();
	s = safepoint_run (code, "sorter", NULL);
	cr_assert_gt (s.frames, 4, "only %d frames", s.frames);
	s = safepoint_run (code, "deep", (void *) 50);
	cr_assert_gt (s.frames, 51, "only %d frames", s.frames);
	goad__modules_fini ();
}

Test (safepoint_frames, a_cached_judgement_is_cheap)
{
	struct safepoint_seen s;

	begin ();
	s = safepoint_run (code, "deep", (void *) 40);
	cr_assert_lt (s.ns / 44, 2000.0, "%.0f ns a frame", s.ns / 44);
	goad__modules_fini ();
}

Test (safepoint_frames, an_object_with_thread_locals_is_handed_off)
{
	struct safepoint_seen s;

	begin ();
	s = safepoint_run (safepoint_object ("local"), "loop", NULL);
	cr_assert_eq (s.automatic.verdict, GOAD__HANDOFF);
	cr_assert_eq (s.yield.verdict, GOAD__YIELD, "%s", s.yield.reason);
	goad__modules_fini ();
}

static _Atomic int stop;

static void allocate (void *arg)
{
	(void) arg;
	while (!stop) {
		void *p = malloc (100);

		__asm__ volatile("" : "+r"(p)::"memory");
		free (p);
	}
}

Test (safepoint_frames, the_program_itself_uses_threads_and_is_bound)
{
	struct safepoint_seen s;

	cr_assert_eq (goad__modules_init (), 0);
	s = safepoint_call (allocate, NULL, &stop);
	cr_assert_eq (s.automatic.verdict, GOAD__HANDOFF, "%s", s.automatic.reason);
	cr_assert_neq (s.yield.verdict, GOAD__HANDOFF, "%s", s.yield.reason);
	goad__modules_fini ();
}

Test (safepoint_frames, garbage_is_handed_off)
{
	uint64_t stack[64] = { 0 };
	struct goad__judgement j;
	struct goad__regs regs;
	void *pcs[8];

	cr_assert_eq (goad__modules_init (), 0);
	for (int i = 0; i < 17; i++)
		regs.r[i] = 0xdeadbeefcafe0000u + (uint64_t) i;
	goad__safepoint_judge (&regs, (uintptr_t) stack, (uintptr_t) (stack + 64), false, &j);
	cr_assert_eq (j.verdict, GOAD__HANDOFF);
	goad__safepoint_judge (&regs, (uintptr_t) stack, (uintptr_t) (stack + 64), true, &j);
	cr_assert_eq (j.verdict, GOAD__DEFER);
	cr_assert_eq (goad__safepoint_backtrace (&regs, (uintptr_t) stack, (uintptr_t) (stack + 64),
	                                         pcs, 8),
	              1);
	regs.r[16] = (uintptr_t) goad__safepoint_judge;
	regs.r[7] = (uintptr_t) (stack + 63);
	goad__safepoint_judge (&regs, (uintptr_t) stack, (uintptr_t) (stack + 64), false, &j);
	cr_assert_eq (j.verdict, GOAD__HANDOFF, "%s", j.reason);
	goad__modules_fini ();
}
