/* SPDX-License-Identifier: MIT */
/* tests/unit/core_ring.c - a ring of events: what is written is read, what finds it full is
 * lost and counted, and the loss is told when there is room again */
#include "tests/harness.h"

#include "core/m.h"
#include "core/ring.h"

static uint64_t at (const struct trace_ring *r, uint32_t i)
{
	return r->word[i & (RING_WORDS - 1)];
}

static struct trace_ring *begin (void)
{
	goad__pin ();
	goad__ring_begin ();
	atomic_store (&goad__trace_gen, 7);
	goad__trace (proc_start, 1000, 3);
	return goad__ring ();
}

static void end (void)
{
	atomic_store (&goad__trace_gen, 0);
	goad__ring_end ();
	goad__rings_free ();
	goad__unpin_quietly ();
}

Test (ring, nothing_is_written_while_off)
{
	goad__pin ();
	goad__ring_begin ();
	goad__trace (proc_start, 1000, 3);
	cr_assert_null (atomic_load (&goad__rings));
	goad__ring_end ();
	goad__unpin_quietly ();
}

Test (ring, first_comes_who_writes)
{
	struct trace_ring *r = begin ();

	cr_assert_eq (at (r, 0), (uint64_t) EV_thread << 56 | 1000);
	cr_assert_eq (at (r, 1), 7);
	cr_assert_eq (at (r, 2), GOAD__ROLE_SYSMON); /* it has no M */
	cr_assert_eq (at (r, 7), (uint64_t) EV_proc_start << 56 | 1000);
	cr_assert_eq (at (r, 8), 3);
	cr_assert_eq (atomic_load (&r->head), 9);
	end ();
}

Test (ring, events_of_one_time_are_a_word)
{
	struct trace_ring *r = begin ();
	struct g g = { .id = 5, .trace_seq = 7u << 24 | 41 };

	goad__trace_put_go (EV_go_start, 1000, &g);
	cr_assert_eq (at (r, 9), RING_SHORT | (uint64_t) EV_go_start << 57 | UINT64_C (42) << 33 | 5);
	goad__trace_put_go (EV_go_yield, 1001, &g);
	cr_assert_eq (at (r, 10), (uint64_t) EV_go_yield << 56 | 1001);
	cr_assert_eq (at (r, 11), UINT64_C (5) << 24 | 43);
	goad__trace_put_go (EV_go_end, 1001, NULL);
	cr_assert_eq (at (r, 12), RING_SHORT | (uint64_t) EV_go_end << 57);
	cr_assert_eq (atomic_load (&r->head), 13);
	end ();
}

Test (ring, a_coroutine_is_told_once)
{
	struct trace_ring *r = begin ();
	struct g g = { .id = 5, .name = "five" };

	goad__trace_put_go (EV_go_create, 1000, &g);
	cr_assert_eq (at (r, 9) >> 56, EV_go_info);
	cr_assert_eq (at (r, 10), 5);
	cr_assert_str_eq ((const char *) &r->word[12], "five");
	cr_assert_eq (at (r, 16), (uint64_t) EV_go_create << 56 | 1000);
	cr_assert_eq (at (r, 17), UINT64_C (5) << 24 | 1);
	goad__trace_put_go (EV_go_start, 1000, &g);
	cr_assert_eq (atomic_load (&r->head), 19);
	end ();
}

/* The count of a coroutine stands still meanwhile, so that what comes after agrees. */
Test (ring, what_is_lost_is_counted_and_told)
{
	struct trace_ring *r = begin ();
	struct g g = { .id = 5, .trace_seq = 7u << 24 };
	uint32_t head, written = 0;

	while (atomic_load (&r->lost) == 0 && written < 2 * RING_WORDS) {
		goad__trace_put_go (EV_go_start, 2000 + written, &g);
		written++;
	}
	cr_assert_eq (atomic_load (&r->lost), 1);
	head = atomic_load (&r->head);
	cr_assert_geq (head, RING_WORDS - 16);
	cr_assert_leq (head, RING_WORDS);
	for (int i = 0; i < 5000; i++)
		goad__trace_put_go (EV_go_start, 3000000, &g);
	cr_assert_eq (atomic_load (&r->lost), 5001);
	cr_assert_eq (atomic_load (&r->head), head);
	cr_assert_eq (atomic_load (&goad__trace_bell), 1);
	atomic_store (&r->tail, head); /* as the tracer */
	for (int i = 0; i < 2048; i++)
		goad__trace_put_go (EV_go_start, 4000000, &g);
	cr_assert_eq (at (r, head) >> 56, EV_lost);
	cr_assert_eq (at (r, head + 1), 2000 + written - 1);
	cr_assert_geq (at (r, head + 2), 5001);
	cr_assert_eq (at (r, head + 2) + (atomic_load (&r->head) - head - 4), 5001 + 2048);
	end ();
}

Test (ring, the_next_thread_goes_on_where_it_ended)
{
	struct trace_ring *r = begin ();
	uint32_t head;

	goad__ring_end ();
	head = atomic_load (&r->head);
	goad__ring_begin ();
	goad__trace (proc_stop, 5000, 3);
	cr_assert_eq (goad__ring (), r);
	cr_assert_eq (at (r, head) >> 56, EV_thread);
	end ();
}

Test (ring, threads_from_outside_share_one)
{
	goad__pin ();
	atomic_store (&goad__trace_gen, 3);
	goad__trace (proc_start, 1000, 3);
	struct trace_ring *r = atomic_load (&goad__rings);
	cr_assert_not_null (r);
	cr_assert_eq (at (r, 2), GOAD__ROLE_OUTSIDE);
	cr_assert_null (goad__ring ());
	end ();
}
