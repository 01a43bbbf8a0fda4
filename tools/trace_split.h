/* SPDX-License-Identifier: MIT */
/* trace_split.h - what preemptions came to, by outcome and by reason, and how long each step
 * from the request to the next run took */
#ifndef GOAD_TOOLS_TRACE_SPLIT_H
#define GOAD_TOOLS_TRACE_SPLIT_H

#include "trace_read.h"
#include "util.h"

/* From one step of a preemption to the next. */
enum trace_step {
	TRACE_TO_SIGNAL,
	TRACE_TO_DECISION,
	TRACE_TO_LEFT,
	TRACE_TO_RESUMED,
	TRACE_STEPS
};

extern const char *const trace_step_names[TRACE_STEPS]; /* "request to signal"  */
extern const char *const trace_step_keys[TRACE_STEPS];  /* "request_to_signal"  */

struct trace_reason {
	uint32_t why, how; /* why: for trace_string; 0: there is none */
	uint64_t n;
};

struct trace_split {
	uint64_t by_how[TRACE_HOWS];
	struct hist step[TRACE_STEPS];
	struct trace_reason reason[128]; /* the most frequent first */
	size_t reasons;
};

/* To be freed; NULL: no memory. */
struct trace_split *trace_split (const struct trace *t);

#endif
