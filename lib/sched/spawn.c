/* SPDX-License-Identifier: MIT */
/* Making and freeing coroutines. */
#include <errno.h>
#include <string.h>

#include "arch.h"
#include "base/fatal.h"
#include "sched/account.h"
#include "sched/sched.h"

_Static_assert(sizeof (struct g) <= GOAD__G_ROOM, "the descriptor fits its room");

static void name_it (struct g *g, const char *name)
{
	size_t n = name ? strlen (name) : 0;

	if (n >= sizeof g->name)
		n = sizeof g->name - 1;
	if (n)
		memcpy (g->name, name, n);
	g->name[n] = 0;
}

static void set_up (struct g *g, struct stack *st, const goad_attr_t *attr, goad_fn fn, void *arg)
{
	goad__fp_save (&g->fp); /* the creator's */
	g->next = NULL;
	g->bound = NULL;
	atomic_store_explicit (&g->state, G_IDLE, memory_order_relaxed);
	g->nopreempt = 0;
	g->blocking = 0;
	g->trace_word = TRACE_FRESH;
	g->cpu = g->slices = g->wait = g->wait_max = 0;
	g->fn = fn;
	g->arg = arg;
	g->stack = st;
	atomic_store_explicit (&g->join, JOIN_NONE, memory_order_relaxed);
	g->weight = attr && attr->weight ? attr->weight : FAIR_UNIT;
	g->preempt = attr ? (uint8_t) attr->preempt : 0;
	g->preempt_held = g->locked = g->place = g->hog = 0;
	g->leaves_soon = 0;
	g->unfinished = 0;
	g->n_yielded = g->n_handed = g->n_deferred = g->n_expired = 0;
	g->cxa_caught = NULL;
	g->cxa_uncaught = 0;
	goad__g_waits (g, NULL, NULL);
	g->last.how = LAST_NEVER;
	name_it (g, attr ? attr->name : NULL);
	goad__san_make (&g->san, st->lo, (size_t) (st->hi - st->lo));
	g->sp = goad__arch_make (goad__stack_top (st), g);
}

/* A coroutine begins where its parent stands, so that a chain of them cannot run away
 * from its account; and not before the floor: no credit for the time before its birth.
 * The floor moves under the lock; a stale value costs a turn at most. */
static uint64_t first_vruntime (const struct m *m)
{
	uint64_t v = __atomic_load_n (&goad__sched.fairq.floor, __ATOMIC_RELAXED);

	if (m && m->p && m->curg)
		v = goad__max64 (v, m->curg->vruntime + (m->p->stamp - m->p->run_since));
	return v;
}

/* Without a P: a foreign thread.  Count and queue change under the lock under which the
 * end is decided: either the end sees the coroutine, or this sees the end. */
static int submit_foreign (struct g *g)
{
	struct sched *s = &goad__sched;
	struct gbatch b = { 0 };
	bool over;

	g->vruntime = first_vruntime (NULL);
	gbatch_add (&b, g);
	goad__spin_lock (&s->lock);
	over = atomic_load_explicit (&s->done, memory_order_relaxed) != 0;
	if (!over) {
		atomic_fetch_add_explicit (&s->foreign_spawned, 1, memory_order_relaxed);
		atomic_store_explicit (&s->drained, 0, memory_order_relaxed);
		goad__globq_append_locked (&b);
	}
	goad__spin_unlock (&s->lock);
	if (over)
		return -EPERM;
	/* [ord:idle-recheck] */
	atomic_thread_fence (memory_order_seq_cst);
	goad__sched_wake ();
	return 0;
}

/* IDLE, and the caller's.  id 0: the next one. */
static struct g *make (struct p *p, const goad_attr_t *attr, goad_fn fn, void *arg, uint64_t id,
                       int *err)
{
	size_t size = attr && attr->stack_size ? attr->stack_size : goad__sched.stack_size;
	struct stack *st = goad__stack_get (p ? &p->stacks : NULL, size, err);
	struct g *g;

	if (unlikely (!st))
		return NULL;
	g = goad__stack_room (st);
	set_up (g, st, attr, fn, arg);
	g->id = id ? id : atomic_fetch_add_explicit (&goad__sched.next_id, 1, memory_order_relaxed);
	return g;
}

__attribute__ ((always_inline)) static inline int spawn (struct g **out, const goad_attr_t *attr,
                                                         goad_fn fn, void *arg, uint64_t id)
{
	struct m *m;
	struct p *p;
	struct g *g;
	int err = 0;

	goad__pin ();
	m = goad__m ();
	p = goad__own_p (m);
	g = make (p, attr, fn, arg, id, &err);
	if (unlikely (!g)) {
		goad__unpin ();
		return err;
	}
	if (out)
		*out = g;
	else
		atomic_store_explicit (&g->join, JOIN_DETACHED, memory_order_relaxed);
	goad__g_set (&g->ready_at, likely (p) ? goad__p_time_by (p) : goad__now ());
	goad__g_transit (g, G_IDLE, G_RUNNABLE);
	if (likely (p)) {
		g->vruntime = first_vruntime (m);
		goad__count (&p->n_spawned, 1);
		goad__runnext_put (p, g);
		goad__sched_wake ();
		if (unlikely (goad__sched.preempt == GOAD_PREEMPT_COOP && goad__p_expired (p)))
			goad__set_pending (); /* no signal comes in that mode */
	} else {
		err = submit_foreign (g);
		if (unlikely (err)) {
			goad__san_free (&g->san);
			goad__g_free (g);
		}
	}
	goad__unpin ();
	return err;
}

int goad__spawn (struct g **out, const goad_attr_t *attr, goad_fn fn, void *arg)
{
	return spawn (out, attr, fn, arg, 0);
}

int goad__spawn_first (goad_fn fn, void *arg)
{
	return spawn (NULL, NULL, fn, arg, 1);
}

int goad__spawn_into (struct gbatch *b, goad_fn fn, void *arg, const struct goad__fp *fp)
{
	struct g *g;
	int err = 0;

	g = make (goad__own_p (goad__m ()), NULL, fn, arg, 0, &err);
	if (unlikely (!g))
		return err;
	g->fp = *fp;
	goad__g_set (&g->ready_at, goad__now ());
	g->vruntime = first_vruntime (NULL);
	atomic_store_explicit (&g->join, JOIN_DETACHED, memory_order_relaxed);
	goad__g_transit (g, G_IDLE, G_RUNNABLE);
	gbatch_add (b, g);
	return 0;
}

void goad__g_free (struct g *g)
{
	struct p *p = goad__own_p (goad__m ());

	atomic_store_explicit (&g->state, G_IDLE, memory_order_relaxed);
	goad__stack_put (p ? &p->stacks : NULL, g->stack);
}
