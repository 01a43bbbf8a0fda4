/* SPDX-License-Identifier: MIT */
/* run_figures.c - the figures of a run: fairness, waits, slices, lateness
 *
 * Fairness compares what each hog got with what it should have got while all of
 * them ran.  What it should have got goes by weight, but nobody can use more than
 * one P: what a heavy one cannot use is shared among the others. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"

const struct figure run_figures[FIG_COUNT] = {
	[FIG_JAIN] = { "jain", UNIT_RATIO, "Jain's index over got/fair of the hogs, 1 is fair" },
	[FIG_MIN_SHARE] = { "min_share", UNIT_RATIO, "least got/fair share of a hog" },
	[FIG_MAX_SHARE] = { "max_share", UNIT_RATIO, "largest got/fair share of a hog" },
	[FIG_UTILISATION] = { "utilisation", UNIT_RATIO, "CPU time of all works / (Ps * time)" },
	[FIG_WAIT_MAX] = { "wait_max", UNIT_TIME, "longest wait of a runnable coroutine" },
	[FIG_SLICE_MEAN] = { "slice_mean", UNIT_TIME, "mean slice that preemption ended" },
	[FIG_SLICE_ERROR] = { "slice_error", UNIT_RATIO, "|slice_mean / quantum - 1|" },
	[FIG_OVERSHOOT_P50] = { "overshoot_p50", UNIT_TIME, "time beyond the quantum: median" },
	[FIG_OVERSHOOT_P99] = { "overshoot_p99", UNIT_TIME, "99th percentile" },
	[FIG_OVERSHOOT_MAX] = { "overshoot_max", UNIT_TIME, "largest" },
	[FIG_TICK_P50] = { "tick_p50", UNIT_TIME, "lateness of the ticks: median" },
	[FIG_TICK_P99] = { "tick_p99", UNIT_TIME, "99th percentile" },
	[FIG_TICK_MAX] = { "tick_max", UNIT_TIME, "largest" },
	[FIG_TICKS] = { "ticks", UNIT_NUMBER, "how many ticks" },
	[FIG_ECHO_P50] = { "echo_p50", UNIT_TIME, "an echo's time from due to answered: median" },
	[FIG_ECHO_P99] = { "echo_p99", UNIT_TIME, "99th percentile" },
	[FIG_ECHO_MAX] = { "echo_max", UNIT_TIME, "largest" },
	[FIG_ECHOES] = { "echoes", UNIT_NUMBER, "how many echoes" },
	[FIG_PREEMPTED] = { "preempted", UNIT_NUMBER, "slices ended by preemption" },
	[FIG_YIELDED] = { "yielded", UNIT_NUMBER, "... by a switch in place" },
	[FIG_HANDED_OFF] = { "handed_off", UNIT_NUMBER, "... by handing off the thread" },
	[FIG_DEFERRED] = { "deferred", UNIT_NUMBER, "attempts that were put off" },
	[FIG_EXPIRED] = { "expired", UNIT_NUMBER, "requests that came too late" },
	[FIG_SIGNALS] = { "signals", UNIT_NUMBER, "preemption signals sent" },
	[FIG_THREADS] = { "threads", UNIT_NUMBER, "most kernel threads at a time" },
	[FIG_SYSMON_CPU] = { "sysmon_cpu", UNIT_TIME, "CPU time of the monitor thread" },
	[FIG_SYSMON_SHARE] = { "sysmon_share", UNIT_RATIO, "the same / time" },
	[FIG_FAILED] = { "failed", UNIT_NUMBER, "works that failed or gave differing results" },
	[FIG_ELAPSED] = { "elapsed", UNIT_TIME, "how long the run took" },
};

static void set (struct run *run, enum figure_id f, double value)
{
	run->figures[f] = value;
	run->known[f] = true;
}

static bool is_hog (const struct task *t)
{
	return !(t->spec->work->flags & WORK_ASIDE);
}

/* Fair shares of the CPU time that the hogs can use: by weight, at most one P
 * each.  Those whose part would be more get one P, and the rest is shared anew
 * until nobody is over. */
static void fair_shares (struct run *run)
{
	double left = (double) (run->stats.procs != 0 ? run->stats.procs : 1);
	unsigned hogs = 0;
	double weights = 0, total;
	bool changed;

	for (unsigned i = 0; i < run->tasks_n; i++) {
		run->tasks[i].fair_share = 0;
		if (!is_hog (&run->tasks[i]))
			continue;
		hogs++;
		weights += run->tasks[i].weight;
	}
	total = left < hogs ? left : hogs;
	do {
		changed = false;
		double p = left, w = weights;

		for (unsigned i = 0; i < run->tasks_n; i++) {
			struct task *t = &run->tasks[i];

			if (!is_hog (t) || t->fair_share > 0 || p * t->weight < w * (1 - 1e-9))
				continue;
			t->fair_share = 1;
			left -= 1;
			weights -= t->weight;
			changed = true;
		}
	} while (changed && left > 1e-9 && weights > 0.5);
	for (unsigned i = 0; i < run->tasks_n; i++) {
		struct task *t = &run->tasks[i];

		if (is_hog (t) && t->fair_share == 0 && weights > 0.5)
			t->fair_share = left * t->weight / weights;
		t->fair_share /= total > 0 ? total : 1;
	}
}

static void fairness (struct run *run)
{
	bool window = atomic_load (&run->fair_ns) != 0;
	double all = 0, sum = 0, squares = 0, min = INFINITY, max = 0;
	unsigned hogs = 0;

	fair_shares (run);
	for (unsigned i = 0; i < run->tasks_n; i++) {
		struct task *t = &run->tasks[i];

		if (!window)
			t->fair_cpu_ns = t->last.cpu_ns;
		if (is_hog (t))
			all += (double) t->fair_cpu_ns;
	}
	for (unsigned i = 0; i < run->tasks_n; i++) {
		struct task *t = &run->tasks[i];

		if (!is_hog (t) || t->fair_share <= 0 || all <= 0)
			continue;
		t->got = (double) t->fair_cpu_ns / all / t->fair_share;
		sum += t->got;
		squares += t->got * t->got;
		min = fmin (min, t->got);
		max = fmax (max, t->got);
		hogs++;
	}
	if (hogs == 0 || squares <= 0)
		return;
	set (run, FIG_JAIN, sum * sum / (hogs * squares));
	set (run, FIG_MIN_SHARE, min);
	set (run, FIG_MAX_SHARE, max);
}

/* A wait that the end of the run cut off counts as far as it went: else the
 * coroutine that never ran would look best.  A hog is always running or waiting,
 * so what is not accounted for of its life is its open wait. */
static void waits (struct run *run)
{
	double longest = 0;

	for (unsigned i = 0; i < run->tasks_n; i++) {
		struct task *t = &run->tasks[i];
		uint64_t life = run->end_ns > t->spawned_ns ? run->end_ns - t->spawned_ns : 0;
		uint64_t known = t->last.cpu_ns + t->last.wait_ns;
		bool waits_now = t->last.state == GOAD_STATE_RUNNABLE || t->last.slices == 0;

		t->wait_max_ns = t->last.wait_max_ns;
		if (t->spawned_ns != 0 && !t->ended && waits_now && (is_hog (t) || t->last.slices == 0) &&
		    life > known && life - known > t->wait_max_ns)
			t->wait_max_ns = life - known;
		if ((double) t->wait_max_ns >= longest) {
			longest = (double) t->wait_max_ns;
			run->longest_wait = i;
		}
	}
	set (run, FIG_WAIT_MAX, longest);
}

/* The lateness of all works of a kind, or NULL; p50 is the first of its figures. */
static struct hist *lateness (struct run *run, unsigned flag, enum figure_id p50)
{
	struct hist *all = calloc (1, sizeof *all);
	bool any = false;

	if (all == NULL)
		return NULL;
	for (unsigned i = 0; i < run->tasks_n; i++) {
		struct task *t = &run->tasks[i];

		if (t->late == NULL || !(t->spec->work->flags & flag))
			continue;
		uint64_t due = atomic_load (&t->due_ns);

		any = true;
		util_hist_merge (all, t->late);
		/* One that was due and did not come counts with its lateness so far. */
		if (!t->ended && due != 0 && due < run->end_ns)
			util_hist_add (all, run->end_ns - due);
	}
	if (!any)
		return all;
	set (run, p50 + 3, (double) atomic_load (&all->count));
	if (run->figures[p50 + 3] < 1)
		return all;
	set (run, p50, (double) util_hist_quantile (all, 0.50));
	set (run, p50 + 1, (double) util_hist_quantile (all, 0.99));
	set (run, p50 + 2, (double) util_hist_quantile (all, 1.00));
	return all;
}

static void runtime_figures (struct run *run)
{
	const goad_stats_t *s = &run->stats;
	double quantum = (double) run->cfg.quantum_ns, elapsed = run->figures[FIG_ELAPSED];

	if (s->slices > 0) {
		double mean = (double) s->slice_ns / (double) s->slices;

		set (run, FIG_SLICE_MEAN, mean);
		set (run, FIG_SLICE_ERROR, fabs (mean / quantum - 1));
		set (run, FIG_OVERSHOOT_P50, (double) s->overshoot_p50_ns);
		set (run, FIG_OVERSHOOT_P99, (double) s->overshoot_p99_ns);
		set (run, FIG_OVERSHOOT_MAX, (double) s->quantum_overshoot_max_ns);
	}
	set (run, FIG_PREEMPTED, (double) (s->preempt_yielded + s->preempt_handed_off));
	set (run, FIG_YIELDED, (double) s->preempt_yielded);
	set (run, FIG_HANDED_OFF, (double) s->preempt_handed_off);
	set (run, FIG_DEFERRED, (double) s->preempt_deferred);
	set (run, FIG_EXPIRED, (double) s->preempt_expired);
	set (run, FIG_SIGNALS, (double) s->signals_sent);
	set (run, FIG_THREADS, (double) s->threads_max);
	set (run, FIG_SYSMON_CPU, (double) s->sysmon_cpu_ns);
	if (elapsed > 0)
		set (run, FIG_SYSMON_SHARE, (double) s->sysmon_cpu_ns / elapsed);
}

/* Copies of one WORK do the same, so their results must be the same. */
static bool copies_agree (const struct run *run, const struct task *t)
{
	for (unsigned i = 0; i < t->index; i++) {
		const struct task *o = &run->tasks[i];

		if (o->spec == t->spec && o->rounds > 0)
			return strcmp (o->result, t->result) == 0;
	}
	return true;
}

static void works (struct run *run)
{
	double cpu = 0, failed = 0;

	for (unsigned i = 0; i < run->tasks_n; i++) {
		struct task *t = &run->tasks[i];
		bool ended = t->ended;

		cpu += (double) t->last.cpu_ns;
		if (t->rounds > 0 && !copies_agree (run, t))
			atomic_fetch_add (&t->differs, 1);
		failed += (ended && t->status != 0) || atomic_load (&t->differs) != 0;
	}
	set (run, FIG_FAILED, failed);
	if (run->stats.procs > 0 && run->figures[FIG_ELAPSED] > 0)
		set (run, FIG_UTILISATION, cpu / ((double) run->stats.procs * run->figures[FIG_ELAPSED]));
}

void run_figures_compute (struct run *run)
{
	uint64_t start = atomic_load (&run->start_ns);

	set (run, FIG_ELAPSED, run->end_ns > start ? (double) (run->end_ns - start) : 0);
	fairness (run);
	waits (run);
	run->late = lateness (run, WORK_TICKS, FIG_TICK_P50);
	run->echo = lateness (run, WORK_ECHO, FIG_ECHO_P50);
	runtime_figures (run);
	works (run);
}
