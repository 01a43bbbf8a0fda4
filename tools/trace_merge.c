/* SPDX-License-Identifier: MIT */
/* trace_merge.c - the events of all threads in one order
 *
 * Each thread's are in order already; between threads the times decide, but they can be
 * some microseconds off.  What cannot be off is the count that a coroutine carries from
 * the event of one thread to that of the next, and that it stops on the one before it
 * begins on the other, as a P does: an event whose turn has not come waits, with all that
 * comes after it on its thread, until it has.  That can be long: a thread that the host
 * took the CPU from just after it looked at the clock writes an old time when it is back.
 * After a loss the turn may never come; so then none waits beyond a millisecond of the
 * others' time. */
#include <stdlib.h>
#include <string.h>

#include "trace_read.h"
#include "util.h"

enum { PROCS = 4096 };

#define PATIENCE UINT64_C (1000000000)
#define LITTLE UINT64_C (1000000)

/* Open addressing: run and number of a coroutine to its index + 1. */
static struct {
	uint64_t *index;
	size_t size, used;
	const struct trace *of;
} table;

static uint64_t hash (unsigned run, uint64_t id)
{
	uint64_t x = id * UINT64_C (0x9e3779b97f4a7c15) + run;

	return x ^ x >> 29;
}

static bool table_grow (struct trace *t)
{
	size_t size = table.size ? 2 * table.size : 1024;
	uint64_t *index = calloc (size, sizeof *index);

	if (index == NULL) {
		util_error ("no memory for this trace");
		return false;
	}
	for (size_t i = 0; i < t->gos_n; i++) {
		size_t at = hash (t->gos[i].run, t->gos[i].id) & (size - 1);
		while (index[at])
			at = (at + 1) & (size - 1);
		index[at] = i + 1;
	}
	free (table.index);
	table.index = index;
	table.size = size;
	return true;
}

void trace_go_forget (void)
{
	free (table.index);
	memset (&table, 0, sizeof table);
}

uint64_t trace_go_find (struct trace *t, unsigned run, uint64_t id)
{
	size_t at;

	if (table.of != t) {
		trace_go_forget ();
		table.of = t;
	}
	if (t->gos_n * 2 >= table.size && !table_grow (t))
		return 0;
	for (at = hash (run, id) & (table.size - 1); table.index[at];
	     at = (at + 1) & (table.size - 1)) {
		const struct trace_go *g = &t->gos[table.index[at] - 1];
		if (g->id == id && g->run == run)
			return table.index[at];
	}
	if (!trace_grow (&t->gos, t->gos_n, sizeof *t->gos))
		return 0;
	t->gos[t->gos_n] = (struct trace_go){ .id = id, .run = run, .expected = 1 };
	table.index[at] = ++t->gos_n;
	return t->gos_n;
}

struct merge {
	struct trace *t;
	struct trace_event *in; /* by thread */
	size_t *next, *end;     /* of each thread */
	unsigned *heap, *held;
	size_t heap_n, held_n, out;
	uint64_t last;
	bool held_p[PROCS]; /* some thread has it */
};

static uint64_t time_of (const struct merge *m, unsigned thread)
{
	return m->in[m->next[thread]].time;
}

static void push (struct merge *m, unsigned thread)
{
	size_t i = m->heap_n++;

	for (; i > 0 && time_of (m, m->heap[(i - 1) / 2]) > time_of (m, thread); i = (i - 1) / 2)
		m->heap[i] = m->heap[(i - 1) / 2];
	m->heap[i] = thread;
}

static unsigned pop (struct merge *m)
{
	unsigned top = m->heap[0], last = m->heap[--m->heap_n];
	size_t i = 0, child;

	for (; (child = 2 * i + 1) < m->heap_n; i = child) {
		if (child + 1 < m->heap_n && time_of (m, m->heap[child + 1]) < time_of (m, m->heap[child]))
			child++;
		if (time_of (m, m->heap[child]) >= time_of (m, last))
			break;
		m->heap[i] = m->heap[child];
	}
	if (m->heap_n > 0)
		m->heap[i] = last;
	return top;
}

static bool is_turn (const struct merge *m, const struct trace_event *e)
{
	const struct trace_go *g;

	if (e->kind == TR_proc_start)
		return e->a == 0 || e->a > PROCS || !m->held_p[e->a - 1];
	if (!e->go || !(e->seq & TRACE_HAS_SEQ))
		return true;
	g = &m->t->gos[e->go - 1];
	if (g->on && e->kind != TR_go_sysblock)
		return false;
	/* Behind what is expected: a count that has begun anew. */
	return ((e->seq - g->expected) & 0xffffff) - 1 >= 0x7fffff;
}

/* What waited for this coroutine, or this P, may have its turn now. */
static void release (struct merge *m, uint64_t go, uint64_t p)
{
	for (size_t i = 0; i < m->held_n;) {
		const struct trace_event *e = &m->in[m->next[m->held[i]]];
		if ((go && e->go == go) || (p && e->kind == TR_proc_start && e->a == p)) {
			push (m, m->held[i]);
			m->held[i] = m->held[--m->held_n];
		} else {
			i++;
		}
	}
}

static void set_held (struct merge *m, uint64_t p, bool on)
{
	if (p == 0 || p > PROCS)
		return;
	m->held_p[p - 1] = on;
	if (!on)
		release (m, 0, p);
}

static void leaves (struct merge *m, struct trace_thread *th)
{
	if (th->merged) {
		m->t->gos[th->merged - 1].on = false;
		release (m, th->merged, 0);
	}
}

/* Who runs where, after that event. */
static void follow (struct merge *m, const struct trace_event *e)
{
	struct trace_thread *th = &m->t->threads[e->thread];

	if (trace_is_stop (e->kind) || e->kind == TR_go_syscall)
		leaves (m, th);
	if (e->kind == TR_go_sysblock && e->go)
		m->t->gos[e->go - 1].on = false;
	if (e->kind == TR_proc_start || (e->kind == TR_thread && e->b))
		set_held (m, e->kind == TR_thread ? e->b : e->a, true);
	if (e->kind == TR_proc_stop || e->kind == TR_proc_taken)
		set_held (m, e->a, false);
	if (e->kind == TR_thread || e->kind == TR_go_start || e->kind == TR_go_sysexit ||
	    trace_is_stop (e->kind)) {
		th->merged = e->go;
		if (e->go)
			m->t->gos[e->go - 1].on = true;
	}
}

static void emit (struct merge *m, unsigned thread)
{
	struct trace_event *e = &m->in[m->next[thread]++];

	if (e->time < m->last)
		e->time = m->last;
	m->last = e->time;
	m->t->events[m->out++] = *e;
	if (m->next[thread] < m->end[thread])
		push (m, thread);
	if (e->go && (e->seq & TRACE_HAS_SEQ)) {
		struct trace_go *g = &m->t->gos[e->go - 1];
		g->expected = (e->seq + 1) & 0xffffff;
	}
	follow (m, e);
	if (e->go)
		release (m, e->go, 0);
}

/* The one that waits longest, if the rest has gone on too far; the number of threads: none. */
static unsigned overdue (struct merge *m)
{
	uint64_t patience = m->t->lost ? LITTLE : PATIENCE;
	size_t first = 0;
	unsigned thread;

	if (m->held_n == 0)
		return (unsigned) m->t->threads_n;
	for (size_t i = 1; i < m->held_n; i++)
		if (time_of (m, m->held[i]) < time_of (m, m->held[first]))
			first = i;
	thread = m->held[first];
	if (m->heap_n > 0 && time_of (m, m->heap[0]) < time_of (m, thread) + patience)
		return (unsigned) m->t->threads_n;
	m->held[first] = m->held[--m->held_n];
	return thread;
}

static void merge_all (struct merge *m)
{
	for (;;) {
		unsigned thread = overdue (m);

		if (thread == m->t->threads_n) {
			if (m->heap_n == 0)
				return;
			thread = pop (m);
			if (!is_turn (m, &m->in[m->next[thread]])) {
				m->held[m->held_n++] = thread;
				continue;
			}
		}
		emit (m, thread);
	}
}

/* The events from that one on, which stand as the file has them, of one run of a runtime. */
int trace_merge (struct trace *t, size_t from, unsigned run)
{
	size_t n = t->events_n - from, at = 0;
	static struct merge m;

	m = (struct merge){ .t = t, .out = from };
	m.in = malloc ((n + 1) * sizeof *m.in);
	m.next = calloc (t->threads_n + 1, sizeof *m.next);
	m.end = calloc (t->threads_n + 1, sizeof *m.end);
	m.heap = calloc (t->threads_n + 1, sizeof *m.heap);
	m.held = calloc (t->threads_n + 1, sizeof *m.held);
	if (!m.in || !m.next || !m.end || !m.heap || !m.held) {
		util_error ("no memory for this trace");
		n = 0;
	} else {
		for (size_t i = 0; i < t->threads_n; i++) {
			m.next[i] = m.end[i] = at;
			if (t->threads[i].run == run)
				at += t->threads[i].n;
		}
		for (size_t i = from; i < t->events_n; i++)
			m.in[m.end[t->events[i].thread]++] = t->events[i];
		for (unsigned i = 0; i < t->threads_n; i++)
			if (m.next[i] < m.end[i])
				push (&m, i);
		merge_all (&m);
	}
	free (m.in);
	free (m.next);
	free (m.end);
	free (m.heap);
	free (m.held);
	return n ? 0 : -1;
}
