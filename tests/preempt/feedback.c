/* SPDX-License-Identifier: MIT */
/* tests/preempt/feedback.c - who is new or was woken goes before hogs, and hogs keep their share */
#include "tests/harness.h"
#include "tests/support.h"

#include <stdlib.h>
#include <unistd.h>

#define Q (10 * GOAD_MS)

enum { ON, OFF };

struct setting {
	int procs, mode, feedback;
	uint64_t granularity;
};

static goad_stats_t run_with (goad_fn fn, void *arg, struct setting with)
{
	goad_config_t cfg = config_of (with.procs, Q, with.mode);

	cfg.flags |= with.feedback == OFF ? GOAD_F_NO_FEEDBACK : 0;
	cfg.min_granularity_ns = with.granularity;
	program_scanned ();
	cr_assert_eq (goad_main (fn, arg, &cfg), 0);
	claims_assert ();
	return stats_now ();
}

/* Times of one thing, often; the median of them says little of the host. */

enum { TIMES = 61 };

struct delays {
	int hogs;
	uint64_t ns[TIMES];
};

static int by_size (const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *) a, y = *(const uint64_t *) b;
	return (x > y) - (x < y);
}

static uint64_t median (struct delays *d)
{
	qsort (d->ns, TIMES, sizeof *d->ns, by_size);
	return d->ns[TIMES / 2];
}

enum { MOST = 8 };

static struct hog hogs[MOST];
static _Atomic int stop;

static uint64_t hogs_cpu (int n)
{
	uint64_t sum = 0;

	for (int i = 0; i < n; i++) {
		goad_task_stats_t ts = { .cpu_ns = 0 };
		claim_eq (goad_task_stats (hogs[i].task, &ts), 0);
		sum += ts.cpu_ns;
	}
	return sum;
}

static void sleep_beside_hogs (void *arg)
{
	struct delays *d = arg;

	hogs_begin (hogs, d->hogs, &stop);
	goad_sleep (20 * GOAD_MS);
	for (int i = 0; i < TIMES; i++) {
		uint64_t due = goad_after (GOAD_MS);

		goad_sleep_until (due);
		d->ns[i] = goad_now () - due;
	}
	hogs_end (hogs, d->hogs, &stop);
}

static void expect_prompt_sleeper (int procs, int mode)
{
	static struct delays on, off;
	goad_stats_t s;
	double ratio;

	on.hogs = off.hogs = 4 * procs;
	s = run_with (sleep_beside_hogs, &on, (struct setting){ procs, mode, ON, 0 });
	cr_expect_gt (s.preempt_fresh, TIMES / 2, "%llu", (unsigned long long) s.preempt_fresh);
	s = run_with (sleep_beside_hogs, &off, (struct setting){ procs, mode, OFF, 0 });
	cr_expect_eq (s.preempt_fresh, 0);
	ratio = (double) median (&off) / (double) median (&on);
	cr_expect_gt (ratio, 4, "late %.3f ms, and %.3f without feedback", (double) median (&on) / 1e6,
	              (double) median (&off) / 1e6);
}

Test (feedback, a_sleeper_beside_hogs_on_one_processor, .timeout = 60)
{
	expect_prompt_sleeper (1, 0);
}

Test (feedback, a_sleeper_beside_hogs_on_two_processors, .timeout = 60)
{
	expect_prompt_sleeper (2, 0);
}

Test (feedback, a_sleeper_beside_hogs_that_are_handed_off, .timeout = 60)
{
	expect_prompt_sleeper (1, GOAD_PREEMPT_HANDOFF);
}

/* A loop that has just begun makes another, and goes on. */

static _Atomic uint64_t ran_at;

static void note_time (void *arg)
{
	(void) arg;
	atomic_store (&ran_at, goad_now ());
}

static void make_newcomer (void *arg)
{
	uint64_t start = goad_now (), at;

	atomic_store (&ran_at, 0);
	claim_eq (goad_go (note_time, NULL), 0);
	while ((at = atomic_load_explicit (&ran_at, memory_order_relaxed)) == 0)
		;
	*(uint64_t *) arg = at - start;
}

static void newcomers (void *arg)
{
	struct delays *d = arg;
	goad_task_t *task;

	for (int i = 0; i < TIMES; i++) {
		claim_eq (goad_spawn (&task, NULL, make_newcomer, &d->ns[i]), 0);
		claim_eq (goad_join (task), 0);
	}
}

Test (feedback, a_newcomer_beside_an_endless_loop, .timeout = 60)
{
	static struct delays on, off;
	double ratio;

	run_with (newcomers, &on, (struct setting){ 1, 0, ON, 0 });
	run_with (newcomers, &off, (struct setting){ 1, 0, OFF, 0 });
	cr_expect_geq (median (&off), Q - Q / 16, "%.3f ms", (double) median (&off) / 1e6);
	ratio = (double) median (&off) / (double) median (&on);
	cr_expect_gt (ratio, 4, "after %.3f ms, and %.3f without feedback", (double) median (&on) / 1e6,
	              (double) median (&off) / 1e6);
}

/* What the loop has run before the newcomer came counts, so only where it comes at once is
 * the granularity what it waits for at least. */
Test (feedback, no_run_is_broken_off_before_the_granularity, .timeout = 60)
{
	static struct delays d;

	run_with (newcomers, &d, (struct setting){ 1, 0, ON, 4 * GOAD_MS });
	median (&d);
	cr_expect_geq (d.ns[0], 4 * GOAD_MS - 200 * GOAD_US, "%.3f ms", (double) d.ns[0] / 1e6);
}

/* Hogs and a flood of fresh work want the same P. */

enum { FLOODS = 8 };

struct contest {
	uint64_t child_ns;
	int floods;
	uint64_t elapsed, hogs, host;
	_Atomic uint64_t children;
};

static void child (void *arg)
{
	struct contest *c = arg;

	spin_for (c->child_ns);
	atomic_fetch_add (&c->children, 1);
}

/* Each child is new, and each end wakes who has made it. */
static void flood (void *arg)
{
	goad_task_t *task;

	while (!atomic_load (&stop)) {
		claim_eq (goad_spawn (&task, NULL, child, arg), 0);
		claim_eq (goad_join (task), 0);
	}
}

static void contend (void *arg)
{
	struct contest *c = arg;
	goad_task_t *task[FLOODS];
	uint64_t start, cpu, host;

	hogs_begin (hogs, 2, &stop);
	for (int i = 0; i < c->floods; i++)
		claim_eq (goad_spawn (&task[i], NULL, flood, c), 0);
	goad_sleep (100 * GOAD_MS);
	start = goad_now ();
	cpu = hogs_cpu (2);
	host = host_delay_ns ();
	goad_sleep (GOAD_S);
	c->hogs = hogs_cpu (2) - cpu;
	c->elapsed = goad_now () - start;
	c->host = host_delay_ns () - host;
	hogs_end (hogs, 2, &stop);
	for (int i = 0; i < c->floods; i++)
		claim_eq (goad_join (task[i]), 0);
}

static void expect_shared (int floods, uint64_t child_ns, double least)
{
	struct contest c = { .child_ns = child_ns, .floods = floods };
	goad_stats_t s = run_with (contend, &c, (struct setting){ 1, 0, ON, 0 });
	double share = (double) c.hogs / (double) c.elapsed;
	double host = (double) c.host / (double) c.elapsed;

	if ((share < least || share > 0.85) && share > least / 2 && host > 0.3)
		cr_skip ("inconclusive: the host took %.0f%%", 100 * host);
	cr_expect_geq (share, least, "the hogs had %.3f, host %.3f", share, host);
	cr_expect_leq (share, 0.85, "the hogs had %.3f, host %.3f", share, host);
	/* one wake-up preemption in 200 us, and each slice's end */
	cr_expect_leq (s.preempt_fresh, s.slices + c.elapsed / (200 * GOAD_US) * 12 / 10, "%llu",
	               (unsigned long long) s.preempt_fresh);
}

Test (feedback, a_flood_of_short_ones_leaves_hogs_their_share, .timeout = 30)
{
	expect_shared (FLOODS, 20 * GOAD_US, 0.45);
}

Test (feedback, so_does_one_of_longer_ones, .timeout = 30)
{
	expect_shared (2, GOAD_MS, 0.45);
}

/* It blocks just before the quantum ends, to be fresh again; when it is the hogs' turn it
 * becomes one of four: the hogs have half of the hogs' three fifths, and somewhat less,
 * as each newcomer begins with no debts.  Were it let run, they would have a tenth. */
Test (feedback, who_pretends_to_be_fresh_gets_no_more, .timeout = 30)
{
	expect_shared (2, 9 * GOAD_MS, 0.25);
}

/* Hogs that fresh work breaks off have their turns, whole and one after the other. */

static _Atomic int last_turn;
static _Atomic uint64_t turns;

static void hog_with_turns (void *arg)
{
	int me = (int) (intptr_t) arg;

	while (!atomic_load_explicit (&stop, memory_order_relaxed))
		if (atomic_load_explicit (&last_turn, memory_order_relaxed) != me) {
			atomic_store (&last_turn, me);
			atomic_fetch_add (&turns, 1);
		}
}

struct turns {
	double cpu[4];
	uint64_t elapsed, turns;
};

static void take_turns (void *arg)
{
	struct turns *t = arg;
	goad_task_t *task[4];
	uint64_t start;

	atomic_store (&stop, 0);
	for (int i = 0; i < 4; i++)
		claim_eq (goad_spawn (&task[i], NULL, hog_with_turns, (void *) (intptr_t) (i + 1)), 0);
	goad_sleep (50 * GOAD_MS);
	atomic_store (&turns, 0);
	start = goad_now ();
	while (goad_now () - start < 2 * GOAD_S)
		goad_sleep (GOAD_MS);
	t->elapsed = goad_now () - start;
	t->turns = atomic_load (&turns);
	for (int i = 0; i < 4; i++) {
		goad_task_stats_t ts = { .cpu_ns = 0 };
		claim_eq (goad_task_stats (task[i], &ts), 0);
		t->cpu[i] = (double) ts.cpu_ns;
	}
	atomic_store (&stop, 1);
	for (int i = 0; i < 4; i++)
		claim_eq (goad_join (task[i]), 0);
}

Test (feedback, hogs_keep_whole_quanta_among_themselves, .timeout = 30)
{
	struct turns t = { .turns = 0 };

	run_with (take_turns, &t, (struct setting){ 1, 0, ON, 0 });
	cr_expect_geq (jain (t.cpu, 4), 0.99, "Jain's index %.4f", jain (t.cpu, 4));
	cr_expect_leq (t.turns, t.elapsed / Q * 3 / 2, "%llu turns in %.2f s",
	               (unsigned long long) t.turns, (double) t.elapsed / 1e9);
}

/* A loop of yields beside hogs: it gets the P again and again, and they have most of it. */
static void yield_beside_hogs (void *arg)
{
	uint64_t *most = arg;
	uint64_t before, cpu;

	hogs_begin (hogs, 2, &stop);
	goad_sleep (50 * GOAD_MS);
	before = goad_now ();
	cpu = hogs_cpu (2);
	for (int i = 0; i < 20; i++)
		goad_yield ();
	most[0] = hogs_cpu (2) - cpu;
	most[1] = goad_now () - before;
	hogs_end (hogs, 2, &stop);
}

Test (feedback, who_yields_lets_hogs_run, .timeout = 30)
{
	uint64_t had[2];

	run_with (yield_beside_hogs, had, (struct setting){ 1, 0, ON, 0 });
	cr_expect_geq (had[0], 10 * Q, "the hogs had %.2f ms", (double) had[0] / 1e6);
	cr_expect_leq (had[1], GOAD_S, "twenty yields took %.2f ms", (double) had[1] / 1e6);
}

/* As many as Ps sleep in the kernel: who is woken has the P of one of them at once, and does
 * not wait until slices are over. */

enum { SLEEPERS = 2 };

static int fds[SLEEPERS][2];
static _Atomic int inside;

static void read_one (void *arg)
{
	char c;

	atomic_fetch_add (&inside, 1);
	claim_eq (read (fds[(intptr_t) arg][0], &c, 1), 1);
}

/* False: they were not asleep by then. */
static bool wake_beside_sleepers (uint64_t *late)
{
	goad_task_t *t[SLEEPERS];
	uint64_t due;
	bool good;

	atomic_store (&inside, 0);
	for (int i = 0; i < SLEEPERS; i++)
		claim_eq (goad_spawn (&t[i], NULL, read_one, (void *) (intptr_t) i), 0);
	due = goad_after (2 * GOAD_MS);
	goad_sleep_until (due);
	*late = goad_now () - due;
	good = atomic_load (&inside) == SLEEPERS;
	for (int i = 0; i < SLEEPERS; i++)
		claim_eq (write (fds[i][1], "x", 1), 1);
	for (int i = 0; i < SLEEPERS; i++)
		claim_eq (goad_join (t[i]), 0);
	return good;
}

static void wakes_beside_sleepers (void *arg)
{
	struct delays *d = arg;
	uint64_t limit = goad_after (15 * GOAD_S);
	int n = 0;

	for (int i = 0; i < SLEEPERS; i++)
		claim_eq (pipe (fds[i]), 0);
	while (n < TIMES && goad_now () < limit)
		n += wake_beside_sleepers (&d->ns[n]);
	claim_eq (n, TIMES);
	for (int i = 0; i < SLEEPERS; i++) {
		close (fds[i][0]);
		close (fds[i][1]);
	}
}

Test (feedback, who_is_woken_has_the_p_of_one_that_sleeps, .timeout = 60)
{
	for (int mode = GOAD_PREEMPT_AUTO; mode <= GOAD_PREEMPT_COOP; mode++) {
		static struct delays d;

		run_with (wakes_beside_sleepers, &d, (struct setting){ SLEEPERS, mode, ON, 0 });
		cr_expect_lt (median (&d), Q / 3, "%.3f ms late in mode %d", (double) median (&d) / 1e6,
		              mode);
	}
}

/* Two that do nothing but yield, and one was kept from it once, so that it was preempted: by
 * the host, or here by itself.  They are no hogs for that, and soon it costs no more. */

enum { WINDOWS = 200, YIELDS = 500 };

static void yield_on (void *arg)
{
	(void) arg;
	while (!atomic_load_explicit (&stop, memory_order_relaxed))
		goad_yield ();
}

static bool was_preempted (void)
{
	goad_stats_t s = stats_now ();
	return s.preempt_yielded + s.preempt_handed_off > 0;
}

static void yield_after_a_stall (void *arg)
{
	uint64_t limit = goad_after (10 * GOAD_S);
	uint64_t *least = arg;
	goad_task_t *other;

	atomic_store (&stop, 0);
	claim_eq (goad_spawn (&other, NULL, yield_on, NULL), 0);
	goad_yield ();
	while (!was_preempted () && goad_now () < limit)
		spin_for (GOAD_MS);
	claim (was_preempted ());
	*least = UINT64_MAX;
	for (int i = 0; i < WINDOWS; i++) {
		uint64_t start = goad_now (), took;

		for (int k = 0; k < YIELDS; k++)
			goad_yield ();
		took = goad_now () - start;
		*least = took < *least ? took : *least;
	}
	atomic_store (&stop, 1);
	claim_eq (goad_join (other), 0);
}

Test (feedback, who_yields_after_a_stall_is_no_hog_for_long, .timeout = 60)
{
	uint64_t on, off;

	run_with (yield_after_a_stall, &on, (struct setting){ 1, 0, ON, 0 });
	run_with (yield_after_a_stall, &off, (struct setting){ 1, 0, OFF, 0 });
	cr_expect_lt (on, 3 * off, "%d yields took %d ns, and %d without feedback", YIELDS, (int) on,
	              (int) off);
}
