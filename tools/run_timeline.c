/* SPDX-License-Identifier: MIT */
/* run_timeline.c - who ran when, from samples taken outside the scheduler
 *
 * A sample says for each P which coroutine is on it, since when, and the number of
 * the slice.  So the starts of the slices seen are exact, and a slice ends where
 * the next one starts; what ran for less than the time between samples may be
 * missing. */
#include <string.h>
#include <sys/mman.h>

#include "run.h"

enum { SEGMENTS = 1 << 20 };

#define NONE ((size_t) -1)

static goad_proc_view_t views[PROCS_MAX], again[PROCS_MAX];

struct timeline *run_timeline_make (void)
{
	struct timeline *tl = mmap (NULL, sizeof *tl, PROT_READ | PROT_WRITE,
	                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *segments = mmap (NULL, SEGMENTS * sizeof (struct segment), PROT_READ | PROT_WRITE,
	                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (tl == MAP_FAILED || segments == MAP_FAILED)
		return NULL;
	tl->segments = segments;
	tl->cap = SEGMENTS;
	tl->interval_ns = 500 * GOAD_US;
	for (unsigned p = 0; p < PROCS_MAX; p++)
		tl->last[p] = NONE;
	return tl;
}

/* Tasks are spawned in order, so the id tells the index unless coroutines were
 * made in between; then all are looked at. */
static uint32_t task_of (struct run *run, uint64_t id)
{
	uint64_t first = atomic_load (&run->tasks[0].id);

	if (first != 0 && id >= first && id - first < run->tasks_n &&
	    atomic_load (&run->tasks[id - first].id) == id)
		return (uint32_t) (id - first);
	for (unsigned i = 0; i < run->tasks_n; i++)
		if (atomic_load (&run->tasks[i].id) == id)
			return i;
	return run->tasks_n;
}

/* Ends the slice that was seen last where the next one begins.  Where slices in
 * between were not seen it gets their time only up to a quantum in all. */
static void close_segment (struct run *run, unsigned p, uint64_t next_from, bool follows)
{
	struct timeline *tl = run->timeline;
	struct segment *old = tl->last[p] != NONE ? &tl->segments[tl->last[p]] : NULL;

	if (old == NULL || next_from <= old->to)
		return;
	uint64_t most = old->from + run->cfg.quantum_ns;
	if (follows || next_from <= most)
		old->to = next_from;
	else if (most > old->to)
		old->to = most;
}

static void sample_proc (struct run *run, unsigned p, const goad_proc_view_t *v, uint64_t now)
{
	struct timeline *tl = run->timeline;

	if (v->id == 0 || v->since_ns > now) {
		tl->last[p] = NONE;
		return;
	}
	if (tl->last[p] != NONE && tl->slice[p] == v->slice) {
		tl->segments[tl->last[p]].to = now;
		return;
	}
	close_segment (run, p, v->since_ns, tl->slice[p] + 1 == v->slice);
	tl->slice[p] = v->slice;
	if (tl->n == tl->cap) {
		tl->last[p] = NONE;
		return;
	}
	tl->last[p] = tl->n;
	tl->segments[tl->n++] = (struct segment){
		.from = v->since_ns, .to = now, .task = task_of (run, v->id), .proc = p
	};
}

/* A stretch of thirty quanta is sampled so often that each of them is seen: in the
 * middle of the run where its length is known, else after as many again. */
static void choose_close (struct run *run)
{
	struct timeline *tl = run->timeline;
	uint64_t span = TIMELINE_CLOSE * run->cfg.quantum_ns;
	uint64_t from = run->opt.for_ns / 2 > span ? run->opt.for_ns / 2 - span / 2
	                : run->opt.for_ns != 0     ? 0
	                                           : span;

	tl->close_from = atomic_load (&run->start_ns) + from;
	tl->close_to = tl->close_from + span;
}

uint64_t run_timeline_next (const struct run *run, uint64_t now)
{
	const struct timeline *tl = run->timeline;
	uint64_t often = run->cfg.quantum_ns / 10;

	if (often < 50 * GOAD_US)
		often = 50 * GOAD_US;
	if (often > tl->interval_ns || now >= tl->close_to)
		return now + tl->interval_ns;
	if (now >= tl->close_from)
		return now + often;
	return now + tl->interval_ns < tl->close_from ? now + tl->interval_ns : tl->close_from;
}

static bool same_view (const goad_proc_view_t *a, const goad_proc_view_t *b)
{
	return a->id == b->id && a->slice == b->slice && a->since_ns == b->since_ns;
}

/* A view may mix two slices, which would give one to the wrong coroutine: what is
 * not the same when looked at again is left for the next sample.  The gate keeps
 * the runtime from ending meanwhile. */
void run_timeline_sample (struct run *run)
{
	struct timeline *tl = run->timeline;

	if (!run_gate_enter (run))
		return;
	if (tl->close_to == 0)
		choose_close (run);
	int n = goad_observe_procs (views, PROCS_MAX);
	int m = goad_observe_procs (again, PROCS_MAX);
	run_gate_leave (run);
	uint64_t now = goad_now ();
	n = m < n ? m : n;
	n = n < PROCS_MAX ? n : PROCS_MAX;
	if (n > 0 && (unsigned) n > tl->procs)
		tl->procs = (unsigned) n;
	for (int p = 0; p < n; p++)
		if (same_view (&views[p], &again[p]))
			sample_proc (run, (unsigned) p, &views[p], now);
	tl->samples++;
}
