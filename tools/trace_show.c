/* SPDX-License-Identifier: MIT */
/* trace_show.c - goad trace show: lanes for a terminal, events in words, and how a
 * preemption came about */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "trace.h"

enum { LETTERS = 62, COLOURS = 6 };

static const char letters[LETTERS + 1] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

static const char *thread_name (const struct trace_thread *th, char buf[32])
{
	if (th->role == TRACE_SYSMON)
		snprintf (buf, 32, "sysmon");
	else if (th->role == TRACE_OUTSIDE)
		snprintf (buf, 32, "outside");
	else
		snprintf (buf, 32, "M%u", th->m ? th->m - 1 : 0);
	return buf;
}

static void tell_decision (const struct trace *t, const struct trace_event *e, char *buf,
                           size_t size)
{
	char where[128];

	trace_symbol (t, e->a, where, sizeof where);
	snprintf (buf, size, "%s: %s%s%s", trace_how_names[e->extra], trace_string (t, (uint32_t) e->b),
	          where[0] ? ", in " : "", where);
}

void trace_tell_event (const struct trace *t, const struct trace_event *e, char *buf, size_t size)
{
	char name[48], where[128], until[16];
	const char *go = trace_go_name (t, e->go, name);
	unsigned p = e->a > 0 ? (unsigned) e->a - 1 : 0;

	buf[0] = '\0';
	switch (e->kind) {
	case TR_thread:
		snprintf (buf, size, "begins to tell");
		break;
	case TR_lost:
		snprintf (buf, size, "%" PRIu64 " events are lost before this", e->b);
		break;
	case TR_proc_start:
		snprintf (buf, size, "has P%u", p);
		break;
	case TR_proc_stop:
		snprintf (buf, size, "gives up P%u", p);
		break;
	case TR_proc_taken:
		snprintf (buf, size, "P%u is taken from a thread in the kernel%s", p,
		          e->b ? "" : " that had said so");
		break;
	case TR_go_create:
		snprintf (buf, size, "%s is made", go);
		break;
	case TR_go_start:
		snprintf (buf, size, "%s runs", go);
		break;
	case TR_go_unblock:
		snprintf (buf, size, "%s is ready", go);
		break;
	case TR_go_syscall:
		snprintf (buf, size, "says that it blocks");
		break;
	case TR_go_sysexit:
		snprintf (buf, size, "%s is back from the kernel", go);
		break;
	case TR_go_sysblock:
		snprintf (buf, size, "%s sleeps in the kernel", go);
		break;
	case TR_go_hog:
		snprintf (buf, size, e->a ? "counts as a hog from now on" : "is no hog any more");
		break;
	case TR_request:
		snprintf (buf, size, "asks P%u to end the slice of %s%s%s", p, go,
		          e->extra & 1 ? " for fresh work" : "", e->extra & 2 ? ", again" : "");
		break;
	case TR_signal:
		trace_symbol (t, e->a, where, sizeof where);
		snprintf (buf, size, "signal in %s", where);
		break;
	case TR_decision:
		tell_decision (t, e, buf, size);
		break;
	case TR_steal:
		snprintf (buf, size, "takes %" PRIu64 " from the queue of P%u", e->b, p);
		break;
	case TR_timers:
		snprintf (buf, size, "%" PRIu64 " timers of P%u are due", e->b, p);
		break;
	case TR_sysmon_sleep:
		if (e->a > e->time)
			snprintf (buf, size, "sleeps for %s", util_time (until, (double) (e->a - 1 - e->time)));
		else
			snprintf (buf, size, e->a ? "does not sleep" : "sleeps until it is woken");
		break;
	case TR_sysmon_wake:
		snprintf (buf, size, "wakes");
		break;
	case TR_world_stop:
		snprintf (buf, size, "asks all Ps to stop");
		break;
	case TR_world_stopped:
		snprintf (buf, size, "all have stopped");
		break;
	case TR_world_start:
		snprintf (buf, size, "all go on");
		break;
	case TR_procs:
		snprintf (buf, size, "%" PRIu64 " Ps from now on", e->a);
		break;
	default:
		if (trace_is_stop (e->kind))
			snprintf (buf, size, "%s%s%s", trace_end_name (e->kind), e->go ? "; next " : "",
			          e->go ? go : "");
		break;
	}
}

/* Who runs where is not in each event: followed along. */
static void show_events (const struct trace *t, const struct trace_options *o, struct text *out)
{
	uint64_t *on = calloc (t->threads_n + 1, sizeof *on), n = 0;
	unsigned *p = calloc (t->threads_n + 1, sizeof *p);

	for (size_t i = 0; on != NULL && p != NULL && i < t->events_n && n < o->most; i++) {
		const struct trace_event *e = &t->events[i];
		uint64_t was = on[e->thread];
		char words[256], name[48], thread[32], proc[16] = "";

		if (e->kind == TR_thread)
			on[e->thread] = was = e->go, p[e->thread] = (unsigned) e->b;
		else if (e->kind == TR_proc_start)
			p[e->thread] = (unsigned) e->a;
		else if (trace_is_stop (e->kind) || e->kind == TR_go_start || e->kind == TR_go_sysexit)
			on[e->thread] = e->go;
		if (p[e->thread])
			snprintf (proc, sizeof proc, "P%u", p[e->thread] - 1);
		if (e->time >= o->from && e->time <= o->to &&
		    (trace_go_wanted (t, o, e->go) || trace_go_wanted (t, o, was))) {
			trace_tell_event (t, e, words, sizeof words);
			util_text_add (out, "%14.6f ms  %-7s %-4s %-16s %-14s %s\n", (double) e->time / 1e6,
			               thread_name (&t->threads[e->thread], thread), proc,
			               was ? trace_go_name (t, was, name) : "", trace_kind_names[e->kind],
			               words);
			n++;
		}
		if (e->kind == TR_proc_stop)
			p[e->thread] = 0;
	}
	out->failed |= on == NULL || p == NULL;
	free (on);
	free (p);
}

static void step (struct text *out, uint64_t from, uint64_t at, const char *format, ...)
    __attribute__ ((format (printf, 4, 5)));

static void step (struct text *out, uint64_t from, uint64_t at, const char *format, ...)
{
	char words[320], after[16];
	va_list ap;

	va_start (ap, format);
	vsnprintf (words, sizeof words, format, ap);
	va_end (ap);
	util_text_add (out, "  %10s  %s\n", at == from ? "0" : util_time (after, (double) (at - from)),
	               words);
}

void trace_tell_preempt (const struct trace *t, const struct trace_preempt *p, struct text *out)
{
	char name[48], where[160], wait[16];
	uint64_t from = p->requested ? p->requested : p->signalled;

	util_text_add (out, "%.6f ms: %s on P%u, %s\n", (double) from / 1e6,
	               trace_go_name (t, p->go, name), p->p, trace_how_names[p->how]);
	if (p->requested)
		step (out, from, p->requested, "sysmon asks for the P%s%s",
		      p->flags & 1 ? ", for fresh work" : ": the slice is over",
		      p->flags & 2 ? " (again)" : "");
	if (p->at)
		step (out, from, p->signalled, "the signal meets %s",
		      trace_symbol (t, p->at, where, sizeof where));
	else
		step (out, from, p->signalled, "looked at on the way out of the runtime");
	if (p->decided && p->depth)
		step (out, from, p->decided, "%s: %s, frame %u: %s", trace_how_names[p->how],
		      trace_string (t, p->why), p->depth, trace_symbol (t, p->pc, where, sizeof where));
	else if (p->decided)
		step (out, from, p->decided, "%s: %s%s%s", trace_how_names[p->how],
		      trace_string (t, p->why), p->pc ? ": " : "",
		      p->pc ? trace_symbol (t, p->pc, where, sizeof where) : "");
	if (p->left)
		step (out, from, p->left, "it has left the P");
	if (p->resumed)
		step (out, from, p->resumed, "it runs again, after %s",
		      util_time (wait, (double) (p->resumed - p->left)));
	else if (p->how == TRACE_DEFERRED)
		step (out, from, p->decided, "it goes on; sysmon will ask again");
	util_text_add (out, "\n");
}

static void show_preempts (const struct trace *t, const struct trace_options *o, struct text *out)
{
	uint64_t n = 0;

	for (size_t i = 0; i < t->preempts_n && n < o->most; i++) {
		const struct trace_preempt *p = &t->preempts[i];
		if (p->signalled < o->from || p->signalled > o->to || !trace_go_wanted (t, o, p->go))
			continue;
		trace_tell_preempt (t, p, out);
		n++;
	}
}

struct chart {
	const struct trace *t;
	uint64_t from, to;
	unsigned columns;
	bool colour;
	uint64_t *most; /* [P][column]: who had most of the cell, index; 0: nobody */
	uint64_t *most_ns;
	char *mark; /* the same: y, h, d */
};

/* A run's part of each cell that it touches; the largest part has the cell. */
static void chart_run (struct chart *c, const struct trace_run *r)
{
	uint64_t span = c->to - c->from;
	uint64_t a = r->from > c->from ? r->from : c->from, b = r->to < c->to ? r->to : c->to;

	if (a >= b || r->p >= c->t->procs)
		return;
	unsigned first = (unsigned) ((double) (a - c->from) / (double) span * c->columns);
	unsigned last = (unsigned) ((double) (b - c->from) / (double) span * c->columns);
	for (unsigned k = first; k <= last && k < c->columns; k++) {
		size_t cell = (size_t) r->p * c->columns + k;
		uint64_t lo = c->from + span / c->columns * k, hi = lo + span / c->columns;
		uint64_t part = (b < hi ? b : hi) > (a > lo ? a : lo)
		                    ? (b < hi ? b : hi) - (a > lo ? a : lo)
		                    : 0;
		if (part > c->most_ns[cell] || (part && !c->most[cell])) {
			c->most[cell] = r->go;
			c->most_ns[cell] = part;
		}
	}
}

static void chart_preempt (struct chart *c, const struct trace_preempt *p)
{
	static const char marks[TRACE_HOWS] = {
		[TRACE_YIELD] = '^', [TRACE_HANDOFF] = '#', [TRACE_DEFERRED] = '!'
	};
	unsigned k;

	if (!marks[p->how] || p->decided < c->from || p->decided >= c->to || p->p >= c->t->procs)
		return;
	k = (unsigned) ((double) (p->decided - c->from) / (double) (c->to - c->from) * c->columns);
	if (k < c->columns && c->mark[(size_t) p->p * c->columns + k] < marks[p->how])
		c->mark[(size_t) p->p * c->columns + k] = marks[p->how];
}

static char letter_of (const struct chart *c, uint64_t go)
{
	unsigned lane = c->t->gos[go - 1].lane;

	return lane == 0 || lane > LETTERS ? '*' : letters[lane - 1];
}

static void chart_lane (const struct chart *c, unsigned p, struct text *out)
{
	util_text_add (out, "P%-3u|", p);
	for (unsigned k = 0; k < c->columns; k++) {
		uint64_t go = c->most[(size_t) p * c->columns + k];
		if (go && c->colour)
			util_text_add (out, "\033[3%um%c\033[0m", 1 + c->t->gos[go - 1].lane % COLOURS,
			               letter_of (c, go));
		else
			util_text_add (out, "%c", go ? letter_of (c, go) : ' ');
	}
	util_text_add (out, "|\n    |");
	for (unsigned k = 0; k < c->columns; k++) {
		char m = c->mark[(size_t) p * c->columns + k];
		util_text_add (out, "%c", m ? m : ' ');
	}
	util_text_add (out, "|\n");
}

static void legend (const struct chart *c, struct text *out)
{
	unsigned n = 0;
	char name[48];

	util_text_add (out, "\n");
	for (unsigned lane = 1; lane <= LETTERS; lane++)
		for (size_t i = 0; i < c->t->gos_n; i++)
			if (c->t->gos[i].lane == lane)
				util_text_add (out, "%c %-20.20s%s", letters[lane - 1],
				               trace_go_name (c->t, i + 1, name), ++n % 4 ? "" : "\n");
	util_text_add (out, "%s* any other   ^ preempted in place   # handed off   ! deferred\n",
	               n % 4 ? "\n" : "");
}

static unsigned terminal_columns (void)
{
	struct winsize w;

	if (ioctl (STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col >= 40)
		return w.ws_col > 400 ? 400 : w.ws_col;
	return 100;
}

static void show_chart (const struct trace *t, const struct trace_options *o, struct text *out)
{
	struct chart c = { .t = t, .from = o->from, .to = o->to < t->length ? o->to : t->length };
	size_t cells;
	char a[16], b[16];

	c.columns = terminal_columns () - 6;
	c.colour = o->out == NULL && isatty (STDOUT_FILENO) && getenv ("NO_COLOR") == NULL;
	cells = (size_t) t->procs * c.columns + 1;
	c.most = calloc (cells, sizeof *c.most);
	c.most_ns = calloc (cells, sizeof *c.most_ns);
	c.mark = calloc (cells, 1);
	if (c.most == NULL || c.most_ns == NULL || c.mark == NULL || c.to <= c.from) {
		out->failed = c.to > c.from;
	} else {
		for (size_t i = 0; i < t->runs_n; i++)
			chart_run (&c, &t->runs[i]);
		for (size_t i = 0; i < t->preempts_n; i++)
			chart_preempt (&c, &t->preempts[i]);
		util_text_add (out, "%s to %s; a column is ", util_time (a, (double) c.from),
		               util_time (b, (double) c.to));
		util_text_add (out, "%s\n", util_time (a, (double) (c.to - c.from) / c.columns));
		for (unsigned p = 0; p < t->procs; p++)
			chart_lane (&c, p, out);
		legend (&c, out);
	}
	free (c.most);
	free (c.most_ns);
	free (c.mark);
}

int trace_show (const struct trace *t, const struct trace_options *o, struct text *out)
{
	if (o->events)
		show_events (t, o, out);
	if (o->preemptions)
		show_preempts (t, o, out);
	if (!o->events && !o->preemptions)
		show_chart (t, o, out);
	return TOOL_OK;
}
