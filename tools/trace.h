/* SPDX-License-Identifier: MIT */
/* trace.h - goad trace: what its files share */
#ifndef GOAD_TOOLS_TRACE_H
#define GOAD_TOOLS_TRACE_H

#include "trace_read.h"
#include "util.h"

enum { TRACE_JSON, TRACE_CHROME, TRACE_CSV, TRACE_FOLDED };

struct trace_options {
	const char *out, *file; /* NULL: standard output; goad.trace */
	uint64_t from, to;      /* ns since the start                */
	int format;             /* TRACE_*; -1: none was given       */
	bool check, events, preemptions, json;
	uint64_t most;
	const char *go; /* a coroutine's name or number */
	int argc;
	char **argv; /* what follows the options */
};

/* Each returns an exit code. */
int trace_record (const struct trace_options *o);
int trace_summary (const struct trace *t, const struct trace_options *o, struct text *out);
int trace_convert (const struct trace *t, const struct trace_options *o, struct text *out);
int trace_show (const struct trace *t, const struct trace_options *o, struct text *out);
int trace_plot (const struct trace *t, const struct trace_options *o);
extern const char *const trace_plot_package; /* what was missing, or NULL */

/* The coroutine is the one asked for, or all are. */
bool trace_go_wanted (const struct trace *t, const struct trace_options *o, uint64_t go);

/* trace_show.c: the story of one preemption, and one event in words. */
void trace_tell_preempt (const struct trace *t, const struct trace_preempt *p, struct text *out);
void trace_tell_event (const struct trace *t, const struct trace_event *e, char *buf, size_t size);

/* For JSON: quotes and control characters escaped, and nothing that is no UTF-8. */
void trace_json_string (struct text *out, const char *s);

#endif
