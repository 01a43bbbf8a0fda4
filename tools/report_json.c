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

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "0.1.0"
#endif

static void put_int (json_t *o, const char *key, uint64_t v)
{
	json_object_set_new (o, key, json_integer ((json_int_t) v));
}

static void put_real (json_t *o, const char *key, double v)
{
	json_object_set_new (o, key, json_real (v));
}

/* Names of files need not be UTF-8, which JSON's strings are. */
static json_t *string (const char *s)
{
	json_t *j = json_string (s);

	if (j != NULL)
		return j;
	char *copy = strdup (s);
	if (copy == NULL)
		return json_null ();
	for (char *c = copy; *c != '\0'; c++)
		if ((unsigned char) *c >= 0x80)
			*c = '?';
	j = json_string (copy);
	free (copy);
	return j;
}

static json_t *strings (int n, char **words)
{
	json_t *a = json_array ();

	for (int i = 0; i < n; i++)
		json_array_append_new (a, string (words[i]));
	return a;
}

static void put_string (json_t *o, const char *key, const char *s)
{
	json_object_set_new (o, key, string (s));
}

static json_t *config (const struct run *run)
{
	json_t *o = json_object ();
	char seed[24];

	put_int (o, "procs", run->stats.procs);
	put_int (o, "quantum_ns", run->cfg.quantum_ns);
	put_string (o, "preempt", run_preempt_name (run->cfg.preempt));
	put_int (o, "stack_size", run->cfg.stack_size);
	put_int (o, "for_ns", run->opt.for_ns);
	/* A string: JSON readers lose the low bits of so large a number. */
	snprintf (seed, sizeof seed, "%llu", (unsigned long long) run->cfg.seed);
	put_string (o, "seed", seed);
	return o;
}

static json_t *host (void)
{
	json_t *o = json_object ();
	struct utsname u;

	if (uname (&u) == 0) {
		put_string (o, "kernel", u.release);
		put_string (o, "machine", u.machine);
	}
	put_int (o, "cpus", (uint64_t) sysconf (_SC_NPROCESSORS_ONLN));
	return o;
}

static json_t *lateness (const struct hist *h)
{
	json_t *o = json_object ();

	put_int (o, "count", atomic_load (&h->count));
	put_int (o, "late_p50_ns", util_hist_quantile (h, 0.50));
	put_int (o, "late_p90_ns", util_hist_quantile (h, 0.90));
	put_int (o, "late_p99_ns", util_hist_quantile (h, 0.99));
	put_int (o, "late_p999_ns", util_hist_quantile (h, 0.999));
	put_int (o, "late_max_ns", util_hist_quantile (h, 1));
	return o;
}

static json_t *task (const struct task *t, double all)
{
	static const char *const states[] = { "new",     "runnable", "running",
		                                  "waiting", "blocked",  "ended" };
	const goad_task_stats_t *s = &t->last;
	bool ended = t->ended;
	json_t *o = json_object ();

	put_string (o, "name", t->name);
	put_int (o, "id", atomic_load (&t->id));
	json_object_set_new (o, "work", strings (t->spec->argc, t->spec->argv));
	put_real (o, "weight", t->weight / 100.0);
	put_string (o, "state", states[ended ? 5 : s->state >= 0 && s->state < 5 ? s->state : 0]);
	put_int (o, "cpu_ns", s->cpu_ns);
	put_real (o, "share", all > 0 ? (double) s->cpu_ns / all : 0);
	json_object_set_new (o, "fair_share",
	                     t->fair_share > 0 ? json_real (t->fair_share) : json_null ());
	json_object_set_new (o, "got_of_fair", t->fair_share > 0 ? json_real (t->got) : json_null ());
	put_int (o, "slices", s->slices);
	put_int (o, "preempt_yielded", s->preempt_yielded);
	put_int (o, "preempt_handed_off", s->preempt_handed_off);
	put_int (o, "preempt_deferred", s->preempt_deferred);
	put_int (o, "preempt_expired", s->preempt_expired);
	put_int (o, "wait_ns", s->wait_ns);
	put_int (o, "wait_max_ns", t->wait_max_ns);
	put_int (o, "stack_used_max", s->stack_used_max);
	if (t->late != NULL)
		json_object_set_new (o, t->spec->work->flags & WORK_ECHO ? "echoes" : "ticks",
		                     lateness (t->late));
	put_int (o, "passes", t->rounds);
	json_object_set_new (o, "result",
	                     t->result[0] != '\0' && (ended || t->rounds > 0) ? string (t->result)
	                                                                      : json_null ());
	json_object_set_new (o, "results_agree", json_boolean (atomic_load (&t->differs) == 0));
	json_object_set_new (o, "status", ended ? json_integer (t->status) : json_null ());
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
		json_object_set_new (o, key, v);
	}
	return o;
}

static json_t *runtime (const goad_stats_t *s)
{
	json_t *o = json_object ();

	put_int (o, "switches", s->switches);
	put_int (o, "steals", s->steals);
	put_int (o, "handoffs", s->handoffs);
	put_int (o, "spawned", s->spawned);
	put_int (o, "preempt_requested", s->preempt_requested);
	put_int (o, "preempt_yielded", s->preempt_yielded);
	put_int (o, "preempt_handed_off", s->preempt_handed_off);
	put_int (o, "preempt_deferred", s->preempt_deferred);
	put_int (o, "preempt_expired", s->preempt_expired);
	put_int (o, "signals_sent", s->signals_sent);
	put_int (o, "slices", s->slices);
	put_int (o, "slice_ns", s->slice_ns);
	put_int (o, "runnable_wait_max_ns", s->runnable_wait_max_ns);
	put_int (o, "threads_max", s->threads_max);
	put_int (o, "sysmon_ticks", s->sysmon_ticks);
	put_int (o, "sysmon_late_max_ns", s->sysmon_late_max_ns);
	put_int (o, "sysmon_cpu_ns", s->sysmon_cpu_ns);
	put_int (o, "stack_bytes", s->stack_bytes);
	return o;
}

static json_t *bounds (const struct run *run)
{
	json_t *a = json_array ();

	for (unsigned i = 0; i < run->bounds_n; i++) {
		const struct bound *b = &run->bounds[i];
		json_t *o = json_object ();

		put_string (o, "bound", b->text);
		put_string (o, "figure", run_figures[b->figure].name);
		put_string (o, "op", b->op);
		put_real (o, "limit", b->value);
		json_object_set_new (o, "value",
		                     run->known[b->figure] ? json_real (run->figures[b->figure])
		                                           : json_null ());
		json_object_set_new (o, "held", json_boolean (b->held));
		json_array_append_new (a, o);
	}
	return a;
}

int report_json (struct run *run, struct text *out, int code)
{
	static const char *const ended[] = { "finished", "time", "signal", "error" };
	uint64_t fair_ns = atomic_load (&run->fair_ns), start = atomic_load (&run->start_ns);
	json_t *o = json_object ();

	put_string (o, "schema", "goad-run/1");
	put_string (o, "version", PACKAGE_VERSION);
	json_object_set_new (o, "command", strings (run->argc, run->argv));
	json_object_set_new (o, "host", host ());
	json_object_set_new (o, "config", config (run));
	put_string (o, "ended", ended[run->ended_by]);
	put_int (o, "fairness_window_ns", (fair_ns != 0 ? fair_ns : run->end_ns) - start);
	json_object_set_new (o, "tasks", tasks (run));
	json_object_set_new (o, "figures", figures (run));
	json_object_set_new (o, "runtime", runtime (&run->stats));
	json_object_set_new (o, "expect", bounds (run));
	json_object_set_new (o, "plot", run->plotted ? string (run->opt.plot) : json_null ());
	put_int (o, "exit_code", (uint64_t) code);
	char *s = json_dumps (o, JSON_INDENT (2) | JSON_REAL_PRECISION (9));
	json_decref (o);
	if (s == NULL)
		return -ENOMEM;
	util_text_add (out, "%s\n", s);
	free (s);
	return 0;
}

#else

#include <errno.h>

int report_json (struct run *run, struct text *out, int code)
{
	(void) run, (void) out, (void) code;
	return -ENOTSUP;
}

#endif
