/* SPDX-License-Identifier: MIT */
/* trace_model.c - from events to runs, waits and preemptions
 *
 * Follows each thread (which P has it, which coroutine runs on it), each coroutine and each
 * P through the trace, and notes what cannot be: who begins to run while it runs, a P that
 * two threads have, a stop of nobody.  A trace may begin in the middle; what is not known
 * yet is no problem then. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace_read.h"
#include "util.h"

enum { UNKNOWN, RUNNABLE, RUNNING, WAITING, SYSCALL, LOOSE, DEAD };

const char *const trace_how_names[TRACE_HOWS] = { "-",        "yielded",     "handed off",
	                                              "deferred", "injected",    "not needed",
	                                              "too late", "world stops", "pending" };

struct proc {
	size_t thread; /* index + 1 */
	uint64_t requested, slice;
	uint8_t flags;
};

struct model {
	struct trace *t;
	const struct trace_event *e;
	struct trace_thread *th;
	struct proc *procs;
	size_t procs_n;
	unsigned lanes;
	bool failed;
};

bool trace_is_stop (unsigned kind)
{
	return kind >= TR_go_yield && kind <= TR_go_join;
}

static void problem (struct model *m, const char *what)
{
	char name[48];

	if (m->t->lost)
		return;
	if (m->t->problems++ == 0)
		snprintf (m->t->problem, sizeof m->t->problem, "%s: %s of %s on thread %u at %.6f ms", what,
		          trace_kind_names[m->e->kind], trace_go_name (m->t, m->e->go, name), m->th->tid,
		          (double) m->e->time / 1e6);
}

static struct proc *proc_of (struct model *m, uint64_t p)
{
	if (p == 0 || p > 4096)
		return NULL;
	if (p > m->procs_n) {
		struct proc *more = realloc (m->procs, p * sizeof *more);
		if (more == NULL) {
			m->failed = true;
			return NULL;
		}
		memset (more + m->procs_n, 0, (p - m->procs_n) * sizeof *more);
		m->procs = more;
		m->procs_n = p;
	}
	if (p > m->t->procs)
		m->t->procs = (unsigned) p;
	return &m->procs[p - 1];
}

static void run_ends (struct model *m, struct trace_thread *th, uint8_t how)
{
	if (th->at_run) {
		struct trace_run *r = &m->t->runs[th->at_run - 1];
		r->to = m->e->time;
		r->how = how;
		r->preempt = th->preempt;
		m->t->gos[r->go - 1].cpu += r->to - r->from;
	}
	th->at_run = 0;
}

static void run_begins (struct model *m, struct trace_thread *th, uint64_t go)
{
	struct trace *t = m->t;

	if (!trace_grow (&t->runs, t->runs_n, sizeof *t->runs)) {
		m->failed = true;
		return;
	}
	t->runs[t->runs_n++] = (struct trace_run){ .from = m->e->time,
		                                       .go = go,
		                                       .p = th->p ? th->p - 1 : 0,
		                                       .thread = (uint16_t) (th - t->threads) };
	th->at_run = th->p ? t->runs_n : 0;
	if (!th->p)
		t->runs_n--;
}

static void leave_state (struct model *m, struct trace_go *g)
{
	uint64_t d = m->e->time - g->since;

	if (g->state == RUNNABLE) {
		g->wait += d;
		if (d > g->wait_max)
			g->wait_max = d;
	} else if (g->state == WAITING || g->state == SYSCALL || g->state == LOOSE) {
		g->blocked += d;
	}
}

static void set_state (struct model *m, uint64_t go, uint8_t state)
{
	struct trace_go *g = &m->t->gos[go - 1];

	leave_state (m, g);
	g->state = state;
	g->since = m->e->time;
}

static void begin (struct model *m, struct trace_thread *th, uint64_t go)
{
	struct trace_go *g = &m->t->gos[go - 1];

	if (g->state != UNKNOWN && g->state != RUNNABLE && g->state != SYSCALL && g->state != LOOSE)
		problem (m, "who begins to run was not waiting to");
	if (th->go && th->go != go && m->t->gos[th->go - 1].state == RUNNING)
		problem (m, "another ran there, and did not stop");
	if (!th->p && th->known)
		problem (m, "it runs without a P");
	run_ends (m, th, TR_unknown);
	set_state (m, go, RUNNING);
	g->slices++;
	g->thread = (uint32_t) (th - m->t->threads);
	if (!g->lane)
		g->lane = ++m->lanes;
	if (g->resumes) {
		m->t->preempts[g->resumes - 1].resumed = m->e->time;
		g->resumes = 0;
	}
	th->go = go;
	th->syscall = false;
	run_begins (m, th, go);
}

static uint8_t state_after (unsigned kind)
{
	switch (kind) {
	case TR_go_end:
		return DEAD;
	case TR_go_yield:
	case TR_go_preempt:
	case TR_go_handoff:
	case TR_go_halt:
	case TR_go_move:
		return RUNNABLE;
	default:
		return WAITING;
	}
}

static void stop (struct model *m)
{
	struct trace_thread *th = m->th;
	uint64_t go = th->go;

	if (!go) {
		if (th->known)
			problem (m, "nobody ran there");
	} else {
		struct trace_go *g = &m->t->gos[go - 1];
		if (g->state != RUNNING)
			problem (m, "who stops did not run");
		run_ends (m, th, m->e->kind);
		set_state (m, go, state_after (m->e->kind));
		if (m->e->kind == TR_go_end)
			g->ended = true, g->died = m->e->time;
		g->yielded += m->e->kind == TR_go_preempt;
		g->handed += m->e->kind == TR_go_handoff;
		if (th->preempt && (m->e->kind == TR_go_preempt || m->e->kind == TR_go_handoff)) {
			m->t->preempts[th->preempt - 1].left = m->e->time;
			g->resumes = th->preempt;
		}
	}
	th->preempt = 0;
	th->go = 0;
	th->known = true;
	if (m->e->go)
		begin (m, th, m->e->go);
}

static void made (struct model *m)
{
	struct trace_go *g = &m->t->gos[m->e->go - 1];

	if (g->created || g->state != UNKNOWN)
		problem (m, "it was there already");
	g->created = true;
	g->born = m->e->time;
	set_state (m, m->e->go, RUNNABLE);
}

static void unblocked (struct model *m)
{
	struct trace_go *g = &m->t->gos[m->e->go - 1];

	if (g->state != UNKNOWN && g->state != WAITING && g->state != SYSCALL && g->state != LOOSE)
		problem (m, "it was not waiting");
	if (m->th->go == m->e->go && m->th->syscall) { /* back without a P */
		run_ends (m, m->th, TR_go_syscall);
		m->th->go = 0;
		m->th->syscall = false;
	}
	set_state (m, m->e->go, RUNNABLE);
}

static void in_kernel (struct model *m)
{
	struct trace_thread *th = m->th;

	if (!th->go)
		return;
	run_ends (m, th, TR_go_syscall);
	set_state (m, th->go, SYSCALL);
	th->syscall = true;
}

/* sysmon's word for another thread. */
static void taken_in_kernel (struct model *m)
{
	struct trace_go *g = &m->t->gos[m->e->go - 1];
	struct trace_thread *th = &m->t->threads[g->thread];

	if (g->state == RUNNING && th->go == m->e->go) {
		run_ends (m, th, TR_go_sysblock);
		th->p = 0;
		th->syscall = true;
	} else if (g->state != UNKNOWN) {
		problem (m, "it did not run");
	}
	set_state (m, m->e->go, LOOSE);
}

static void got_p (struct model *m)
{
	struct proc *p = proc_of (m, m->e->a);

	if (p == NULL)
		return;
	if (p->thread && p->thread != (size_t) (m->th - m->t->threads) + 1)
		problem (m, "another thread has this P");
	p->thread = (size_t) (m->th - m->t->threads) + 1;
	m->th->p = (unsigned) m->e->a;
	m->th->known = true;
}

static void lost_p (struct model *m)
{
	struct proc *p = proc_of (m, m->e->a);

	if (p == NULL)
		return;
	if (m->e->kind == TR_proc_taken) {
		if (p->thread) {
			struct trace_thread *th = &m->t->threads[p->thread - 1];
			if (th->p == m->e->a)
				th->p = 0;
		}
	} else {
		if (m->th->known && m->th->p != m->e->a)
			problem (m, "it had another P");
		m->th->p = 0;
	}
	p->thread = 0;
}

static void announced (struct model *m)
{
	struct trace_thread *th = m->th;
	struct proc *p = proc_of (m, m->e->b);

	if (p != NULL) {
		p->thread = (size_t) (th - m->t->threads) + 1;
		th->p = (unsigned) m->e->b;
	}
	if (m->e->go) {
		struct trace_go *g = &m->t->gos[m->e->go - 1];
		set_state (m, m->e->go, RUNNING);
		g->thread = (uint32_t) (th - m->t->threads);
		if (!g->lane)
			g->lane = ++m->lanes;
		th->go = m->e->go;
		run_begins (m, th, m->e->go);
	}
}

static struct trace_preempt *open_preempt (struct model *m)
{
	struct trace *t = m->t;
	struct proc *p = proc_of (m, m->th->p);

	if (!trace_grow (&t->preempts, t->preempts_n, sizeof *t->preempts)) {
		m->failed = true;
		return NULL;
	}
	t->preempts[t->preempts_n++] = (struct trace_preempt){
		.signalled = m->e->time,
		.go = m->th->go,
		.thread = m->e->thread,
		.p = m->th->p ? m->th->p - 1 : 0,
	};
	m->th->preempt = t->preempts_n;
	if (p != NULL) {
		t->preempts[t->preempts_n - 1].requested = p->requested;
		t->preempts[t->preempts_n - 1].flags = p->flags;
	}
	return &t->preempts[t->preempts_n - 1];
}

static void decided (struct model *m)
{
	struct trace_preempt *d = m->th->preempt ? &m->t->preempts[m->th->preempt - 1] : NULL;

	if (m->e->extra == TRACE_HALT)
		return;
	if (d == NULL || m->e->extra == TRACE_PENDING)
		d = open_preempt (m);
	if (d == NULL)
		return;
	d->decided = m->e->time;
	d->how = m->e->extra;
	d->why = (uint32_t) m->e->b;
	d->depth = (uint32_t) (m->e->b >> 32);
	d->pc = m->e->a;
	switch (m->e->extra) {
	case TRACE_DEFERRED:
		if (d->go)
			m->t->gos[d->go - 1].deferred++;
		m->th->preempt = 0;
		break;
	case TRACE_STALE:
	case TRACE_UNNEEDED:
		m->th->preempt = 0;
		break;
	}
}

static void requested (struct model *m)
{
	struct proc *p = proc_of (m, m->e->a);

	if (p == NULL)
		return;
	p->requested = m->e->time;
	p->slice = m->e->b;
	p->flags = m->e->extra;
}

static void signalled (struct model *m)
{
	struct trace_preempt *d = open_preempt (m);
	struct proc *p = proc_of (m, m->th->p);

	if (d == NULL)
		return;
	d->at = d->pc = m->e->a;
	if (p != NULL && p->slice != m->e->b)
		d->requested = 0;
}

static void one (struct model *m)
{
	switch (m->e->kind) {
	case TR_thread:
		announced (m);
		break;
	case TR_proc_start:
		got_p (m);
		break;
	case TR_proc_stop:
	case TR_proc_taken:
		lost_p (m);
		break;
	case TR_go_create:
		made (m);
		break;
	case TR_go_start:
		begin (m, m->th, m->e->go);
		break;
	case TR_go_unblock:
		unblocked (m);
		break;
	case TR_go_syscall:
		in_kernel (m);
		break;
	case TR_go_sysexit:
		begin (m, m->th, m->e->go);
		break;
	case TR_go_sysblock:
		taken_in_kernel (m);
		break;
	case TR_request:
		requested (m);
		break;
	case TR_signal:
		signalled (m);
		break;
	case TR_decision:
		decided (m);
		break;
	default:
		if (trace_is_stop (m->e->kind))
			stop (m);
		break;
	}
}

/* A runtime that has ended has nobody running. */
static void forget_threads (struct model *m)
{
	for (size_t i = 0; i < m->procs_n; i++)
		m->procs[i] = (struct proc){ 0 };
}

int trace_model (struct trace *t)
{
	struct model m = { .t = t };
	struct trace_event last = { .time = t->length };
	unsigned run = 0;

	for (size_t i = 0; i < t->events_n && !m.failed; i++) {
		m.e = &t->events[i];
		m.th = &t->threads[m.e->thread];
		if (m.th->run != run) {
			run = m.th->run;
			forget_threads (&m);
		}
		one (&m);
	}
	m.e = &last;
	for (size_t i = 0; i < t->threads_n && !m.failed; i++)
		run_ends (&m, &t->threads[i], TR_unknown);
	for (size_t i = 0; i < t->gos_n; i++)
		if (!t->gos[i].ended && t->gos[i].state != UNKNOWN)
			leave_state (&m, &t->gos[i]);
	free (m.procs);
	return m.failed ? -1 : 0;
}

const char *trace_fact (const struct trace *t, const char *name)
{
	for (size_t i = 0; i < t->facts_n; i++)
		if (t->facts[i].name != NULL && t->facts[i].value != NULL &&
		    strcmp (t->facts[i].name, name) == 0)
			return t->facts[i].value;
	return "";
}

const char *trace_string (const struct trace *t, uint64_t n)
{
	return n > 0 && n <= t->strings_n && t->strings[n - 1] != NULL ? t->strings[n - 1] : "";
}

/* Its name, or that of its function, and its number. */
const char *trace_go_name (const struct trace *t, uint64_t go, char buf[48])
{
	const struct trace_go *g;
	char function[32];

	if (go == 0 || go > t->gos_n)
		return "nobody";
	g = &t->gos[go - 1];
	if (g->name[0])
		snprintf (buf, 48, "%s", g->name);
	else if (g->fn && trace_function (t, g->fn, function, sizeof function)[0])
		snprintf (buf, 48, "%s/%llu", function, (unsigned long long) g->id);
	else
		snprintf (buf, 48, "#%llu", (unsigned long long) g->id);
	return buf;
}

const char *trace_end_name (unsigned kind)
{
	static const char *const names[] = { [TR_go_yield] = "yields",
		                                 [TR_go_end] = "ends",
		                                 [TR_go_preempt] = "preempted",
		                                 [TR_go_handoff] = "handed off",
		                                 [TR_go_halt] = "world stops",
		                                 [TR_go_move] = "moved",
		                                 [TR_go_block] = "waits",
		                                 [TR_go_send] = "waits to send",
		                                 [TR_go_recv] = "waits to receive",
		                                 [TR_go_select] = "waits in select",
		                                 [TR_go_sync] = "waits for a lock",
		                                 [TR_go_cond] = "waits for a condition",
		                                 [TR_go_net] = "waits for I/O",
		                                 [TR_go_sleep] = "sleeps",
		                                 [TR_go_join] = "joins",
		                                 [TR_go_syscall] = "in the kernel",
		                                 [TR_go_sysblock] = "P taken" };
	return kind < UTIL_COUNT (names) && names[kind] != NULL ? names[kind] : "still runs";
}
