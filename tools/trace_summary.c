/* SPDX-License-Identifier: MIT */
/* trace_summary.c - goad trace summary */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace.h"
#include "trace_split.h"

enum { ROWS = 20 };

struct summary {
	struct trace_split *split;
	uint64_t busy, created, ended, alive, sysmon_awake, sysmon_looks;
	const struct trace_go **order;
	size_t shown;
};

static int by_cpu (const void *a, const void *b)
{
	const struct trace_go *const *x = a, *const *y = b;

	return (*x)->cpu < (*y)->cpu ? 1 : (*x)->cpu > (*y)->cpu ? -1 : *x < *y ? -1 : 1;
}

static void count_rest (const struct trace *t, struct summary *s)
{
	uint64_t woke = 0;

	for (size_t i = 0; i < t->runs_n; i++)
		s->busy += t->runs[i].to - t->runs[i].from;
	for (size_t i = 0; i < t->gos_n; i++) {
		const struct trace_go *g = &t->gos[i];
		s->created += g->created;
		s->ended += g->ended;
		s->alive += !g->ended && g->state;
		s->order[i] = g;
	}
	for (size_t i = 0; i < t->events_n; i++) {
		if (t->events[i].kind == TR_sysmon_wake) {
			woke = t->events[i].time;
			s->sysmon_looks++;
		} else if (t->events[i].kind == TR_sysmon_sleep && woke) {
			s->sysmon_awake += t->events[i].time - woke;
			woke = 0;
		}
	}
	if (t->gos_n > 0)
		qsort (s->order, t->gos_n, sizeof (const struct trace_go *), by_cpu);
	s->shown = t->gos_n < ROWS ? t->gos_n : ROWS;
}

static void head (const struct trace *t, const struct summary *s, struct text *out)
{
	char a[16], b[16];
	double all = (double) t->length * t->procs;

	util_text_add (out, "%s\n", trace_fact (t, "program"));
	util_text_add (out, "traced      %s on %u Ps, quantum %s, preempt %s",
	               util_time (a, (double) t->length), t->procs,
	               util_time (b, strtod (trace_fact (t, "quantum_ns"), NULL)),
	               trace_fact (t, "preempt"));
	if (t->runs_of_runtime > 1)
		util_text_add (out, "; %u runs of the runtime", t->runs_of_runtime);
	util_text_add (out, "\nevents      %zu; %" PRIu64 " lost%s\n", t->events_n, t->lost,
	               t->complete ? "" : "; the end is missing");
	if (t->problems)
		util_text_add (out, "problems    %" PRIu64 ": %s\n", t->problems, t->problem);
	else
		util_text_add (out, "problems    none%s\n",
		               t->lost ? " looked for, as events are lost" : "");
	util_text_add (out, "coroutines  %" PRIu64 " made, %" PRIu64 " ended, %" PRIu64 " alive\n",
	               s->created, s->ended, s->alive);
	util_text_add (out, "Ps          busy %.1f%%; %" PRIu64 " steals, %" PRIu64 " timers' turns\n",
	               all > 0 ? 100 * (double) s->busy / all : 0, t->counts[TR_steal],
	               t->counts[TR_timers]);
	util_text_add (out, "sysmon      %" PRIu64 " looks, awake %.2f%% of the time\n\n",
	               s->sysmon_looks,
	               t->length ? 100 * (double) s->sysmon_awake / (double) t->length : 0);
}

static void table (const struct trace *t, const struct summary *s, struct text *out)
{
	util_text_add (out,
	               "coroutine                  ran    runs yielded hand-off deferred    waited  "
	               "longest   blocked\n");
	for (size_t i = 0; i < s->shown; i++) {
		const struct trace_go *g = s->order[i];
		char name[48], cpu[16], wait[16], longest[16], blocked[16];

		util_text_add (
		    out, "%-20.20s %9s %7" PRIu64 " %7" PRIu64 " %8" PRIu64 " %8" PRIu64 " %9s %8s %9s\n",
		    trace_go_name (t, (uint64_t) (g - t->gos) + 1, name), util_time (cpu, (double) g->cpu),
		    g->slices, g->yielded, g->handed, g->deferred, util_time (wait, (double) g->wait),
		    util_time (longest, (double) g->wait_max), util_time (blocked, (double) g->blocked));
	}
	if (s->shown < t->gos_n)
		util_text_add (out, "... and %zu more\n", t->gos_n - s->shown);
}

static void steps (const struct summary *s, struct text *out)
{
	char a[16], b[16], c[16];

	util_text_add (out, "\npreemption ");
	for (int i = 1; i < TRACE_HOWS; i++)
		if (s->split->by_how[i])
			util_text_add (out, " %s %" PRIu64 ";", trace_how_names[i], s->split->by_how[i]);
	util_text_add (out, "\n");
	for (int i = 0; i < TRACE_STEPS; i++) {
		const struct hist *h = &s->split->step[i];
		if (h->count)
			util_text_add (out, "  %-20s p50 %9s   p99 %9s   max %9s\n", trace_step_names[i],
			               util_time (a, (double) util_hist_quantile (h, 0.5)),
			               util_time (b, (double) util_hist_quantile (h, 0.99)),
			               util_time (c, (double) h->max));
	}
}

static void reasons (const struct trace *t, const struct summary *s, struct text *out)
{
	for (size_t k = 0; k < s->split->reasons; k++) {
		const struct trace_reason *r = &s->split->reason[k];
		if (r->why)
			util_text_add (out, "  %6" PRIu64 " %-11s %s\n", r->n, trace_how_names[r->how],
			               trace_string (t, r->why));
	}
}

static void json (const struct trace *t, const struct summary *s, struct text *out)
{
	util_text_add (out, "{\"schema\":\"goad-trace-summary/1\",\"program\":");
	trace_json_string (out, trace_fact (t, "program"));
	util_text_add (out,
	               ",\"length_ns\":%" PRIu64 ",\"procs\":%u,\"events\":%zu,\"lost\":%" PRIu64
	               ",\"complete\":%s,\"problems\":%" PRIu64 ",\"problem\":",
	               t->length, t->procs, t->events_n, t->lost, t->complete ? "true" : "false",
	               t->problems);
	trace_json_string (out, t->problem);
	util_text_add (out,
	               ",\"created\":%" PRIu64 ",\"ended\":%" PRIu64 ",\"alive\":%" PRIu64
	               ",\"busy_ns\":%" PRIu64 ",\"runs\":%zu,\"sysmon_looks\":%" PRIu64
	               ",\n\"counts\":{",
	               s->created, s->ended, s->alive, s->busy, t->runs_n, s->sysmon_looks);
	for (int i = 1; i < TR_COUNT; i++)
		util_text_add (out, "%s\"%s\":%" PRIu64, i > 1 ? "," : "", trace_kind_names[i],
		               t->counts[i]);
	util_text_add (out, "},\n\"preemptions\":{");
	for (int i = 1; i < TRACE_HOWS; i++)
		util_text_add (out, "%s\"%s\":%" PRIu64, i > 1 ? "," : "", trace_how_names[i],
		               s->split->by_how[i]);
	for (int i = 0; i < TRACE_STEPS; i++)
		util_text_add (out, ",\"%s_p50_ns\":%" PRIu64 ",\"%s_max_ns\":%" PRIu64, trace_step_keys[i],
		               s->split->step[i].count ? util_hist_quantile (&s->split->step[i], 0.5) : 0,
		               trace_step_keys[i], (uint64_t) s->split->step[i].max);
	util_text_add (out, "},\n\"coroutines\":[");
	for (size_t i = 0; i < s->shown; i++) {
		const struct trace_go *g = s->order[i];
		char name[48];

		util_text_add (out, "%s\n{\"id\":%" PRIu64 ",\"name\":", i ? "," : "", g->id);
		trace_json_string (out, trace_go_name (t, (uint64_t) (g - t->gos) + 1, name));
		util_text_add (out,
		               ",\"ran_ns\":%" PRIu64 ",\"runs\":%" PRIu64 ",\"yielded\":%" PRIu64
		               ",\"handed_off\":%" PRIu64 ",\"deferred\":%" PRIu64 ",\"wait_ns\":%" PRIu64
		               ",\"wait_max_ns\":%" PRIu64 "}",
		               g->cpu, g->slices, g->yielded, g->handed, g->deferred, g->wait, g->wait_max);
	}
	util_text_add (out, "\n]}\n");
}

int trace_summary (const struct trace *t, const struct trace_options *o, struct text *out)
{
	struct summary s = { .order = calloc (t->gos_n + 1, sizeof *s.order),
		                 .split = trace_split (t) };

	if (s.order != NULL && s.split != NULL) {
		count_rest (t, &s);
		if (o->json) {
			json (t, &s, out);
		} else {
			head (t, &s, out);
			table (t, &s, out);
			if (t->preempts_n > 0) {
				steps (&s, out);
				reasons (t, &s, out);
			}
		}
	} else {
		out->failed = true;
	}
	free (s.split);
	free (s.order);
	return o->check && (t->problems || t->lost || !t->complete) ? TOOL_BROKEN : TOOL_OK;
}
