/* SPDX-License-Identifier: MIT */
/* trace_convert.c - a trace in the formats of others
 *
 * Chrome's JSON (Trace Event Format), which ui.perfetto.dev reads: process 1 has a track for
 * each P with the runs on it; flows lead from the end of a run to the beginning of the
 * coroutine's next one; marks where a preemption was decided.  Times are microseconds. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace.h"

static bool utf8 (const unsigned char *s, int n)
{
	for (int i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return false;
	return true;
}

void trace_json_string (struct text *out, const char *s)
{
	const unsigned char *c = (const unsigned char *) s;

	util_text_add (out, "\"");
	while (*c != '\0') {
		int n = *c < 0x80 ? 1 : *c < 0xc2 ? 0 : *c < 0xe0 ? 2 : *c < 0xf0 ? 3 : *c < 0xf5 ? 4 : 0;

		if (*c == '"' || *c == '\\')
			util_text_add (out, "\\%c", *c);
		else if (*c < 0x20 || *c == 0x7f)
			util_text_add (out, "\\u%04x", *c);
		else if (n == 0 || !utf8 (c, n) || (n == 3 && *c == 0xed && c[1] >= 0xa0))
			util_text_add (out, "?"), n = 1;
		else
			util_text_add (out, "%.*s", n, (const char *) c);
		c += n ? n : 1;
	}
	util_text_add (out, "\"");
}

static void chrome_meta (const struct trace *t, struct text *out)
{
	util_text_add (out, "{\"name\":\"process_name\",\"ph\":\"M\",\"pid\":1,\"args\":{\"name\":");
	trace_json_string (out, trace_fact (t, "program"));
	util_text_add (out, "}}");
	for (unsigned p = 0; p < t->procs; p++)
		util_text_add (
		    out,
		    ",\n{\"name\":\"thread_name\",\"ph\":\"M\",\"pid\":1,\"tid\":%u,\"args\":"
		    "{\"name\":\"P%u\"}},\n{\"name\":\"thread_sort_index\",\"ph\":\"M\",\"pid\":1,"
		    "\"tid\":%u,\"args\":{\"sort_index\":%u}}",
		    p, p, p, p);
	util_text_add (out,
	               ",\n{\"name\":\"thread_name\",\"ph\":\"M\",\"pid\":1,\"tid\":%u,\"args\":"
	               "{\"name\":\"sysmon\"}}",
	               t->procs);
}

static void chrome_run (const struct trace *t, const struct trace_run *r, struct text *out)
{
	const struct trace_go *g = &t->gos[r->go - 1];
	char name[48];

	util_text_add (out, ",\n{\"name\":");
	trace_json_string (out, trace_go_name (t, r->go, name));
	util_text_add (out,
	               ",\"cat\":\"run\",\"ph\":\"X\",\"pid\":1,\"tid\":%u,\"ts\":%.3f,\"dur\":%.3f,"
	               "\"args\":{\"go\":%" PRIu64 ",\"thread\":%u,\"ended\":\"%s\"}}",
	               r->p, (double) r->from / 1e3, (double) (r->to - r->from) / 1e3, g->id,
	               t->threads[r->thread].tid, trace_end_name (r->how));
}

/* From the end of one run to the beginning of the next of the same coroutine. */
static void chrome_flow (const struct trace_run *from, const struct trace_run *to, size_t id,
                         struct text *out)
{
	util_text_add (out,
	               ",\n{\"name\":\"next run\",\"cat\":\"flow\",\"ph\":\"s\",\"id\":%zu,\"pid\":1,"
	               "\"tid\":%u,\"ts\":%.3f},\n{\"name\":\"next run\",\"cat\":\"flow\",\"ph\":\"f\","
	               "\"bp\":\"e\",\"id\":%zu,\"pid\":1,\"tid\":%u,\"ts\":%.3f}",
	               id, from->p, (double) (from->to > from->from ? from->to - 1 : from->to) / 1e3,
	               id, to->p, (double) to->from / 1e3);
}

static void chrome_preempt (const struct trace *t, const struct trace_preempt *p, struct text *out)
{
	char where[160], name[48];

	util_text_add (out,
	               ",\n{\"name\":\"%s\",\"cat\":\"preempt\",\"ph\":\"i\",\"s\":\"t\",\"pid\":1,"
	               "\"tid\":%u,\"ts\":%.3f,\"args\":{\"go\":",
	               trace_how_names[p->how], p->p, (double) p->decided / 1e3);
	trace_json_string (out, trace_go_name (t, p->go, name));
	util_text_add (out, ",\"why\":");
	trace_json_string (out, trace_string (t, p->why));
	util_text_add (out, ",\"frame\":");
	trace_json_string (out, trace_symbol (t, p->pc, where, sizeof where));
	util_text_add (out, ",\"depth\":%u", p->depth);
	if (p->requested)
		util_text_add (out, ",\"request_to_decision_us\":%.3f",
		               (double) (p->decided - p->requested) / 1e3);
	util_text_add (out, "}}");
}

static void chrome_sysmon (const struct trace *t, const struct trace_options *o, struct text *out)
{
	uint64_t woke = 0;
	bool awake = false;

	for (size_t i = 0; i < t->events_n; i++) {
		const struct trace_event *e = &t->events[i];

		if (e->time < o->from || e->time > o->to)
			continue;
		if (e->kind == TR_sysmon_wake) {
			woke = e->time, awake = true;
		} else if (e->kind == TR_sysmon_sleep && awake) {
			util_text_add (out,
			               ",\n{\"name\":\"looks\",\"cat\":\"sysmon\",\"ph\":\"X\",\"pid\":1,"
			               "\"tid\":%u,\"ts\":%.3f,\"dur\":%.3f}",
			               t->procs, (double) woke / 1e3, (double) (e->time - woke) / 1e3);
			awake = false;
		} else if (e->kind == TR_request && e->a > 0) {
			util_text_add (out,
			               ",\n{\"name\":\"asks P%u\",\"cat\":\"sysmon\",\"ph\":\"i\",\"s\":\"t\","
			               "\"pid\":1,\"tid\":%u,\"ts\":%.3f}",
			               (unsigned) e->a - 1, t->procs, (double) e->time / 1e3);
		}
	}
}

static bool overlaps (const struct trace_options *o, const struct trace_run *r)
{
	return r->to >= o->from && r->from <= o->to;
}

static void chrome (const struct trace *t, const struct trace_options *o, struct text *out)
{
	size_t *last = calloc (t->gos_n + 1, sizeof *last);

	util_text_add (out,
	               "{\"displayTimeUnit\":\"ns\",\"otherData\":{\"lost\":%" PRIu64
	               ",\"complete\":%s},\"traceEvents\":[\n",
	               t->lost, t->complete ? "true" : "false");
	chrome_meta (t, out);
	for (size_t i = 0; i < t->runs_n && last != NULL; i++) {
		const struct trace_run *r = &t->runs[i];

		if (!overlaps (o, r))
			continue;
		chrome_run (t, r, out);
		if (last[r->go])
			chrome_flow (&t->runs[last[r->go] - 1], r, i + 1, out);
		last[r->go] = i + 1;
	}
	for (size_t i = 0; i < t->preempts_n; i++)
		if (t->preempts[i].decided >= o->from && t->preempts[i].decided <= o->to &&
		    t->preempts[i].decided)
			chrome_preempt (t, &t->preempts[i], out);
	chrome_sysmon (t, o, out);
	util_text_add (out, "\n]}\n");
	if (last == NULL)
		out->failed = true;
	free (last);
}

/* A field of a CSV file (RFC 4180). */
static void csv_field (struct text *out, const char *s)
{
	if (strpbrk (s, ",\"\n\r") == NULL) {
		util_text_add (out, ",%s", s);
		return;
	}
	util_text_add (out, ",\"");
	for (; *s != '\0'; s++)
		util_text_add (out, *s == '"' ? "\"\"" : "%c", *s);
	util_text_add (out, "\"");
}

static void csv (const struct trace *t, const struct trace_options *o, struct text *out)
{
	static const char *const roles[] = { "m", "sysmon", "outside" };

	util_text_add (out, "time_ns,role,tid,event,go,name,a,b,text\r\n");
	for (size_t i = 0; i < t->events_n; i++) {
		const struct trace_event *e = &t->events[i];
		const struct trace_thread *th = &t->threads[e->thread];
		char name[48], words[256];

		if (e->time < o->from || e->time > o->to)
			continue;
		util_text_add (out, "%" PRIu64 ",%s,%u,%s,", e->time, roles[th->role], th->tid,
		               trace_kind_names[e->kind]);
		if (e->go)
			util_text_add (out, "%" PRIu64, t->gos[e->go - 1].id);
		csv_field (out, e->go ? trace_go_name (t, e->go, name) : "");
		util_text_add (out, ",%" PRIu64 ",%" PRIu64, e->a, e->b);
		trace_tell_event (t, e, words, sizeof words);
		csv_field (out, words);
		util_text_add (out, "\r\n");
	}
}

/* No semicolon or space may stand in a frame. */
static void folded_frame (struct text *out, const char *s)
{
	for (; *s != '\0'; s++)
		util_text_add (out, "%c", *s == ';' || *s == ' ' || *s == '\n' ? '_' : *s);
}

/* Who ran, and how its runs ended; for those that were preempted, in which function.  The
 * weights are microseconds. */
static void folded (const struct trace *t, const struct trace_options *o, struct text *out)
{
	for (size_t i = 0; i < t->runs_n; i++) {
		const struct trace_run *r = &t->runs[i];
		uint64_t us = (r->to - r->from + 500) / 1000;
		char name[48], where[96] = "";

		if (!overlaps (o, r) || us == 0)
			continue;
		util_text_add (out, "P%u;", r->p);
		folded_frame (out, trace_go_name (t, r->go, name));
		util_text_add (out, ";");
		folded_frame (out, trace_end_name (r->how));
		if (r->preempt && (r->how == TR_go_preempt || r->how == TR_go_handoff))
			trace_function (t, t->preempts[r->preempt - 1].at, where, sizeof where);
		if (where[0]) {
			util_text_add (out, ";");
			folded_frame (out, where);
		}
		util_text_add (out, " %" PRIu64 "\n", us);
	}
}

int trace_convert (const struct trace *t, const struct trace_options *o, struct text *out)
{
	switch (o->format) {
	case TRACE_CHROME:
		chrome (t, o, out);
		break;
	case TRACE_CSV:
		csv (t, o, out);
		break;
	default:
		folded (t, o, out);
		break;
	}
	return TOOL_OK;
}
