/* SPDX-License-Identifier: MIT */
/* The mutex.  Go's sync.Mutex is the model, with its two modes.
 *
 * Normal: who waits is queued in order, but one that is woken does not own the mutex; it
 * competes with newcomers, who run already and mostly win.  That is what makes a mutex
 * fast under contention: a strict hand-over would cost a switch for each lock.  Starving:
 * one that was woken, has waited for 1 ms and loses again, goes back to the front and
 * switches the mode: from now on unlock hands over to the front, and nobody overtakes.
 * The mode ends with one that is the last or has waited for less.
 *
 * One word holds all that decides: the owner (a coroutine's or a thread's address) and
 *
 *	WAITERS   the queue is not empty.  Set and cleared with it, under QUEUE
 *	QUEUE     somebody changes the queue: a lock, held for some dozen instructions
 *	STARVING  only with an owner: unlock hands over
 *	WOKEN     one that was woken is on its way and will look at the word again, or one
 *	          that spins does; until then unlock need not wake another.  It is cleared by
 *	          that one, when it gets the mutex, queues or gives up, in the same step
 *
 * The word is changed by compare-and-swap from a value without QUEUE, or by a plain store
 * of who set QUEUE.  [ord:mutex] who releases it does so with release, who gets it with
 * acquire.
 *
 * Why one word: who locks it next may unlock it and free it.  So the step that lets go
 * must be the last touch, and the queue must be right before it; with a lock beside the
 * word there would always be one step more.  A futex cannot serve for QUEUE, since waking
 * is one step more too: who finds it set spins, and yields the CPU in case its holder
 * has been descheduled.
 *
 * No wake-up is lost.  Who queues sets WAITERS while the mutex has an owner, and the
 * owner's fast unlock fails on any flag but WAITERS with WOKEN.  Unlock leaves a waiter
 * asleep only if WOKEN is set; and that one either gets the mutex, and unlocks it later,
 * or clears WOKEN in a step that finds an owner, who then unlocks without WOKEN.
 */
#include <errno.h>

#include "base/clock.h"
#include "base/fatal.h"
#include "base/syscall.h"
#include "wait/sync.h"

#define WAITERS ((uintptr_t) 1)
#define QUEUE ((uintptr_t) 2)
#define STARVING ((uintptr_t) 4)
#define WOKEN ((uintptr_t) 8)
#define FLAGS ((uintptr_t) 15)

#define STARVES 1000000u /* ns of waiting */
#define SPIN_ROUNDS 4    /* of 30 pauses, as Go's */

struct SYNC_OBJECT mutex {
	_Atomic uintptr_t word;
	struct sync_queue waiters;
};
_Static_assert(sizeof (struct mutex) <= sizeof (goad_mutex_t), "it fits");

struct locker {
	struct mutex *m;
	uintptr_t me;
	uint64_t deadline, since; /* since when it waits; 0: it has not yet */
	int spins;
	bool woken; /* WOKEN is its */
	bool starving;
};

static inline uintptr_t word_of (const struct mutex *m)
{
	return atomic_load_explicit (&m->word, memory_order_relaxed);
}

/* [ord:mutex] acquire where it gets the mutex or QUEUE, release where it gives it. */
static inline bool change (struct mutex *m, uintptr_t from, uintptr_t to)
{
	return atomic_compare_exchange_strong_explicit (&m->word, &from, to, memory_order_acq_rel,
	                                                memory_order_relaxed);
}

static void wait_for_queue (int *tries)
{
	if (++*tries % 64 == 0)
		goad__syscall3 (SYS_sched_yield, 0, 0, 0);
	else
		goad__cpu_relax ();
}

/* Sets QUEUE, whatever else the word is; that. */
static uintptr_t lock_queue (struct mutex *m)
{
	int tries = 0;

	for (;;) {
		uintptr_t w = word_of (m);
		if (w & QUEUE)
			wait_for_queue (&tries);
		else if (change (m, w, w | QUEUE))
			return w;
	}
}

static void unlock_queue (struct mutex *m, uintptr_t w)
{
	atomic_store_explicit (&m->word, w, memory_order_release); /* [ord:mutex] */
}

/* Whether the owner runs on a P: then it may be about to unlock.  Ms are never freed. */
static bool owner_runs (uintptr_t owner)
{
#ifdef GOAD__TSAN
	(void) owner;
	return false; /* m->curg is read without care */
#else
	const struct sched *s = &goad__sched;

	for (int i = 0; i < s->nprocs && i < 16; i++) {
		const struct m *m = goad__p_m (&s->p[i]);
		if (m && (uintptr_t) __atomic_load_n (&m->curg, __ATOMIC_RELAXED) == owner)
			return true;
	}
	return false;
#endif
}

/* Only with more than one P, and while the owner is running on one: else it would be in
 * its way. */
static bool spin (struct locker *l, uintptr_t w)
{
	if (l->spins >= SPIN_ROUNDS || goad__sched.nprocs < 2 || (w & STARVING) || !goad__g () ||
	    !owner_runs (w & ~FLAGS))
		return false;
	l->spins++;
	if (!l->woken && (w & WAITERS) && !(w & (WOKEN | QUEUE)) && change (l->m, w, w | WOKEN))
		l->woken = true; /* no need to wake another beside it */
	for (int i = 0; i < 30; i++)
		goad__cpu_relax ();
	return true;
}

/* It was handed over: the mode ends with who is the last, or has not waited for long. */
static void take_over (struct locker *l)
{
	bool enough = goad__now () - l->since <= STARVES;
	uintptr_t w;
	int tries = 0;

	for (;;) {
		w = word_of (l->m);
		if (!(w & STARVING) || ((w & WAITERS) && !enough))
			return;
		if (w & QUEUE)
			wait_for_queue (&tries);
		else if (change (l->m, w, w & ~STARVING))
			return;
	}
}

/* The deadline came while it was in the queue. */
static void leave_queue (struct mutex *m, struct sync_wait *s)
{
	uintptr_t w = lock_queue (m);

	goad__sync_remove (&m->waiters, s);
	unlock_queue (m, m->waiters.first ? w : w & ~(WAITERS | STARVING));
}

/* QUEUE is set, w is the word without it; waits.  1: look again. */
static int wait_in_queue (struct locker *l, uintptr_t w)
{
	struct mutex *m = l->m;
	struct sync_wait s = { .me = l->me };
	int err;

	goad__wait_init (&s.w, l->deadline, false);
	if (l->since != 0) {
		goad__sync_push_front (&m->waiters, &s);
	} else {
		goad__sync_push (&m->waiters, &s);
		l->since = goad__now ();
	}
	unlock_queue (m, (w & ~(l->woken ? WOKEN : 0)) | WAITERS | (l->starving ? STARVING : 0));
	l->woken = false;
	err = goad__wait (&s.w, "mutex", m);
	if (err != 0) {
		leave_queue (m, &s);
		return err;
	}
	if (s.handed) {
		take_over (l);
		return 0;
	}
	l->woken = true;
	l->starving = goad__now () - l->since > STARVES;
	l->spins = 0;
	return 1;
}

/* One look at the word.  1: look again. */
static int try_lock (struct locker *l, int *tries)
{
	struct mutex *m = l->m;
	uintptr_t w = word_of (m), mine = l->woken ? WOKEN : 0;
	int rc;

	if (w & QUEUE) {
		wait_for_queue (tries);
		return 1;
	}
	if (!(w & ~FLAGS))
		return change (m, w, (w & ~mine) | l->me) ? 0 : 1;
	rc = goad__sync_may_wait (l->deadline);
	if (rc != 0)
		return !mine || change (m, w, w & ~mine) ? rc : 1;
	if (spin (l, w))
		return 1;
	return change (m, w, w | QUEUE) ? wait_in_queue (l, w) : 1;
}

GOAD__NOINLINE static int lock_slow (struct mutex *m, uintptr_t me, uint64_t deadline)
{
	struct locker l = { .m = m, .me = me, .deadline = deadline };
	int rc, tries = 0;

	goad__pin ();
	while ((rc = try_lock (&l, &tries)) > 0)
		;
	goad__wait_leave ();
	return rc;
}

/* QUEUE is set, and there are waiters; w is the word without QUEUE.  The last touch of the
 * mutex is the store. */
static void wake_one (struct mutex *m, uintptr_t w)
{
	struct sync_wait *s = goad__sync_take (&m->waiters);
	uintptr_t rest = m->waiters.first ? WAITERS : 0;

	if (!s) {
		unlock_queue (m, w & WOKEN);
		return;
	}
	if (w & STARVING) {
		s->handed = true;
		unlock_queue (m, s->me | rest | (w & (STARVING | WOKEN)));
	} else {
		unlock_queue (m, rest | WOKEN);
	}
	goad__wait_done (&s->w);
}

/* 1: look again. */
static int try_unlock (struct mutex *m, uintptr_t me, int *tries)
{
	uintptr_t w = word_of (m);

	if ((w & ~FLAGS) != me) {
#ifdef GOAD_DEBUG_BUILD
		if (w & ~FLAGS)
			goad__sync_not_yours ("goad_mutex_unlock", m, w & ~FLAGS);
#endif
		return -EPERM;
	}
	if (w & QUEUE) {
		wait_for_queue (tries);
		return 1;
	}
	if (!(w & WAITERS))
		return change (m, w, w & WOKEN) ? 0 : 1;
	if ((w & WOKEN) && !(w & STARVING))
		return change (m, w, w & FLAGS) ? 0 : 1;
	if (!change (m, w, w | QUEUE))
		return 1;
	wake_one (m, w);
	return 0;
}

GOAD__NOINLINE static int unlock_slow (struct mutex *m, uintptr_t me)
{
	int rc, tries = 0;

	goad__pin ();
	while ((rc = try_unlock (m, me, &tries)) > 0)
		;
	goad__wait_leave ();
	return rc;
}

/* Barging: with others asleep in the queue who runs mostly finds it free all the same, and
 * lets go of it while one is on its way, without the slow path.  The word is looked at
 * first: a compare-and-swap that fails costs as much as one that does not, and among
 * several on one P the flags are set most of the time. */
static inline int lock (goad_mutex_t *mutex, uint64_t deadline)
{
	struct mutex *m = (struct mutex *) mutex;
	uintptr_t me = goad__sync_me (), w;

	if (unlikely (!m))
		return -EINVAL;
	w = word_of (m);
	if (likely (!(w & (~FLAGS | QUEUE))) && likely (change (m, w, w | me)))
		return 0;
	return lock_slow (m, me, deadline);
}

GOAD__API int goad_mutex_lock_until (goad_mutex_t *m, uint64_t deadline)
{
	return lock (m, deadline);
}

GOAD__API int goad_mutex_lock (goad_mutex_t *m)
{
	return lock (m, UINT64_MAX);
}

GOAD__API int goad_mutex_trylock (goad_mutex_t *m)
{
	int rc = lock (m, 0);
	return rc == -EAGAIN ? -EBUSY : rc;
}

GOAD__API int goad_mutex_unlock (goad_mutex_t *mutex)
{
	struct mutex *m = (struct mutex *) mutex;
	uintptr_t me = goad__sync_me (), w;

	if (unlikely (!m))
		return -EINVAL;
	w = word_of (m);
	if (likely (w == me) && likely (change (m, w, 0)))
		return 0;
	if ((w & ~WAITERS) == (me | WOKEN) && change (m, w, w & FLAGS))
		return 0;
	return unlock_slow (m, me);
}

uintptr_t goad__mutex_owner (const goad_mutex_t *m)
{
	return word_of ((const struct mutex *) m) & ~FLAGS;
}
