/* SPDX-License-Identifier: MIT */
/* tests/preempt/chain.c - a spawn chain, a pair that readies each other, fork and join, and a
 * pair that yields to each other, on one P: who is runnable waits five quanta at most */
#include "tests/harness.h"
#include "tests/support.h"

#define QUANTUM (10 * GOAD_MS)
#define BOUND (5 * QUANTUM)

static _Atomic int stop;
static _Atomic uint64_t links;

/* What keeps the P busy by cooperative switches alone. */

static void chain_link (void *arg)
{
	(void) arg;
	atomic_fetch_add (&links, 1);
	if (!atomic_load (&stop))
		claim_eq (goad_go (chain_link, NULL), 0);
}

static void end_at_once (void *arg)
{
	(void) arg;
	atomic_fetch_add (&links, 1);
}

/* A spawns B and waits for it; B's end readies A: for ever. */
static void ready_pair (void *arg)
{
	goad_task_t *task;

	(void) arg;
	while (!atomic_load (&stop)) {
		claim_eq (goad_spawn (&task, NULL, end_at_once, NULL), 0);
		claim_eq (goad_join (task), 0);
	}
}

static void yield_half (void *arg)
{
	(void) arg;
	while (!atomic_load (&stop)) {
		atomic_fetch_add (&links, 1);
		goad_yield ();
	}
}

static void yield_pair (void *arg)
{
	claim_eq (goad_go (yield_half, NULL), 0);
	yield_half (arg);
}

/* The same with a chain of children between, each run by who joins it. */
static void fork_and_join (void *arg)
{
	uintptr_t depth = (uintptr_t) arg;
	goad_task_t *task;

	atomic_fetch_add (&links, 1);
	if (depth == 0)
		return;
	claim_eq (goad_spawn (&task, NULL, fork_and_join, (void *) (depth - 1)), 0);
	fork_and_join ((void *) (depth - 1));
	claim_eq (goad_join (task), 0);
}

static void fork_join (void *arg)
{
	(void) arg;
	while (!atomic_load (&stop))
		fork_and_join ((void *) 8);
}

/* The victims: one yields whenever it runs, one never does. */

struct victim {
	goad_task_t *task;
	uint64_t turns, gap_max;
};

static void yielding_victim (void *arg)
{
	struct victim *v = arg;
	uint64_t last = goad_now (), now;

	while (!atomic_load (&stop)) {
		goad_yield ();
		now = goad_now ();
		v->gap_max = now - last > v->gap_max ? now - last : v->gap_max;
		v->turns++;
		last = now;
	}
}

static void call_free_victim (void *arg)
{
	struct victim *v = arg;

	while (!atomic_load_explicit (&stop, memory_order_relaxed)) {
		v->turns++;
		loop_apart ();
	}
}

struct trial {
	goad_fn storm;
	uint64_t worst, gap, host, turns[2], links;
};

static void endure (void *arg)
{
	static struct victim victims[2];
	struct trial *t = arg;
	uint64_t host = host_delay_ns (), limit = goad_after (10 * GOAD_S);

	atomic_store (&links, 0);
	claim_eq (goad_go (t->storm, NULL), 0);
	for (int i = 0; i < 2; i++) {
		victims[i] = (struct victim){ 0 };
		claim_eq (goad_spawn (&victims[i].task, NULL, i ? call_free_victim : yielding_victim,
		                      &victims[i]),
		          0);
	}
	goad_sleep (GOAD_S);
	while (atomic_load (&links) <= 1000 && goad_now () < limit)
		goad_sleep (GOAD_S / 10);
	for (int i = 0; i < 2; i++) {
		goad_task_stats_t ts = { .wait_max_ns = 0 };

		claim_eq (goad_task_stats (victims[i].task, &ts), 0);
		t->worst = ts.wait_max_ns > t->worst ? ts.wait_max_ns : t->worst;
	}
	atomic_store (&stop, 1);
	for (int i = 0; i < 2; i++) {
		claim_eq (goad_join (victims[i].task), 0);
		t->turns[i] = victims[i].turns;
	}
	t->host = host_delay_ns () - host;
	t->gap = victims[0].gap_max;
	t->links = atomic_load (&links);
}

static void expect_endured (goad_fn storm)
{
	struct trial t = { .storm = storm };
	uint64_t worst;
	goad_stats_t s;

	program_scanned ();
	atomic_store (&stop, 0);
	cr_assert_eq (run_main (endure, &t, 1, QUANTUM, 0), 0);
	claims_assert ();
	s = stats_now ();
	worst = t.worst > s.runnable_wait_max_ns ? t.worst : s.runnable_wait_max_ns;
	worst = t.gap > worst + QUANTUM ? t.gap - QUANTUM : worst;
	excuse (worst > BOUND ? worst - BOUND : 0, t.host);
	cr_expect_gt (t.turns[0], 10, "the yielding victim had %llu turns",
	              (unsigned long long) t.turns[0]);
	cr_expect_gt (t.turns[1], 1000, "the other victim hardly ran");
	cr_expect_gt (t.links, 1000, "the storm had %llu turns", (unsigned long long) t.links);
	cr_expect_leq (t.worst, BOUND, "a victim waited %.2f ms", (double) t.worst / 1e6);
	cr_expect_leq (t.gap, BOUND + QUANTUM, "a victim was away for %.2f ms", (double) t.gap / 1e6);
	cr_expect_leq (s.runnable_wait_max_ns, BOUND, "some coroutine waited %.2f ms",
	               (double) s.runnable_wait_max_ns / 1e6);
}

Test (chain, spawn_chain, .timeout = 30)
{
	expect_endured (chain_link);
}

Test (chain, ready_pair, .timeout = 30)
{
	expect_endured (ready_pair);
}

Test (chain, fork_join, .timeout = 30)
{
	expect_endured (fork_join);
}

Test (chain, yield_pair, .timeout = 30)
{
	expect_endured (yield_pair);
}

/* All at once: more waiting than five quanta could serve one by one, were they hogs. */
static void all_storms (void *arg)
{
	claim_eq (goad_go (chain_link, NULL), 0);
	claim_eq (goad_go (ready_pair, NULL), 0);
	yield_pair (arg);
}

Test (chain, all_together, .timeout = 30)
{
	expect_endured (all_storms);
}
