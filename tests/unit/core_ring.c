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

/* In the trace that begin has on. */
static uint64_t word_of (uint64_t id, uint64_t count)
{
	return count << 40 | UINT64_C (7) << 32 | id;
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
	struct g g = { .id = 5, .trace_word = word_of (5, 41) };

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
	struct g g = { .id = 5, .trace_word = word_of (5, 0) };
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

/* One that runs readies the other and waits, as lib/sched does it. */
static void ready (uint64_t time, struct g *g)
{
	if (!goad__trace_ready_again (g))
		goad__trace_put_ready (time, g);
}

static void wait_for (uint64_t time, const struct g *from, struct g *next)
{
	if (!goad__trace_wait_again (from, next))
		goad__trace_put_wait (EV_go_recv, time, from, next);
}

static const char kind[] = "chan receive";

struct pair {
	struct g a, b;
};

/* Once to and fro, at 1000: four words, and then the event that counts, open. */
static struct pair to_and_fro (void)
{
	struct pair two = { { .id = 5, .trace_word = word_of (5, 10), .wait_kind = kind },
		                { .id = 6, .trace_word = word_of (6, 20), .wait_kind = kind } };

	ready (1000, &two.b);
	wait_for (1000, &two.a, &two.b);
	ready (1000, &two.a);
	wait_for (1000, &two.b, &two.a);
	return two;
}

Test (ring, to_and_fro_is_counted)
{
	struct trace_ring *r = begin ();
	struct pair two = to_and_fro ();

	cr_assert_eq (at (r, 9), RING_SHORT | (uint64_t) EV_go_unblock << 57 | UINT64_C (21) << 33 | 6);
	cr_assert_eq (at (r, 12), RING_SHORT | (uint64_t) EV_go_recv << 57 | UINT64_C (12) << 33 | 5);
	cr_assert_eq (at (r, 13), (uint64_t) EV_again << 56);
	for (int i = 0; i < 3; i++) {
		ready (1000, &two.b);
		wait_for (1000, &two.a, &two.b);
		ready (1000, &two.a);
		wait_for (1000, &two.b, &two.a);
	}
	ready (1000, &two.b);
	cr_assert_eq (r->again, 13);
	cr_assert_eq (atomic_load (&r->head), 14);
	cr_assert_eq (two.a.trace_word, word_of (5, 18));
	cr_assert_eq (two.b.trace_word, word_of (6, 29));
	/* The other leaves to it, but waits for something else: no more. */
	two.a.wait_kind = "sleep";
	wait_for (1000, &two.a, &two.b);
	cr_assert_eq (at (r, 13), (uint64_t) EV_again << 56 | RING_CLOSED | 13);
	cr_assert_eq (at (r, 14), RING_SHORT | (uint64_t) EV_go_recv << 57 | UINT64_C (30) << 33 | 6);
	ready (1000, &two.a);
	cr_assert_eq (r->again, 13);
	cr_assert_eq (atomic_load (&r->head), 16);
	end ();
}

Test (ring, to_and_fro_goes_on_at_another_time)
{
	struct trace_ring *r = begin ();
	struct pair two = to_and_fro ();

	ready (1000, &two.b);
	goad__trace_pause ();
	wait_for (2000, &two.a, &two.b);
	cr_assert_eq (at (r, 13), (uint64_t) EV_again << 56 | RING_CLOSED | 1);
	cr_assert_eq (at (r, 14), (uint64_t) EV_again << 56 | UINT64_C (1000) << 32 | 1);
	cr_assert_eq (r->again, 2);
	goad__trace_pause ();
	ready (3000, &two.a);
	wait_for (3000, &two.b, &two.a);
	cr_assert_eq ((uint32_t) at (r, 14), RING_CLOSED | 1);
	cr_assert_eq ((uint32_t) at (r, 15), 2);
	cr_assert_eq (r->again, 4);
	cr_assert_eq (atomic_load (&r->head), 16);
	/* Too long ago for one word. */
	goad__trace_pause ();
	ready (3000 + RING_SOON, &two.b);
	cr_assert_eq (at (r, 16), (uint64_t) EV_go_unblock << 56 | (3000 + RING_SOON));
	cr_assert_eq (r->again, 4);
	cr_assert_eq (two.a.trace_word, word_of (5, 14));
	cr_assert_eq (two.b.trace_word, word_of (6, 25));
	end ();
}

/* Another thread has had the coroutine meanwhile, or another event came: in full again. */
Test (ring, to_and_fro_is_over_when_another_comes)
{
	struct trace_ring *r = begin ();
	struct pair two = to_and_fro ();
	struct g c = { .id = 7, .trace_word = word_of (7, 0) };

	two.b.trace_word += 3 * TRACE_ONE;
	ready (1000, &two.b);
	cr_assert_eq (r->again, 0);
	cr_assert_eq ((uint32_t) at (r, 13), RING_CLOSED);
	cr_assert_eq (at (r, 14),
	              RING_SHORT | (uint64_t) EV_go_unblock << 57 | UINT64_C (26) << 33 | 6);
	goad__trace_put_go (EV_go_create, 1000, &c);
	wait_for (1000, &two.a, &two.b);
	ready (1000, &two.a);
	wait_for (1000, &two.b, &two.a);
	ready (1000, &two.b);
	cr_assert_eq (r->again, 0);
	cr_assert_eq (atomic_load (&r->head), 20);
	end ();
}

Test (ring, to_and_fro_is_over_when_the_ring_is_full)
{
	struct trace_ring *r = begin ();
	struct pair two = { { .id = 5, .trace_word = word_of (5, 10), .wait_kind = kind },
		                { .id = 6, .trace_word = word_of (6, 20), .wait_kind = kind } };
	uint32_t head;

	while (atomic_load (&r->lost) == 0)
		goad__trace_0 (sysmon_wake, 1000);
	head = atomic_load (&r->head);
	for (int i = 0; i < 500; i++) {
		ready (1000, &two.b);
		wait_for (1000, &two.a, &two.b);
		ready (1000, &two.a);
		wait_for (1000, &two.b, &two.a);
	}
	cr_assert_eq (atomic_load (&r->head), head);
	cr_assert_eq (atomic_load (&r->lost), 2001);
	cr_assert_eq (two.a.trace_word, word_of (5, 10));
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
	cr_assert_eq (goad__ring (), &goad__no_ring);
	end ();
}
