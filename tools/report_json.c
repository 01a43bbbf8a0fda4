/* SPDX-License-Identifier: MIT */
/* report_json.c - the final report for programs: "schema": "goad-run/1"
 *
 * Times are whole nanoseconds in fields that end in _ns; figures are named as in
 * --expect, and null where they were not measured.  Fields may be added under the
 * same schema; one that changes or goes makes a new number. */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "run.h"

#ifdef HAVE_JANSSON

#include <stdio.h>

#include "tools/util_json.h"

static json_t *config (const struct run *run)
{
	json_t *o = json_object ();

	util_json_int (o, "procs", run->stats.procs);
	util_json_int (o, "quantum_ns", run->cfg.quantum_ns);
	util_json_text (o, "preempt", run_preempt_name (run->cfg.preempt));
	util_json_int (o, "stack_size", run->cfg.stack_size);
	util_json_int (o, "for_ns", run->opt.for_ns);
	util_json_seed (o, run->cfg.seed);
	return o;
}

static json_t *lateness (const struct hist *h)
{
	json_t *o = json_object ();

	util_json_int (o, "count", atomic_load (&h->count));
	util_json_int (o, "late_p50_ns", util_hist_quantile (h, 0.50));
	util_json_int (o, "late_p90_ns", util_hist_quantile (h, 0.90));
	util_json_int (o, "late_p99_ns", util_hist_quantile (h, 0.99));
	util_json_int (o, "late_p999_ns", util_hist_quantile (h, 0.999));
	util_json_int (o, "late_max_ns", util_hist_quantile (h, 1));
	return o;
}

static json_t *task (const struct task *t, double all)
{
	static const char *const states[] = { "new",     "runnable", "running",
		                                  "waiting", "blocked",  "ended" };
	const goad_task_stats_t *s = &t->last;
	bool ended = t->ended;
	json_t *o = json_object ();

	util_json_text (o, "name", t->name);
	util_json_int (o, "id", atomic_load (&t->id));
	util_json_put (o, "work", util_json_strings (t->spec->argc, t->spec->argv));
	util_json_real (o, "weight", t->weight / 100.0);
	util_json_text (o, "state", states[ended ? 5 : s->state >= 0 && s->state < 5 ? s->state : 0]);
	util_json_int (o, "cpu_ns", s->cpu_ns);
	util_json_real (o, "share", all > 0 ? (double) s->cpu_ns / all : 0);
	util_json_put (o, "fair_share", t->fair_share > 0 ? json_real (t->fair_share) : json_null ());
	util_json_put (o, "got_of_fair", t->fair_share > 0 ? json_real (t->got) : json_null ());
	util_json_int (o, "slices", s->slices);
	util_json_int (o, "preempt_yielded", s->preempt_yielded);
	util_json_int (o, "preempt_handed_off", s->preempt_handed_off);
	util_json_int (o, "preempt_deferred", s->preempt_deferred);
	util_json_int (o, "preempt_expired", s->preempt_expired);
	util_json_int (o, "wait_ns", s->wait_ns);
	util_json_int (o, "wait_max_ns", t->wait_max_ns);
	util_json_int (o, "stack_used_max", s->stack_used_max);
	if (t->late != NULL)
		util_json_put (o, t->spec->work->flags & WORK_ECHO ? "echoes" : "ticks",
		               lateness (t->late));
	util_json_int (o, "passes", t->rounds);
	util_json_put (o, "result",
	               t->result[0] != '\0' && (ended || t->rounds > 0) ? util_json_string (t->result)
	                                                                : json_null ());
	util_json_put (o, "results_agree", json_boolean (atomic_load (&t->differs) == 0));
	util_json_put (o, "status", ended ? json_integer (t->status) : json_null ());
	return o;
}

static json_t *tasks (const struct run *run)
{
	json_t *a = json_array ();
	double all = 0;

	for (unsigned i = 0; i < run->tasks_n; i++)
		all += (double) run->tasks[i].last.cpu_ns;
	for (unsigned i = 0; i < run->tasks_n; i++)
		json_array_append_new (a, task (&run->tasks[i], all));
	return a;
}

static json_t *figures (const struct run *run)
{
	json_t *o = json_object ();

	for (unsigned f = 0; f < FIG_COUNT; f++) {
		bool time = run_figures[f].unit == UNIT_TIME;
		char key[32];

		snprintf (key, sizeof key, "%s%s", run_figures[f].name, time ? "_ns" : "");
		json_t *v = !run->known[f] ? json_null ()
		            : run_figures[f].unit == UNIT_RATIO
		                ? json_real (run->figures[f])
		                : json_integer ((json_int_t) run->figures[f]);
		util_json_put (o, key, v);
	}
	return o;
}

static json_t *runtime (const goad_stats_t *s)
{
	json_t *o = json_object ();

	util_json_int (o, "switches", s->switches);
	util_json_int (o, "steals", s->steals);
	util_json_int (o, "handoffs", s->handoffs);
	util_json_int (o, "spawned", s->spawned);
	util_json_int (o, "preempt_requested", s->preempt_requested);
	util_json_int (o, "preempt_yielded", s->preempt_yielded);
	util_json_int (o, "preempt_handed_off", s->preempt_handed_off);
	util_json_int (o, "preempt_deferred", s->preempt_deferred);
	util_json_int (o, "preempt_expired", s->preempt_expired);
	util_json_int (o, "signals_sent", s->signals_sent);
	util_json_int (o, "slices", s->slices);
	util_json_int (o, "slice_ns", s->slice_ns);
	util_json_int (o, "runnable_wait_max_ns", s->runnable_wait_max_ns);
	util_json_int (o, "threads_max", s->threads_max);
	util_json_int (o, "sysmon_ticks", s->sysmon_ticks);
	util_json_int (o, "sysmon_late_max_ns", s->sysmon_late_max_ns);
	util_json_int (o, "sysmon_cpu_ns", s->sysmon_cpu_ns);
	util_json_int (o, "stack_bytes", s->stack_bytes);
	return o;
}

static json_t *bounds (const struct run *run)
{
	json_t *a = json_array ();

	for (unsigned i = 0; i < run->bounds_n; i++) {
		const struct bound *b = &run->bounds[i];
		json_t *o = json_object ();

		util_json_text (o, "bound", b->text);
		util_json_text (o, "figure", run_figures[b->figure].name);
		util_json_text (o, "op", b->op);
		util_json_real (o, "limit", b->value);
		util_json_put (o, "value",
		               run->known[b->figure] ? json_real (run->figures[b->figure]) : json_null ());
		util_json_put (o, "held", json_boolean (b->held));
		json_array_append_new (a, o);
	}
	return a;
}

int report_json (struct run *run, struct text *out, int code)
{
	static const char *const ended[] = { "finished", "time", "signal", "error" };
	uint64_t fair_ns = atomic_load (&run->fair_ns), start = atomic_load (&run->start_ns);
	json_t *o = util_json_begin ("goad-run/1");

	util_json_put (o, "command", util_json_strings (run->argc, run->argv));
	util_json_host (o);
	util_json_put (o, "config", config (run));
	util_json_text (o, "ended", ended[run->ended_by]);
	util_json_int (o, "fairness_window_ns", (fair_ns != 0 ? fair_ns : run->end_ns) - start);
	util_json_put (o, "tasks", tasks (run));
	util_json_put (o, "figures", figures (run));
	util_json_put (o, "runtime", runtime (&run->stats));
	util_json_put (o, "expect", bounds (run));
	util_json_put (o, "plot", run->plotted ? util_json_string (run->opt.plot) : json_null ());
	util_json_int (o, "exit_code", (uint64_t) code);
	return util_json_end (o, out);
}

#else

#include <errno.h>

int report_json (struct run *run, struct text *out, int code)
{
	(void) run, (void) out, (void) code;
	return -ENOTSUP;
}

#endif
