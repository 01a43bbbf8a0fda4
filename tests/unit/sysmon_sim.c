/* SPDX-License-Identifier: MIT */
/* sysmon_sim.c - thousands of random slices: nobody waits longer than promised
 *
 * A small machine in numbers under sysmon_run: coroutines run for random times,
 * park, come back through the global queue or a P's own, are stolen, asked to
 * go, go late or not at all; threads sleep in the kernel or lose their CPU; and
 * sysmon itself wakes late.  After every event each P is held to the promise:
 * no slice that computes runs on, due and with somebody waiting, for longer
 * than sysmon's lateness, the signal's, and the pauses that slice.c tells of.
 */
#include "tests/harness.h"
#include "tests/unit/sysmon_fake.h"

#include <string.h>

#define PS 8

/* What kind of world it is. */
struct world {
	int ps;
	uint64_t quantum;
	uint64_t length;   /* simulated                                  */
	uint64_t mean_gap; /* between arrivals; 0: none                  */
	int hogs;          /* coroutines that never park                 */
	int ignored;       /* in 100 requests, each up to thrice         */
	int blocks;        /* in 100 slices: asleep in the kernel, part of the time */
	int stolen_cpu;    /* in 100 slices: no CPU, part of the time    */
	uint64_t late;     /* sysmon's, at most                          */
	uint64_t signal;   /* from request to its end, at most           */
};

/* What happens next on a P. */
struct sim_p {
	uint64_t parks;   /* the coroutine goes by itself               */
	uint64_t honours; /* the request takes effect                   */
	uint64_t mode_from, mode_until;
	enum sysmon_thread mode;
	uint64_t takes; /* idle, and looks at the queues              */
	int ignore;
	bool hog;
	bool guilty;    /* somebody waits for what it computes on, ... */
	uint64_t since; /* ... since then                             */
};

struct sim {
	struct world w;
	struct sim_p p[PS];
	int global_hogs, hogs[PS]; /* how many of the queued ones are hogs */
	uint64_t arrives, end;
	uint64_t worst, slices, preempted, run_ns, worst_early;
};

static struct sim sim;
static uint64_t rng;

static uint64_t draw (uint64_t n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return n ? rng % n : 0;
}

static bool percent (int n)
{
	return (int) draw (100) < n;
}

/* A coroutine begins on p. */
static void begin (int p, bool hog)
{
	struct sim_p *sp = &sim.p[p];

	fake_begin (p);
	sim.slices++;
	memset (sp, 0, sizeof *sp);
	sp->hog = hog;
	sp->honours = sp->takes = SYSMON_NEVER;
	sp->parks = hog ? SYSMON_NEVER : fake.now + draw (sim.w.quantum * 2);
	if (percent (30) && !hog)
		sp->parks = fake.now + draw (20 * US);
	sp->mode_from = sp->mode_until = SYSMON_NEVER;
	sp->ignore = percent (sim.w.ignored) ? 1 + (int) draw (3) : 0;
	if (percent (sim.w.blocks + sim.w.stolen_cpu)) {
		sp->mode = (int) draw ((unsigned) (sim.w.blocks + sim.w.stolen_cpu)) < sim.w.blocks
		               ? SYSMON_IN_KERNEL
		               : SYSMON_NO_CPU;
		sp->mode_from = fake.now + draw (2 * sim.w.quantum);
		sp->mode_until = sp->mode_from + draw (4 * sim.w.quantum);
	}
}

/* p takes the next coroutine: its own, the global, or a stolen one. */
static void take (int p)
{
	int *queued = &fake.p[p].queued, *hogs = &sim.hogs[p];
	bool hog;

	if (*queued == 0 || percent (2))
		if (fake.global > 0)
			queued = &fake.global, hogs = &sim.global_hogs;
	for (int i = 1; *queued == 0 && i < sim.w.ps; i++)
		queued = &fake.p[(p + i) % sim.w.ps].queued, hogs = &sim.hogs[(p + i) % sim.w.ps];
	if (*queued == 0) {
		fake_idle (p);
		sim.p[p].parks = sim.p[p].honours = sim.p[p].takes = SYSMON_NEVER;
		sim.p[p].mode_from = sim.p[p].mode_until = SYSMON_NEVER;
		return;
	}
	hog = (int) draw ((unsigned) *queued) < *hogs;
	*queued -= 1;
	*hogs -= hog;
	begin (p, hog);
}

static void wake_idle (void)
{
	for (int p = 0; p < sim.w.ps; p++)
		if (!fake.p[p].v.running && sim.p[p].takes == SYSMON_NEVER) {
			sim.p[p].takes = fake.now + draw (30 * US);
			return;
		}
}

static void queue_global (bool hog)
{
	sim.global_hogs += hog;
	fake_queue_global ();
	wake_idle ();
}

static void arrive (void)
{
	int p = (int) draw ((unsigned) sim.w.ps);

	if (fake.p[p].v.running && percent (50)) {
		fake_queue (p);
		wake_idle ();
	} else {
		queue_global (false);
	}
	sim.arrives = fake.now + draw (2 * sim.w.mean_gap);
}

static void go_by_request (int p)
{
	uint64_t ran = fake.now - fake.p[p].v.start;

	sim.preempted++;
	sim.run_ns += ran;
	if (fake.p[p].v.quantum > ran && fake.p[p].v.quantum - ran > sim.worst_early)
		sim.worst_early = fake.p[p].v.quantum - ran;
	queue_global (sim.p[p].hog);
	take (p);
}

/* Called by the fake before it takes note of the request. */
static void asked (struct fake *f, int p)
{
	struct sim_p *sp = &sim.p[p];

	if (sp->ignore > 0)
		sp->ignore--;
	else if (sp->honours == SYSMON_NEVER)
		sp->honours = f->now + draw (sim.w.signal);
}

static bool due_now (uint64_t t)
{
	return t <= fake.now;
}

static void happen (int p)
{
	struct sim_p *sp = &sim.p[p];

	if (due_now (sp->takes)) {
		sp->takes = SYSMON_NEVER;
		take (p);
	} else if (due_now (sp->parks)) {
		take (p);
	} else if (due_now (sp->honours)) {
		go_by_request (p);
	}
	fake.p[p].thread = due_now (sp->mode_from) && !due_now (sp->mode_until) ? sp->mode
	                                                                        : SYSMON_COMPUTES;
}

/* The promise, for one P. */
static void hold_to_it (int p)
{
	struct sim_p *sp = &sim.p[p];
	struct sysmon_view *v = &fake.p[p].v;
	bool guilty = v->running && fake.p[p].thread == SYSMON_COMPUTES &&
	              (fake.global > 0 || fake.p[p].queued > 0);
	uint64_t due = v->start + v->quantum, from;

	if (!guilty) {
		sp->guilty = false;
		return;
	}
	if (!sp->guilty)
		sp->since = fake.now;
	sp->guilty = true;
	from = due > sp->since ? due : sp->since;
	if (fake.now > from && fake.now - from > sim.worst)
		sim.worst = fake.now - from;
}

static uint64_t next_event (uint64_t wake)
{
	uint64_t t = wake < sim.arrives ? wake : sim.arrives;

	for (int p = 0; p < sim.w.ps; p++) {
		struct sim_p *sp = &sim.p[p];
		uint64_t times[] = { sp->parks, sp->honours, sp->takes, sp->mode_from, sp->mode_until };

		for (size_t i = 0; i < sizeof times / sizeof *times; i++)
			if (times[i] > fake.now && times[i] < t)
				t = times[i];
	}
	return t;
}

/* Instead of sleeping: the world goes on until sysmon wakes, late. */
static void world_goes_on (struct fake *f, uint64_t deadline)
{
	uint64_t wake = deadline;

	if (deadline != SYSMON_NEVER)
		wake = (deadline > f->now ? deadline : f->now) + draw (sim.w.late);
	for (;;) {
		uint64_t t = next_event (wake);

		if (t >= sim.end) {
			f->stop = true;
			return;
		}
		f->now = t;
		if (due_now (sim.arrives))
			arrive ();
		for (int p = 0; p < sim.w.ps; p++)
			happen (p);
		for (int p = 0; p < sim.w.ps; p++)
			hold_to_it (p);
		if (f->woken && wake > f->now + sim.w.late) {
			f->woken = false;
			wake = f->now + 1 + draw (sim.w.late);
		}
		if (f->now >= wake)
			return;
	}
}

static void simulate (const struct world *w, uint64_t seed)
{
	fake_reset (w->ps, w->quantum);
	memset (&sim, 0, sizeof sim);
	rng = seed * UINT64_C (0x9e3779b97f4a7c15) + 1;
	sim.w = *w;
	sim.end = fake.now + w->length;
	sim.arrives = w->mean_gap ? fake.now + 1 : SYSMON_NEVER;
	fake.at_preempt = asked;
	fake.asleep = world_goes_on;
	for (int p = 0; p < PS; p++) {
		struct sim_p none = { .parks = SYSMON_NEVER,
			                  .honours = SYSMON_NEVER,
			                  .takes = SYSMON_NEVER,
			                  .mode_from = SYSMON_NEVER,
			                  .mode_until = SYSMON_NEVER };

		sim.p[p] = none;
	}
	for (int i = 0; i < w->hogs; i++)
		queue_global (true);
	sysmon_run (&fake.mon);
}

static uint64_t pause_after_false_alarm (uint64_t quantum)
{
	return quantum / 16 > 50 * US ? quantum / 16 : 50 * US;
}

/* Who computes and always goes when asked. */
static uint64_t plain_bound (const struct world *w)
{
	return 2 * w->late + w->signal + pause_after_false_alarm (w->quantum);
}

static void run_seeds (struct world w, int seeds, uint64_t bound)
{
	for (int i = 1; i <= seeds; i++) {
		simulate (&w, (uint64_t) i);
		cr_assert_gt (sim.slices, 10u);
		cr_assert_leq (sim.worst, bound, "seed %d: %llu us late, %llu allowed", i,
		               (unsigned long long) (sim.worst / US), (unsigned long long) (bound / US));
		cr_assert_leq (sim.worst_early, w.quantum / 15, "seed %d", i);
	}
}

Test (sysmon_sim, nobody_waits_behind_a_slice_that_is_due, .timeout = 60)
{
	static const uint64_t quanta[] = { 50 * US, 300 * US, MS, 10 * MS, SEC };

	for (int i = 0; i < 5; i++)
		for (int ps = 1; ps <= PS; ps *= 2) {
			struct world w = { .ps = ps,
				               .quantum = quanta[i],
				               .length = 300 * quanta[i],
				               .mean_gap = quanta[i] / 2,
				               .hogs = ps / 2,
				               .late = 60 * US,
				               .signal = 30 * US };

			run_seeds (w, 6, plain_bound (&w));
		}
}

Test (sysmon_sim, nobody_waits_in_a_world_that_is_mostly_idle, .timeout = 60)
{
	for (int ps = 1; ps <= PS; ps *= 2) {
		struct world w = { .ps = ps,
			               .quantum = MS,
			               .length = 3 * SEC,
			               .mean_gap = 10 * MS,
			               .hogs = ps > 2 ? 1 : 0,
			               .late = 60 * US,
			               .signal = 30 * US };

		run_seeds (w, 10, plain_bound (&w));
	}
}

Test (sysmon_sim, requests_that_are_not_honoured_are_made_again, .timeout = 60)
{
	struct world w = { .ps = 4,
		               .quantum = 10 * MS,
		               .length = 5 * SEC,
		               .mean_gap = 3 * MS,
		               .hogs = 3,
		               .ignored = 40,
		               .late = 60 * US,
		               .signal = 30 * US };

	/* Ignored thrice: 1 + 2 + 4 ms later; the pause can be under way when somebody comes. */
	run_seeds (w, 10, plain_bound (&w) + 7 * MS + 3 * w.late + 8 * MS);
}

Test (sysmon_sim, threads_in_the_kernel_or_without_a_cpu, .timeout = 60)
{
	struct world w = { .ps = 4,
		               .quantum = 10 * MS,
		               .length = 5 * SEC,
		               .mean_gap = 3 * MS,
		               .hogs = 3,
		               .blocks = 30,
		               .stolen_cpu = 20,
		               .late = 60 * US,
		               .signal = 30 * US };

	/* Seen at the latest after the longest pause. */
	run_seeds (w, 10, plain_bound (&w) + 10 * MS);
}

Test (sysmon_sim, all_of_it_at_once, .timeout = 60)
{
	struct world w = { .ps = 8,
		               .quantum = MS,
		               .length = SEC,
		               .mean_gap = 300 * US,
		               .hogs = 6,
		               .ignored = 20,
		               .blocks = 20,
		               .stolen_cpu = 20,
		               .late = 200 * US,
		               .signal = 100 * US };

	run_seeds (w, 20, plain_bound (&w) + 10 * MS + 3 * MS + 3 * w.late);
}

Test (sysmon_sim, the_mean_slice_is_the_quantum, .timeout = 60)
{
	static const uint64_t quanta[] = { MS, 2 * MS, 10 * MS };

	for (int i = 0; i < 3; i++)
		for (int ps = 1; ps <= PS; ps *= 2) {
			struct world w = { .ps = ps,
				               .quantum = quanta[i],
				               .length = 500 * quanta[i],
				               .hogs = 4 * ps,
				               .late = 60 * US,
				               .signal = 30 * US };
			double mean;

			simulate (&w, 7);
			mean = (double) sim.run_ns / (double) sim.preempted / (double) w.quantum;
			cr_assert_geq (sim.preempted, (unsigned) (ps * 480));
			cr_assert_float_eq (mean, 1.0, 0.05, "%d Ps, %d us: %.3f", ps, (int) (quanta[i] / US),
			                    mean);
			/* The Ps fall into step: two looks a quantum, with some to spare. */
			cr_assert_leq (fake.mon.count.looks, 500u * (2 + (unsigned) ps / 2),
			               "%d Ps, %d us: %d looks", ps, (int) (quanta[i] / US),
			               (int) fake.mon.count.looks);
		}
}

Test (sysmon_sim, hogs_with_a_p_each_are_left_alone)
{
	struct world w = { .ps = 4, .quantum = MS, .length = 100 * SEC, .hogs = 4, .late = 60 * US };

	simulate (&w, 3);
	cr_assert_eq (sim.preempted, 0);
	cr_assert_leq (fake.mon.count.looks, 20, "%d looks", (int) fake.mon.count.looks);
}
