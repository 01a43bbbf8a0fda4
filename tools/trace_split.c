/* SPDX-License-Identifier: MIT */
/* trace_split.c - preemptions by outcome, by reason, and step by step */
#include "trace_split.h"

#include <stdlib.h>

const char *const trace_step_names[TRACE_STEPS] = { "request to signal", "signal to decision",
	                                                "decision to switch", "switch to resume" };
const char *const trace_step_keys[TRACE_STEPS] = { "request_to_signal", "signal_to_decision",
	                                               "decision_to_switch", "switch_to_resume" };

static void add_step (struct trace_split *s, enum trace_step step, uint64_t from, uint64_t to)
{
	if (from && to >= from)
		util_hist_add (&s->step[step], to - from);
}

static void add_steps (struct trace_split *s, const struct trace_preempt *p)
{
	if (p->how != TRACE_PENDING)
		add_step (s, TRACE_TO_SIGNAL, p->requested, p->signalled);
	if (p->how != TRACE_YIELD && p->how != TRACE_HANDOFF && p->how != TRACE_DEFERRED)
		return;
	add_step (s, TRACE_TO_DECISION, p->signalled, p->decided);
	add_step (s, TRACE_TO_LEFT, p->decided, p->left);
	add_step (s, TRACE_TO_RESUMED, p->left, p->resumed);
}

static void add_reason (struct trace_split *s, const struct trace_preempt *p)
{
	size_t k = 0;

	while (k < s->reasons && (s->reason[k].why != p->why || s->reason[k].how != p->how))
		k++;
	if (k == UTIL_COUNT (s->reason))
		return;
	if (k == s->reasons)
		s->reason[s->reasons++] = (struct trace_reason){ p->why, p->how, 0 };
	s->reason[k].n++;
}

static int by_n (const void *a, const void *b)
{
	const struct trace_reason *x = a, *y = b;

	return x->n < y->n ? 1 : x->n > y->n ? -1 : (int) x->why - (int) y->why;
}

struct trace_split *trace_split (const struct trace *t)
{
	struct trace_split *s = calloc (1, sizeof *s);

	for (size_t i = 0; s != NULL && i < t->preempts_n; i++) {
		s->by_how[t->preempts[i].how]++;
		add_steps (s, &t->preempts[i]);
		add_reason (s, &t->preempts[i]);
	}
	if (s != NULL)
		qsort (s->reason, s->reasons, sizeof *s->reason, by_n);
	return s;
}
