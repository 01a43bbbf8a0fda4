/* SPDX-License-Identifier: MIT */
/* What GOAD_TOP's page shows: the Ps, the totals, and those coroutines that run most.
 *
 * There may be a million.  So each time no more than MOST are looked at, a next part of all of
 * them, and those again that are shown already; who is seen takes the place of the one shown
 * that ran least, if he ran more.  Of one who was not shown before, and ran since the last
 * look, it is not known how much of his CPU time that was: as much as there is of it, and not
 * more than the interval has, until the next look.
 *
 * Nothing is stopped: a coroutine is seen as in a dump (sight.h). */
#include "runtime/top.h"

#include <string.h>

#include "base/clock.h"
#include "base/fatal.h"
#include "core/stack.h"
#include "runtime/runtime.h"
#include "runtime/sight.h"

#define MOST 4096u
#define HASH 1024u

static struct {
	struct goad_top_page *to;
	struct slot slot[GOAD_TOP_TASKS]; /* of each entry of to->task */
	uint16_t at[HASH];                /* by number: entry + 1 */
	struct slab_cursor cursor;
	uint64_t now, before, seen;
	uint32_t least; /* the entry that ran least; void unless it is full */
	struct goad__sight sight;
} look;

/* ---- whom it has already --------------------------------------------------------------------- */

static void index_entry (uint32_t i)
{
	uint32_t h = (uint32_t) (look.to->task[i].id % HASH);

	while (look.at[h])
		h = (h + 1) % HASH;
	look.at[h] = (uint16_t) (i + 1);
}

static void index_all (void)
{
	memset (look.at, 0, sizeof look.at);
	for (uint32_t i = 0; i < look.to->tasks; i++)
		index_entry (i);
}

static bool is_shown (uint64_t id)
{
	for (uint32_t h = (uint32_t) (id % HASH); look.at[h]; h = (h + 1) % HASH)
		if (look.to->task[look.at[h] - 1].id == id)
			return true;
	return false;
}

static void find_least (void)
{
	const goad_top_task_t *t = look.to->task;

	look.least = 0;
	for (uint32_t i = 1; i < look.to->tasks; i++)
		if (t[i].interval_ns < t[look.least].interval_ns)
			look.least = i;
}

/* ---- one coroutine ----------------------------------------------------------------------------- */

static uint64_t running_since (uint64_t id)
{
	struct sched *s = &goad__sched;

	for (int i = 0; i < s->nprocs; i++)
		if (atomic_load_explicit (&s->p[i].curg_id, memory_order_relaxed) == id)
			return goad__g_get (&s->p[i].run_since);
	return 0;
}

static uint64_t fill (goad_top_task_t *t, const struct goad__sight *s)
{
	const struct g *c = &s->c;
	uint64_t since = goad__sight_since (s);

	memset (t, 0, sizeof *t);
	t->id = c->id;
	memcpy (t->name, c->name, sizeof t->name);
	t->state = (uint32_t) goad__public_state (c);
	t->cpu_ns = c->cpu;
	t->slices = c->slices;
	if (t->state == GOAD_STATE_RUNNING) {
		since = running_since (c->id);
		if (since && look.now > since)
			t->cpu_ns += look.now - since;
	}
	t->since_ns = since;
	if (t->state == GOAD_STATE_WAITING && c->wait_kind)
		goad__format (t->wait, sizeof t->wait, "%s", c->wait_kind);
	return since;
}

/* Words may be of adjacent instants, as it may run; but of one coroutine. */
static bool see (struct slot slot)
{
	const struct g *g = goad__stack_room (goad__stack_of (slot));

	look.seen++;
	if (!goad__sight_read (&look.sight, g))
		return false;
	atomic_thread_fence (memory_order_acquire);
	return goad__sight_word ((uintptr_t) &g->id) == look.sight.c.id;
}

struct shown {
	goad_top_task_t *t;
	bool there;
};

/* One that is shown; it may have ended, and another may have its stack. */
static void look_again (struct slot slot, void *arg)
{
	struct shown *again = arg;
	goad_top_task_t *t = again->t;
	uint64_t cpu = t->cpu_ns;

	again->there = see (slot) && look.sight.c.id == t->id;
	if (!again->there)
		return;
	fill (t, &look.sight);
	t->interval_ns = t->cpu_ns > cpu ? t->cpu_ns - cpu : 0;
}

static void look_at (struct slot slot, void *arg)
{
	goad_top_task_t t;
	uint32_t i = look.to->tasks;
	(void) arg;

	if (!see (slot) || is_shown (look.sight.c.id))
		return;
	if (fill (&t, &look.sight) >= look.before || t.state == GOAD_STATE_RUNNING)
		t.interval_ns = goad__min64 (t.cpu_ns, look.to->interval_ns);
	if (i == GOAD_TOP_TASKS) {
		i = look.least;
		if (t.interval_ns <= look.to->task[i].interval_ns)
			return;
	} else {
		look.to->tasks++;
	}
	look.to->task[i] = t;
	look.slot[i] = slot;
	if (look.to->tasks == GOAD_TOP_TASKS) {
		index_all (); /* the one that went is not found any more */
		find_least ();
	} else {
		index_entry (i);
	}
}

/* ---- the whole ----------------------------------------------------------------------------------- */

static void look_at_shown (void)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < look.to->tasks; i++) {
		goad_top_task_t *t = &look.to->task[i];
		struct shown again = { .t = t };

		goad__slab_if_taken (look.slot[i], true, look_again, &again);
		if (!again.there)
			continue;
		look.to->task[n] = *t;
		look.slot[n++] = look.slot[i];
	}
	look.to->tasks = n;
	index_all ();
	if (n == GOAD_TOP_TASKS)
		find_least ();
}

static void look_at_procs (void)
{
	struct sched *s = &goad__sched;
	struct goad_top_page *to = look.to;

	to->procs = (uint32_t) s->nprocs;
	for (uint32_t i = 0; i < to->procs && i < GOAD_TOP_PROCS; i++) {
		const struct p *p = &s->p[i];
		goad_top_proc_t *v = &to->proc[i];

		v->idle = atomic_load_explicit (&p->state, memory_order_relaxed) == P_IDLE;
		v->running = v->idle ? 0 : atomic_load_explicit (&p->curg_id, memory_order_relaxed);
		v->since_ns = goad__g_get (&p->run_since);
		v->queued = goad__runq_len (&p->runq) +
		            (atomic_load_explicit (&p->runnext, memory_order_relaxed) != NULL);
	}
}

void goad__top_look_begin (void)
{
	memset (&look, 0, sizeof look);
}

void goad__top_look (struct goad_top_page *to, uint64_t now)
{
	bool more = true;

	look.to = to;
	look.before = look.now;
	look.now = now;
	look.seen = 0;
	look_at_shown ();
	while (more && look.seen < MOST)
		more = goad__slab_next_taken (&look.cursor, true, look_at, NULL);
	if (!more)
		look.cursor = (struct slab_cursor){ 0 };
	to->looked_at = look.seen;
	look_at_procs ();
	goad__stats_collect (&to->stats);
}
