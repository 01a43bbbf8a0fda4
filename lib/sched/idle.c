/* SPDX-License-Identifier: MIT */
/* Ms and Ps without work: Go's wakep, stopm and startm (proc.go).
 *
 * How many Ms should look for work?  Go's answer is kept: an M that looks is
 * "spinning", there is one at least while work may be unseen and a P is idle, and
 * never more than half of the busy Ps.  New work wakes one only if none spins.
 *
 * No wake-up is lost.  [ord:idle-recheck]
 *	who brings work: puts it into a queue; full fence; reads nmspinning and npidle;
 *		wakes an M if none spins and a P is idle
 *	who goes to sleep: puts its P on the idle list (npidle); takes itself off
 *		nmspinning (seq_cst, a full fence); looks at all queues again
 * One of the two sees the other: either the work was in the queue before the last
 * look, or the reader of nmspinning comes after the subtraction and finds the P idle.
 * A release store and an acquire load would not do: both sides store and then load.
 * The look and joining the list of idle Ms are one step under the lock: in between,
 * who brings work would find an idle P and no M for it, and at max_threads there is
 * no other.  Every M looks, not only one that spun: the last that spins may find work
 * and stop just before this one gives up its P.  For the same reason who wanted to
 * wake somebody and found nobody takes back its spinning under the lock.
 * Model: tests/model/idle.pml.
 */
#include "base/fatal.h"
#include "base/futex.h"
#include "sched/account.h"
#include "sched/sched.h"
#include "sched/source.h"

static void wake_nobody (void)
{
}

static void ring_nobody (uint32_t news)
{
	(void) news;
}

static bool no_deadlock (void)
{
	return false;
}

bool (*goad__deadlock_hook) (void) = no_deadlock;
#ifdef GOAD_DEBUG_BUILD
void (*goad__world_hook) (void) = wake_nobody;
#endif

void (*goad__sysmon_wake) (void) = wake_nobody;
void (*goad__sysmon_ring) (uint32_t news) = ring_nobody;

void goad__pidle_put (struct p *p)
{
	struct sched *s = &goad__sched;

	if (goad__stopping ()) {
		goad__world_take (p);
		return;
	}
	atomic_store_explicit (&p->state, P_IDLE, memory_order_relaxed);
	p->idle_next = s->pidle;
	s->pidle = p;
	atomic_fetch_add_explicit (&s->npidle, 1, memory_order_seq_cst);
}

struct p *goad__pidle_get (void)
{
	struct sched *s = &goad__sched;
	struct p *p = s->pidle;
	uint32_t news = NEWS_RUN;

	if (!p)
		return NULL;
	s->pidle = p->idle_next;
	/* [ord:sysmon-run] */
	if (atomic_fetch_sub_explicit (&s->npidle, 1, memory_order_seq_cst) == 1)
		news |= NEWS_FRESH; /* who comes now finds no idle P */
	goad__tell_sysmon (news);
	goad__top_wake ();
	return p;
}

static bool sleeps_elsewhere (const struct m *m)
{
	return atomic_load_explicit (&m->park, memory_order_relaxed) == PARK_ELSEWHERE;
}

/* One that sleeps where work may come from is left there if there is another. */
struct m *goad__midle_get (void)
{
	struct sched *s = &goad__sched;
	struct m **at = &s->midle;
	struct m *m = *at;

	if (!m)
		return NULL;
	if (sleeps_elsewhere (m) && m->idle_next) {
		at = &m->idle_next;
		m = *at;
	}
	*at = m->idle_next;
	s->nmidle--;
	return m;
}

bool goad__idle_leave (struct m *m)
{
	struct sched *s = &goad__sched;
	struct p *p = NULL;
	struct m **at;

	goad__spin_lock (&s->lock);
	for (at = &s->midle; *at && *at != m; at = &(*at)->idle_next)
		;
	if (*at && (p = goad__pidle_get ())) {
		*at = m->idle_next;
		s->nmidle--;
	}
	bool given = !*at && !p;
	goad__spin_unlock (&s->lock);
	if (p)
		goad__acquire_p (m, p);
	else if (given)
		goad__m_wait (m);
	return p || given;
}

/* A thread for a P: an idle one, or else one that waits with its coroutine, which then
 * comes out of the queue; NULL: none. */
struct m *goad__m_for_p (void)
{
	struct sched *s = &goad__sched;
	struct m *m = goad__midle_get ();
	struct g *g;

	if (m)
		return m;
	g = goad__fairq_take_bound (&s->fairq);
	return g ? g->bound : NULL;
}

void goad__acquire_p (struct m *m, struct p *p)
{
	uint64_t t = goad__p_time_exact (p);

	goad__trace (proc_start, t, p->id + 1);
	atomic_store_explicit (&p->m, m, memory_order_release); /* [ord:p-m] */
	atomic_store_explicit (&p->tid, atomic_load_explicit (&m->tid, memory_order_relaxed),
	                       memory_order_relaxed);
	atomic_store_explicit (&p->state, P_RUNNING, memory_order_relaxed);
	m->p = p;
	atomic_store_explicit (&m->slow, goad__slow (M_HAS_P), memory_order_relaxed);
	goad__p_new_slice (p, t); /* who comes by runnext inherits this one */
}

struct p *goad__release_p (struct m *m)
{
	struct p *p = m->p;

	goad__trace (proc_stop, p->stamp, p->id + 1);
	m->p = NULL;
	atomic_store_explicit (&m->slow, goad__slow (M_NO_P), memory_order_relaxed);
	atomic_store_explicit (&p->curg_id, 0, memory_order_relaxed);
	atomic_store_explicit (&p->m, NULL, memory_order_relaxed);
	goad__p_new_slice (p, p->stamp); /* a request for the last slice is void */
	return p;
}

/* [ord:m-park] */
void goad__m_give (struct m *m, struct p *p)
{
	atomic_store_explicit (&m->nextp, p, memory_order_relaxed);
	if (atomic_exchange_explicit (&m->park, PARK_GO, memory_order_seq_cst) == PARK_ELSEWHERE)
		goad__sources_rouse (); /* [ord:poll-break] */
	else
		goad__futex_wake (&m->park, 1);
}

/* False: it was not given anything by then. */
static bool m_wait_until (struct m *m, uint64_t deadline)
{
	struct p *p;

	while (atomic_load_explicit (&m->park, memory_order_acquire) != PARK_GO) { /* [ord:m-park] */
		goad__futex_wait (&m->park, PARK_NOT, deadline);
		if (deadline != UINT64_MAX && goad__now () >= deadline)
			break;
	}
	if (atomic_load_explicit (&m->park, memory_order_acquire) != PARK_GO) /* [ord:m-park] */
		return false;
	atomic_store_explicit (&m->park, PARK_NOT, memory_order_relaxed);
	p = atomic_exchange_explicit (&m->nextp, NULL, memory_order_relaxed);
	if (p)
		goad__acquire_p (m, p);
	return true;
}

void goad__m_wait (struct m *m)
{
	m_wait_until (m, UINT64_MAX);
}

void goad__ask_maker (uint32_t what)
{
	struct sched *s = &goad__sched;

	if ((atomic_fetch_or_explicit (&s->maker_word, what, memory_order_release) & what) != what)
		goad__futex_wake (&s->maker_word, 1);
}

void goad__want_thread (uint32_t spare)
{
	struct sched *s = &goad__sched;
	uint32_t now = atomic_load_explicit (&s->maker_word, memory_order_relaxed);

	while ((now & MAKER_COUNT) < spare &&
	       !atomic_compare_exchange_weak_explicit (&s->maker_word, &now,
	                                               (now & ~MAKER_COUNT) | spare,
	                                               memory_order_release, memory_order_relaxed))
		;
	if ((now & MAKER_COUNT) < spare)
		goad__futex_wake (&s->maker_word, 1);
}

GOAD__NOINLINE static void wake_one (void)
{
	struct sched *s = &goad__sched;
	struct m *m = NULL;
	struct p *p;
	bool looks = false;

	goad__spin_lock (&s->lock);
	p = goad__pidle_get ();
	if (p) {
		looks = s->midle != NULL; /* else it has a coroutine of its own to go on with */
		m = goad__m_for_p ();
		if (!m)
			goad__pidle_put (p);
	}
	if (!m || !looks) /* inside: who comes to sleep behind us must see that nobody spins */
		atomic_fetch_sub_explicit (&s->nmspinning, 1, memory_order_seq_cst);
	goad__spin_unlock (&s->lock);
	if (m) {
		m->spinning = looks;
		goad__m_give (m, p);
		if (!looks)
			goad__sched_wake (); /* there may be more work, and another idle P */
	} else if (p)                /* no thread for it: a new one takes an idle P by itself */
		goad__want_thread (1);
}

/* [ord:idle-recheck] the caller has put its work into a queue with a full fence */
__attribute__ ((always_inline)) static inline void wake (uint32_t news)
{
	struct sched *s = &goad__sched;
	uint32_t none = 0;

	goad__tell_sysmon (news);
	if (likely (atomic_load_explicit (&s->npidle, memory_order_relaxed) == 0 ||
	            atomic_load_explicit (&s->nmspinning, memory_order_relaxed) != 0))
		return;
	if (atomic_compare_exchange_strong_explicit (&s->nmspinning, &none, 1, memory_order_seq_cst,
	                                             memory_order_relaxed))
		wake_one ();
}

void goad__sched_wake (void)
{
	wake (NEWS_WORK | NEWS_FRESH);
}

void goad__sched_wake_old (void)
{
	wake (NEWS_WORK);
}

/* [ord:alive] All ends first, then all spawns: who is seen to have ended is seen to have
 * been spawned.  So what is alive is never missed; what ends or is spawned meanwhile
 * may count. */
static uint64_t alive (void)
{
	struct sched *s = &goad__sched;
	uint64_t ended = atomic_load_explicit (&s->foreign_ended, memory_order_acquire);
	uint64_t spawned = 0;

	for (int i = 0; i < s->np_made; i++)
		ended += atomic_load_explicit (&s->p[i].n_ended, memory_order_acquire);
	for (int i = 0; i < s->np_made; i++)
		spawned += atomic_load_explicit (&s->p[i].n_spawned, memory_order_relaxed);
	return spawned + atomic_load_explicit (&s->foreign_spawned, memory_order_relaxed) - ended;
}

size_t goad__alive (void)
{
	return alive ();
}

static void end_locked (void)
{
	struct sched *s = &goad__sched;

	atomic_store_explicit (&s->done, 1, memory_order_release);
	for (struct m *m; (m = goad__midle_get ());)
		goad__m_give (m, NULL);
	for (struct m *m = s->allm; m; m = m->all_next)
		if (m->locked_g || m->leaving) /* asleep, with a coroutine that waits for ever */
			goad__m_give (m, NULL);
	goad__sysmon_wake ();
}

void goad__idle_end (void)
{
	goad__spin_lock (&goad__sched.lock);
	end_locked ();
	goad__spin_unlock (&goad__sched.lock);
}

/* Under lock, all Ps idle: nobody can spawn or end a coroutine now but a foreign
 * thread, which takes the lock for it. */
static void maybe_drained (void)
{
	struct sched *s = &goad__sched;

	if (atomic_load_explicit (&s->npidle, memory_order_relaxed) != (uint32_t) s->nprocs)
		return;
#ifdef GOAD_DEBUG_BUILD
	goad__world_hook ();
#endif
	if (alive () != 0) {
		if (!s->embedded && goad__deadlock_hook ()) {
			s->deadlocked = true;
			end_locked ();
		}
	} else if (!s->embedded) {
		end_locked ();
	} else {
		atomic_store_explicit (&s->drained, 1, memory_order_release);
		goad__futex_wake (&s->drained, 1);
	}
}

void goad__idle_look (void)
{
	goad__pin ();
	goad__spin_lock (&goad__sched.lock);
	if (!atomic_load_explicit (&goad__sched.done, memory_order_relaxed))
		maybe_drained ();
	goad__spin_unlock (&goad__sched.lock);
	goad__unpin ();
}

void goad__idle_settle (void)
{
	maybe_drained ();
}

bool goad__end_if_drained (void)
{
	struct sched *s = &goad__sched;
	bool end;

	goad__pin ();
	goad__spin_lock (&s->lock);
	end = atomic_load_explicit (&s->npidle, memory_order_relaxed) == (uint32_t) s->nprocs &&
	      alive () == 0;
	if (end)
		end_locked ();
	goad__spin_unlock (&s->lock);
	goad__unpin ();
	return end;
}

bool goad__work_somewhere (void)
{
	struct sched *s = &goad__sched;

	if (goad__global_waits ())
		return true;
	for (int i = 0; i < s->nprocs; i++)
		if (goad__p_own_waits (&s->p[i]))
			return true;
	return false;
}

/* The same, but where its P owes a wake-up for it: sched/owed.c. */
static bool work_offered (void)
{
	struct sched *s = &goad__sched;

	if (goad__global_waits ())
		return true;
	for (int i = 0; i < s->nprocs; i++)
		if (goad__p_offers (&s->p[i]))
			return true;
	return false;
}

/* How many idle Ms are kept beside one for each P: what a burst of hand-offs needs. */
#define SPARE 4u

/* There are more threads than the Ps can need.  M0 is not ours to end.  Under lock. */
static bool surplus (const struct m *m)
{
	const struct sched *s = &goad__sched;

	return m->g0_stack && s->nm - s->nm_locked > (uint32_t) s->nprocs + SPARE;
}

/* Under lock.  False: somebody has taken m off the list, and is about to give it a P. */
static bool midle_remove (struct m *m)
{
	struct sched *s = &goad__sched;
	struct m **at = &s->midle;

	while (*at && *at != m)
		at = &(*at)->idle_next;
	if (!*at)
		return false;
	*at = m->idle_next;
	s->nmidle--;
	return true;
}

/* m has idled for long: it ends, if others are still idle.  False: it is not surplus. */
static bool retire (struct m *m)
{
	struct sched *s = &goad__sched;
	bool still;

	goad__spin_lock (&s->lock);
	still = surplus (m);
	m->patient = !still;
	if (still && s->nmidle > SPARE && midle_remove (m)) {
		s->nm_locked++; /* it serves nobody any more */
		m->leaving = true;
	}
	goad__spin_unlock (&s->lock);
	return still;
}

/* Under lock: there are fewer Ps, or more threads for them.  Who sleeps without a deadline
 * looks again whether he is surplus. */
void goad__idle_review (void)
{
	struct sched *s = &goad__sched;
	struct m *next;

	for (struct m *m = s->midle; m; m = next) {
		next = m->idle_next;
		if (!m->patient || !surplus (m))
			continue;
		midle_remove (m);
		goad__m_give (m, NULL);
	}
}

/* On the idle list.  The list is a stack, so who is longest on it is needed least: a
 * thread costs 30 us to make and some pages to keep, and where none of the last seconds
 * needed it the next will not either.  Only a surplus one looks at the time, so where
 * all is idle nobody wakes. */
static void sleep_idle (struct m *m, bool may_end)
{
	while (may_end) {
		if (m_wait_until (m, goad__add_time (goad__now (), goad__sched.m_idle_ns)))
			return;
		may_end = retire (m);
		if (m->leaving)
			return;
	}
	goad__m_wait (m);
}

/* The second look: see the head of this file. */
void goad__idle_park (struct m *m)
{
	struct sched *s = &goad__sched;
	struct p *p = NULL;
	bool may_end;

	goad__spin_lock (&s->lock);
	if (!atomic_load_explicit (&s->done, memory_order_relaxed)) {
		if (work_offered ())
			p = goad__pidle_get ();
		if (!p) {
			m->idle_next = s->midle;
			s->midle = m;
			s->nmidle++;
			may_end = surplus (m);
			m->patient = !may_end;
			goad__spin_unlock (&s->lock);
			if (!goad__sources_sleep (m))
				sleep_idle (m, may_end);
			return;
		}
		m->spinning = true;
		atomic_fetch_add_explicit (&s->nmspinning, 1, memory_order_seq_cst);
	}
	goad__spin_unlock (&s->lock);
	if (p)
		goad__acquire_p (m, p);
}

/* m's P goes idle; what is in its queue, into the global one.  Under lock. */
void goad__idle_p (struct m *m)
{
	struct p *p = m->p;
	struct gbatch b = { 0 };

	goad__runq_drain (p, &b);
	goad__globq_append_locked (&b);
	goad__stack_cache_flush (&p->stacks);
	goad__pidle_put (goad__release_p (m));
	maybe_drained ();
}

void goad__idle (struct m *m)
{
	struct sched *s = &goad__sched;

	goad__spin_lock (&s->lock);
	if (goad__global_waits () && !goad__stopping ()) {
		goad__spin_unlock (&s->lock);
		return;
	}
	goad__idle_p (m);
	goad__spin_unlock (&s->lock);
	if (m->spinning) {
		m->spinning = false;
		/* [ord:idle-recheck] */
		atomic_fetch_sub_explicit (&s->nmspinning, 1, memory_order_seq_cst);
	}
	goad__idle_park (m);
}
