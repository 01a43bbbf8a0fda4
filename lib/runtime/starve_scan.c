/* SPDX-License-Identifier: MIT */
/* The look at the queues: who waits for longer than the bound, and who runs meanwhile.
 *
 * In the queues under the scheduler's lock a coroutine is what it is.  A P's own queue may
 * be emptied while it is read, and whom it held may have run, ended, and begun as another
 * one.  That its memory is still there goad__slab_hold sees to: a slab goes under the lock
 * that is held, so who is found between head and tail after it was taken is in a slab that
 * stays.
 *
 * [ord:starve] Whether it is what it was is told by ready_at.  It changes on each way out of
 * RUNNABLE and back, before the state becomes RUNNABLE (release): so RUNNABLE (acquire) and
 * after it the same ready_at before and after the rest was read is one wait, and the rest is
 * of it.  And who changes starve_told to it by compare-and-swap is the one who tells; the M
 * that runs it at last exchanges it (starve.c).
 *
 * How many are looked at in the queues under the lock is limited: those at the far end are
 * noticed when they come nearer, or when they run.
 */
#include "runtime/starve.h"

#include <string.h>

#include "base/clock.h"
#include "core/slab.h"
#include "runtime/watch.h"

#define MOST 1024u                  /* in a queue under the lock */
#define AGAIN UINT64_C (2000000)    /* ns; asked again after that ... */
#define GIVE_UP UINT64_C (50000000) /* ... until then */
#define ASLEEP 3                    /* times */
#define QUESTIONS 16
#define ANYWHERE (-1)

static struct {
	uint64_t now, bound, due;
	struct goad__starved *out;
	unsigned n, room;
	int oldest; /* the P that has been with the same coroutine for longest */
	struct g *todo[MOST + 1];
} scan;

/* Void once users is 0. */
static struct goad__question {
	struct m *m; /* whose sample it has, NULL: nobody's at the moment */
	int p;       /* the P whose thread is asked                        */
	unsigned users, asleep;
	uint64_t asked, first;
} questions[QUESTIONS];

/* The name as it is at the moment: it may be changing. */
GOAD__FOREIGN static void glance (char to[32], const struct g *g, uint64_t *id)
{
	const volatile char *from = g->name;

	*id = *(const volatile uint64_t *) &g->id;
	for (int i = 0; i < 32; i++)
		to[i] = from[i];
	to[31] = '\0';
}

static uint64_t runs_on (int i)
{
	return i == ANYWHERE ? 0
	                     : atomic_load_explicit (&goad__sched.p[i].curg_id, memory_order_relaxed);
}

static int oldest (void)
{
	uint64_t since = UINT64_MAX;
	int best = ANYWHERE;

	for (int i = 0; i < goad__sched.nprocs; i++) {
		struct p *p = &goad__sched.p[i];
		uint64_t at = goad__g_get (&p->run_since);
		if (atomic_load_explicit (&p->state, memory_order_relaxed) != P_IDLE && runs_on (i) &&
		    at < since) {
			since = at;
			best = i;
		}
	}
	return best;
}

static void look_at (struct g *g, int p)
{
	uint64_t told = atomic_load_explicit (&g->starve_told, memory_order_relaxed);
	enum g_state state = (enum g_state)
	    atomic_load_explicit (&g->state, memory_order_acquire); /* [ord:starve] */
	uint64_t since = goad__g_get (&g->ready_at);
	struct goad__starved *v = &scan.out[scan.n];

	if (state != G_RUNNABLE || since == told || since > scan.now)
		return;
	if (scan.now - since <= scan.bound) {
		scan.due = goad__min64 (scan.due, since + scan.bound + 1);
		return;
	}
	if (scan.n == scan.room) {
		scan.due = scan.now;
		return;
	}
	glance (v->name, g, &v->id);
	atomic_thread_fence (memory_order_acquire);
	if (atomic_load_explicit (&g->state, memory_order_relaxed) != G_RUNNABLE ||
	    goad__g_get (&g->ready_at) != since)
		return;
	/* [ord:starve] */
	if (!atomic_compare_exchange_strong_explicit (&g->starve_told, &told, since,
	                                              memory_order_relaxed, memory_order_relaxed))
		return;
	v->waited = scan.now - since;
	v->p = runs_on (p) ? p : scan.oldest;
	v->hog = runs_on (v->p);
	v->hog_name[0] = '\0';
	v->question = NULL;
	scan.n++;
}

static void look_at_own (int i)
{
	struct p *p = &goad__sched.p[i];
	struct g *g = atomic_load_explicit (&p->runnext, memory_order_acquire);
	uint32_t h, t;

	if (g)
		look_at (g, i);
	h = goad__runq_place (atomic_load_explicit (&p->runq.head, memory_order_acquire));
	t = atomic_load_explicit (&p->runq.tail, memory_order_acquire);
	for (; h != t && t - h <= RUNQ_SIZE; h++) {
		g = atomic_load_explicit (&p->runq.slot[h % RUNQ_SIZE], memory_order_relaxed);
		if (g)
			look_at (g, i);
	}
}

/* Without recursion: a heap may be as deep as it has members. */
static void look_at_fair (struct g *root)
{
	unsigned n = 0, seen = 0;

	if (root)
		scan.todo[n++] = root;
	while (n > 0 && seen++ < MOST) {
		struct g *g = scan.todo[--n];

		look_at (g, ANYWHERE);
		if (g->fair_sibling && n < MOST)
			scan.todo[n++] = g->fair_sibling;
		if (g->fair_child && n < MOST)
			scan.todo[n++] = g->fair_child;
	}
}

static void look_at_global (void)
{
	struct sched *s = &goad__sched;
	struct g *g;
	unsigned seen = 0;

	if (!goad__global_waits ())
		return;
	goad__spin_lock (&s->lock);
	for (g = s->globq.first; g && seen < MOST; g = g->next, seen++)
		look_at (g, ANYWHERE);
	for (uint32_t i = 0; i < s->spilled.used; i++) {
		g = s->spilled.batch[(s->spilled.bottom + i) % SPILLED_MOST].g.first;
		for (; g && seen < MOST; g = g->next, seen++)
			look_at (g, ANYWHERE);
	}
	look_at_fair (s->fairq.root);
	goad__spin_unlock (&s->lock);
}

/* The signal would break off a system call that it sleeps in, and it could not answer; so it is
 * asked once it does not.  False: it has been found asleep each time.  The P may have gone
 * to another thread since; and another question may have that one's sample: later, then. */
static bool ask (struct goad__question *q, uint64_t now)
{
	const struct p *p = &goad__sched.p[q->p];
	struct m *m = goad__p_m (p);
	int tid = atomic_load_explicit (&p->tid, memory_order_relaxed);

	q->asked = now;
	if (!m || goad__watch_sleeps (m, tid))
		return ++q->asleep < ASLEEP;
	if (q->m == m)
		goad__sample_again (m);
	else if (!q->m || goad__sample_take_back (q->m, ASKER_WATCH))
		q->m = goad__sample_ask (m, ASKER_WATCH) ? m : NULL;
	return true;
}

static struct goad__question *question_of (int i)
{
	struct goad__question *q, *found = NULL;

	for (q = questions; q < questions + QUESTIONS; q++) {
		if (q->users && q->p == i && q->first == scan.now) {
			q->users++;
			return q;
		}
		if (!q->users)
			found = q;
	}
	if (found) {
		*found = (struct goad__question){ .p = i, .users = 1, .first = scan.now };
		ask (found, scan.now);
	}
	return found;
}

/* Should nobody answer for him, at least his name. */
GOAD__FOREIGN static void name_hog (struct goad__starved *v)
{
	const struct m *m = goad__p_m (&goad__sched.p[v->p]);
	const struct g *g = m ? *(struct g *const volatile *) &m->curg : NULL;
	uint64_t id;

	if (!g)
		return;
	glance (v->hog_name, g, &id);
	if (id != v->hog)
		v->hog_name[0] = '\0';
}

static void blame (void)
{
	goad__slab_hold ();
	for (unsigned i = 0; i < scan.n; i++)
		if (scan.out[i].hog)
			name_hog (&scan.out[i]);
	goad__slab_release ();
	for (unsigned i = 0; i < scan.n; i++)
		if (scan.out[i].hog)
			scan.out[i].question = question_of (scan.out[i].p);
}

unsigned goad__starve_scan (uint64_t now, uint64_t bound, struct goad__starved *out, unsigned n,
                            uint64_t *due)
{
	scan.now = now;
	scan.bound = bound;
	scan.due = UINT64_MAX;
	scan.out = out;
	scan.n = 0;
	scan.room = n;
	scan.oldest = oldest ();
	look_at_global ();
	goad__slab_hold ();
	for (int i = 0; i < goad__sched.np_made; i++)
		look_at_own (i);
	goad__slab_release ();
	blame ();
	*due = scan.due;
	return scan.n;
}

static const struct sample *answered (const struct goad__question *q)
{
	return q->m && goad__sample_there (q->m, ASKER_WATCH) ? &q->m->sample[ASKER_WATCH] : NULL;
}

static void forget (struct goad__question *q)
{
	goad__sample_done (q->m, ASKER_WATCH);
	q->m = NULL;
}

bool goad__starve_wait_for (struct goad__question *q, uint64_t now, uint64_t *until)
{
	const struct sample *s = answered (q);

	if ((s && s->n > 0) || now >= q->first + GIVE_UP || q->asleep >= ASLEEP)
		return false;
	if (now >= q->asked + AGAIN) {
		if (s) /* it was between two coroutines */
			forget (q);
		if (!ask (q, now))
			return false;
	}
	*until = goad__min64 (*until, q->asked + AGAIN);
	return true;
}

const struct sample *goad__starve_answer (struct goad__question *q)
{
	const struct sample *s;

	if (q->m && !goad__sample_wait (q->m, ASKER_WATCH, 0)) /* at once, if it has not begun */
		q->m = NULL;
	s = answered (q);
	return s && s->n > 0 ? s : NULL;
}

void goad__starve_drop (struct goad__question *q)
{
	if (--q->users == 0 && answered (q))
		forget (q);
}
