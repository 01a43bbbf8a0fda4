/* SPDX-License-Identifier: MIT */
/* report_text.c - the final report for people */
#include <stdio.h>
#include <string.h>

#include "run.h"

enum { TASKS_SHOWN = 48 };

struct paint {
	const char *bold, *dim, *good, *bad, *off;
};

static const struct paint coloured = { "\033[1m", "\033[2m", "\033[32m", "\033[31m", "\033[0m" };
static const struct paint plain = { "", "", "", "", "" };

static const char *ended_by (const struct run *run)
{
	switch (run->ended_by) {
	case END_TIME:
		return "time is up";
	case END_SIGNAL:
		return "interrupted";
	case END_ERROR:
		return "given up";
	default:
		return "all ended";
	}
}

static void head (struct run *run, struct text *out, const struct paint *p)
{
	char elapsed[16], quantum[16];

	util_text_add (out,
	               "%sgoad run%s: %u coroutine%s on %llu P%s for %s (%s); quantum %s, "
	               "preempt %s\n\n",
	               p->bold, p->off, run->tasks_n, run->tasks_n == 1 ? "" : "s",
	               (unsigned long long) run->stats.procs, run->stats.procs == 1 ? "" : "s",
	               util_time (elapsed, run->figures[FIG_ELAPSED]), ended_by (run),
	               util_time (quantum, (double) run->cfg.quantum_ns),
	               run_preempt_name (run->cfg.preempt));
}

/* What the work came to: its result, what went wrong, or how far it is. */
static void outcome (const struct task *t, char *buf, size_t size)
{
	uint64_t passes = t->rounds;
	bool ended = t->ended;

	if (atomic_load (&t->differs) != 0)
		snprintf (buf, size, "RESULTS DIFFER: %s", t->result);
	else if (ended && t->status != 0 && t->result[0] == '\0')
		snprintf (buf, size, "FAILED: returned %d", t->status);
	else if (ended && t->status != 0)
		snprintf (buf, size, "FAILED: %s", t->result);
	else if (passes > 1)
		snprintf (buf, size, "%s, %llu times", t->result, (unsigned long long) passes);
	else if (passes == 1)
		snprintf (buf, size, "%s", t->result);
	else if (t->late != NULL)
		snprintf (buf, size, "%llu %s", (unsigned long long) atomic_load (&t->late->count),
		          t->spec->work->flags & WORK_ECHO ? "echoes" : "ticks");
	else if (ended)
		snprintf (buf, size, "ended");
	else if (t->last.slices == 0)
		snprintf (buf, size, "NEVER RAN");
	else
		snprintf (buf, size, "still running");
}

static int name_width (const struct run *run)
{
	size_t w = 4;

	for (unsigned i = 0; i < run->tasks_n; i++)
		if (util_columns (run->tasks[i].name) > w)
			w = util_columns (run->tasks[i].name);
	return (int) w;
}

static void task_row (struct run *run, const struct task *t, double all, int width,
                      struct text *out)
{
	const goad_task_stats_t *s = &t->last;
	char cpu[16], wait[16], fair[16] = "-", what[256];

	/* The fair share is one of the hogs' time; without ticks that is all of it. */
	if (t->fair_share > 0)
		snprintf (fair, sizeof fair, "%.1f%%", 100 * t->fair_share);
	outcome (t, what, sizeof what);
	int pad = width - (int) util_columns (t->name);
	util_text_add (out, "%s%*s", t->name, pad, "");
	if (run->opt.weights != NULL)
		util_text_add (out, " %6g", t->weight / 100.0);
	util_text_add (out, " %9s %6.1f%% %6s %7llu %7llu %8llu %8llu %9s  %s\n",
	               util_time (cpu, (double) s->cpu_ns),
	               all > 0 ? 100 * (double) s->cpu_ns / all : 0, fair,
	               (unsigned long long) s->slices, (unsigned long long) s->preempt_yielded,
	               (unsigned long long) s->preempt_handed_off,
	               (unsigned long long) s->preempt_deferred,
	               util_time (wait, (double) t->wait_max_ns), what);
}

static void task_table (struct run *run, struct text *out, const struct paint *p)
{
	int width = name_width (run);
	double all = 0;

	for (unsigned i = 0; i < run->tasks_n; i++)
		all += (double) run->tasks[i].last.cpu_ns;
	util_text_add (out, "%s%-*s", p->dim, width, "work");
	if (run->opt.weights != NULL)
		util_text_add (out, " %6s", "weight");
	util_text_add (out, " %9s %7s %6s %7s %7s %8s %8s %9s  %s%s\n", "cpu time", "share", "fair",
	               "slices", "yielded", "hand-off", "deferred", "max wait", "result", p->off);
	for (unsigned i = 0; i < run->tasks_n; i++) {
		if (i == TASKS_SHOWN && run->tasks_n > TASKS_SHOWN + 2) {
			util_text_add (out, "... and %u more%s\n", run->tasks_n - i,
			               util_has_json ? ": --format=json has all" : "");
			break;
		}
		task_row (run, &run->tasks[i], all, width, out);
	}
	util_text_add (out, "\n");
}

static void fairness_line (struct run *run, struct text *out, const struct paint *p)
{
	uint64_t fair_ns = atomic_load (&run->fair_ns), start = atomic_load (&run->start_ns);
	unsigned hogs = 0;
	char t[16];

	for (unsigned i = 0; i < run->tasks_n; i++)
		hogs += run->tasks[i].fair_share > 0;
	if (!run->known[FIG_JAIN])
		return;
	util_text_add (out,
	               "%sfairness%s    Jain's index %.4f, shares %.3f to %.3f of fair "
	               "(%u hog%s",
	               p->bold, p->off, run->figures[FIG_JAIN], run->figures[FIG_MIN_SHARE],
	               run->figures[FIG_MAX_SHARE], hogs, hogs == 1 ? "" : "s");
	if (fair_ns == 0) {
		util_text_add (out, ")\n");
		return;
	}
	double window = (double) (fair_ns - start);
	util_text_add (out, ", in the %s until the first ended)\n", util_time (t, window));
	if (window < 10.0 * hogs * (double) run->cfg.quantum_ns / (double) run->stats.procs &&
	    hogs > run->stats.procs)
		util_text_add (out, "            (too short to judge by: fewer than ten rounds)\n");
}

static void figure_lines (struct run *run, struct text *out, const struct paint *p)
{
	const goad_stats_t *s = &run->stats;
	const double *f = run->figures;
	char a[16], b[16], c[16], d[16];

	util_text_add (out, "%swaiting%s     longest %s (%s)\n", p->bold, p->off,
	               util_time (a, f[FIG_WAIT_MAX]), run->tasks[run->longest_wait].name);
	if (run->known[FIG_SLICE_MEAN])
		util_text_add (
		    out,
		    "%sslices%s      mean %s (%+.1f%% of the quantum); overshoot p50 %s, p99 %s, "
		    "max %s\n",
		    p->bold, p->off, util_time (a, f[FIG_SLICE_MEAN]),
		    100 * (f[FIG_SLICE_MEAN] / (double) run->cfg.quantum_ns - 1),
		    util_time (b, f[FIG_OVERSHOOT_P50]), util_time (c, f[FIG_OVERSHOOT_P99]),
		    util_time (d, f[FIG_OVERSHOOT_MAX]));
	if (run->known[FIG_TICK_P50])
		util_text_add (out, "%sticks%s       %.0f; late p50 %s, p99 %s, max %s\n", p->bold, p->off,
		               f[FIG_TICKS], util_time (a, f[FIG_TICK_P50]), util_time (b, f[FIG_TICK_P99]),
		               util_time (c, f[FIG_TICK_MAX]));
	if (run->known[FIG_ECHO_P50])
		util_text_add (out, "%sechoes%s      %.0f; late p50 %s, p99 %s, max %s\n", p->bold, p->off,
		               f[FIG_ECHOES], util_time (a, f[FIG_ECHO_P50]),
		               util_time (b, f[FIG_ECHO_P99]), util_time (c, f[FIG_ECHO_MAX]));
	util_text_add (out,
	               "%spreemption%s  %llu: %llu yielded, %llu handed off; %llu deferred, "
	               "%llu too late; %llu signals\n",
	               p->bold, p->off,
	               (unsigned long long) (s->preempt_yielded + s->preempt_handed_off),
	               (unsigned long long) s->preempt_yielded,
	               (unsigned long long) s->preempt_handed_off,
	               (unsigned long long) s->preempt_deferred,
	               (unsigned long long) s->preempt_expired, (unsigned long long) s->signals_sent);
	util_text_add (out,
	               "%sthreads%s     %llu at most; sysmon used %s (%.2f%% of a CPU); works used "
	               "%.1f%% of the Ps\n",
	               p->bold, p->off, (unsigned long long) s->threads_max,
	               util_time (a, f[FIG_SYSMON_CPU]), 100 * f[FIG_SYSMON_SHARE],
	               100 * f[FIG_UTILISATION]);
}

static void verdict_lines (struct run *run, struct text *out, const struct paint *p)
{
	char value[24];

	for (unsigned i = 0; i < run->bounds_n; i++) {
		const struct bound *b = &run->bounds[i];

		util_text_add (out, "%sexpect%s      %s: %s%s%s (%s)\n", p->bold, p->off, b->text,
		               b->held ? p->good : p->bad, b->held ? "holds" : "BROKEN", p->off,
		               run->known[b->figure]
		                   ? run_figure_print (value, b->figure, run->figures[b->figure])
		                   : "not measured");
	}
	if (run->figures[FIG_FAILED] > 0)
		util_text_add (out, "%sfailed%s      %s%.0f of the works failed%s\n", p->bold, p->off,
		               p->bad, run->figures[FIG_FAILED], p->off);
	if (run->plotted)
		util_text_add (out, "%spicture%s     %s\n", p->bold, p->off, run->opt.plot);
}

void report_text (struct run *run, struct text *out, bool colour)
{
	const struct paint *p = colour ? &coloured : &plain;

	head (run, out, p);
	task_table (run, out, p);
	fairness_line (run, out, p);
	figure_lines (run, out, p);
	verdict_lines (run, out, p);
}
