/* SPDX-License-Identifier: MIT */
/* top_text.c - a page of a program as text, and as JSON: "schema": "goad-top/1" */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "top.h"
#include "util_json.h"

static const struct top *ordering; /* for qsort */

static uint64_t waited (const struct top *t, const goad_top_task_t *x)
{
	if (x->state == GOAD_STATE_RUNNING || x->since_ns == 0 || t->at < x->since_ns)
		return 0;
	return t->at - x->since_ns;
}

static int down (uint64_t a, uint64_t b)
{
	return a < b ? 1 : a > b ? -1 : 0;
}

static int compare (const void *a, const void *b)
{
	const goad_top_task_t *x = a, *y = b;
	int c = 0;

	if (ordering->opt.sort == TOP_BY_CPU)
		c = down (x->interval_ns, y->interval_ns);
	if (ordering->opt.sort == TOP_BY_CPU && c == 0)
		c = down (x->cpu_ns, y->cpu_ns);
	if (ordering->opt.sort == TOP_BY_WAIT)
		c = down (waited (ordering, x), waited (ordering, y));
	return c != 0 ? c : -down (x->id, y->id);
}

void top_order (struct top *t)
{
	ordering = t;
	qsort (t->now.task, t->now.tasks, sizeof *t->now.task, compare);
}

static const char *state_name (uint32_t state)
{
	static const char *const names[] = {
		"?", "runnable", "running", "waiting", "blocked", "ended"
	};

	return names[state < UTIL_COUNT (names) ? state : 0];
}

/* Of one CPU, in the last interval; none if nothing has run since. */
static double share (const struct top *t, const goad_top_task_t *x)
{
	const struct goad_top_page *p = &t->now;

	if (p->interval_ns == 0 || (p->quiet && t->at - p->written_ns > GOAD_S))
		return 0;
	return (double) x->interval_ns / (double) p->interval_ns;
}

static unsigned busy (const struct goad_top_page *p)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < p->procs && i < GOAD_TOP_PROCS; i++)
		n += !p->proc[i].idle;
	return n;
}

static void head (const struct top *t, struct text *out)
{
	const struct goad_top_page *p = &t->now;
	const goad_stats_t *s = &p->stats;
	char age[16];

	util_text_add (out, "%s (%d): %u of %u Ps busy, %llu threads", t->program.command,
	               (int) t->program.pid, busy (p), p->procs, (unsigned long long) s->threads);
	if (p->quiet)
		util_text_add (out, "; nothing runs, since %s",
		               util_time (age, (double) (t->at - p->written_ns)));
	util_text_add (out, "\n%llu coroutines, %llu runnable", (unsigned long long) s->coroutines,
	               (unsigned long long) s->runnable);
	if (s->coroutines > p->tasks)
		util_text_add (out, "; %u shown, those seen to run most (%llu looked at)", p->tasks,
		               (unsigned long long) p->looked_at);
	util_text_add (out,
	               "\n%llu switches, %llu steals; preempted %llu in place, %llu handed off, "
	               "%llu deferred\n\n",
	               (unsigned long long) s->switches, (unsigned long long) s->steals,
	               (unsigned long long) s->preempt_yielded,
	               (unsigned long long) s->preempt_handed_off,
	               (unsigned long long) s->preempt_deferred);
}

/* A name is the program's own: no control characters of it go to a terminal. */
static void name_of (const goad_top_task_t *x, char to[33])
{
	snprintf (to, 33, "%.31s", x->name[0] ? x->name : "-");
	for (char *c = to; *c; c++)
		if ((unsigned char) *c < ' ' || *c == 0x7f)
			*c = '?';
}

void top_text (const struct top *t, struct text *out, size_t rows)
{
	const struct goad_top_page *p = &t->now;

	head (t, out);
	util_text_add (out, "%8s  %-20s %6s %9s %-9s %9s  %s\n", "id", "name", "%CPU", "CPU time",
	               "state", "for", "waits for");
	for (size_t i = 0; i < p->tasks && i < rows; i++) {
		const goad_top_task_t *x = &p->task[i];
		char name[33], cpu[16], since[16];

		name_of (x, name);
		util_text_add (out, "%8llu  %-20.20s %6.1f %9s %-9s %9s  %.24s\n",
		               (unsigned long long) x->id, name, 100 * share (t, x),
		               util_time (cpu, (double) x->cpu_ns), state_name (x->state),
		               x->since_ns && t->at > x->since_ns
		                   ? util_time (since, (double) (t->at - x->since_ns))
		                   : "",
		               x->wait);
	}
}

void top_list (struct text *out)
{
	struct top_program all[64];
	size_t n = top_programs (all, UTIL_COUNT (all));

	for (size_t i = 0; i < n; i++)
		util_text_add (out, "%8d  %s\n", (int) all[i].pid, all[i].command);
	if (n == 0)
		util_text_add (out, "no program shows what it does: start one with GOAD_TOP=1\n");
}

#ifdef HAVE_JANSSON

static json_t *procs (const struct goad_top_page *p)
{
	json_t *a = json_array ();

	for (uint32_t i = 0; i < p->procs && i < GOAD_TOP_PROCS; i++) {
		json_t *o = json_object ();

		util_json_put (o, "idle", json_boolean (p->proc[i].idle));
		util_json_int (o, "running", p->proc[i].running);
		util_json_int (o, "queued", p->proc[i].queued);
		json_array_append_new (a, o);
	}
	return a;
}

static json_t *tasks (const struct top *t)
{
	json_t *a = json_array ();

	for (uint32_t i = 0; i < t->now.tasks; i++) {
		const goad_top_task_t *x = &t->now.task[i];
		json_t *o = json_object ();
		char name[33];

		snprintf (name, sizeof name, "%.31s", x->name);
		util_json_int (o, "id", x->id);
		util_json_text (o, "name", name);
		util_json_text (o, "state", state_name (x->state));
		util_json_int (o, "cpu_ns", x->cpu_ns);
		util_json_real (o, "share", share (t, x));
		util_json_int (o, "slices", x->slices);
		util_json_put (o, "since_ns",
		               x->since_ns && t->at > x->since_ns
		                   ? json_integer ((json_int_t) (t->at - x->since_ns))
		                   : json_null ());
		util_json_put (o, "waits_for", x->wait[0] ? util_json_string (x->wait) : json_null ());
		json_array_append_new (a, o);
	}
	return a;
}

int top_json (const struct top *t, struct text *out)
{
	const struct goad_top_page *p = &t->now;
	json_t *o = util_json_begin ("goad-top/1");

	util_json_int (o, "pid", (uint64_t) t->program.pid);
	util_json_text (o, "command", t->program.command);
	util_json_int (o, "age_ns", t->at > p->written_ns ? t->at - p->written_ns : 0);
	util_json_int (o, "interval_ns", p->interval_ns);
	util_json_put (o, "quiet", json_boolean (p->quiet));
	util_json_int (o, "coroutines", p->stats.coroutines);
	util_json_int (o, "runnable", p->stats.runnable);
	util_json_int (o, "looked_at", p->looked_at);
	util_json_int (o, "threads", p->stats.threads);
	util_json_int (o, "switches", p->stats.switches);
	util_json_int (o, "preempt_yielded", p->stats.preempt_yielded);
	util_json_int (o, "preempt_handed_off", p->stats.preempt_handed_off);
	util_json_int (o, "preempt_deferred", p->stats.preempt_deferred);
	util_json_put (o, "procs", procs (p));
	util_json_put (o, "tasks", tasks (t));
	return util_json_end (o, out);
}

#else

int top_json (const struct top *t, struct text *out)
{
	(void) t, (void) out;
	return -ENOTSUP;
}

#endif
