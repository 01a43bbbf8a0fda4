/* SPDX-License-Identifier: MIT */
/* goad/sync.h - mutex, readers and writers, condition, semaphore, wait group, once
 *
 *	static goad_mutex_t lock;   // zero-filled: ready
 *	static goad_wg_t wg;
 *	static long total;
 *
 *	static void work (void *arg)
 *	{
 *		goad_mutex_lock (&lock);
 *		total += (long) arg;
 *		goad_mutex_unlock (&lock);
 *		goad_wg_done (&wg);
 *	}
 *
 *	static void first (void *arg)
 *	{
 *		(void) arg;
 *		goad_wg_add (&wg, 10);
 *		for (long i = 0; i < 10; i++)
 *			goad_go (work, (void *) i);
 *		goad_wg_wait (&wg);     // total is 45
 *	}
 *
 * All are ready for use when zero-filled, need no destroy, and must not be copied or
 * moved while in use.  The memory may go as soon as no call is under way that could wait,
 * and none is still to come: who got the mutex last may unlock it and free it; who was
 * woken by a wait group may return from the frame that holds it.
 *
 * Inside a coroutine these calls park the coroutine, on any other thread they block that
 * thread, and either wakes the other.  A coroutine holds its locks wherever it runs: on
 * whatever thread it wakes, they are its own.
 *
 * They return 0 or a negative errno value, leave errno alone, allocate nothing, and are
 * not async-signal-safe.  -EINVAL: a pointer is NULL.  Deadlines are absolute, on goad_now's
 * clock: -ETIMEDOUT when it has passed, -EAGAIN when it is 0 and the call would wait, and
 * -ENOMEM when there is no memory to note it.
 */
#ifndef GOAD_SYNC_H
#define GOAD_SYNC_H

#include <stdint.h>

#include <goad/sched.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct goad_mutex {
	uint64_t goad_[4];
} goad_mutex_t;
#define GOAD_MUTEX_INIT \
	{                   \
		{               \
			0           \
		}               \
	}

/* Locks.  A running coroutine may get it before those that wait (that is faster for
 * all), but once one has waited for 1 ms they are served in their order.  Not recursive:
 * who locks what it holds waits. */
int goad_mutex_lock (goad_mutex_t *m);
int goad_mutex_lock_until (goad_mutex_t *m, uint64_t deadline);
/* -EBUSY: it is held. */
int goad_mutex_trylock (goad_mutex_t *m);
/* -EPERM: it is not locked, or by another; in a debug build the latter ends the program
 * with a line on stderr. */
int goad_mutex_unlock (goad_mutex_t *m);

typedef struct goad_rwlock {
	uint64_t goad_[8];
} goad_rwlock_t;
#define GOAD_RWLOCK_INIT \
	{                    \
		{                \
			0            \
		}                \
	}

/* Many readers, or one writer.  Readers and writers take turns: no reader is let in
 * before a writer that waits, and after a writer all readers that wait go first.  So a
 * reader must not lock it again. */
int goad_rwlock_rdlock (goad_rwlock_t *l);
int goad_rwlock_wrlock (goad_rwlock_t *l);
int goad_rwlock_rdlock_until (goad_rwlock_t *l, uint64_t deadline);
int goad_rwlock_wrlock_until (goad_rwlock_t *l, uint64_t deadline);
/* -EBUSY: it would wait. */
int goad_rwlock_tryrdlock (goad_rwlock_t *l);
int goad_rwlock_trywrlock (goad_rwlock_t *l);
/* Either kind.  -EPERM: it is not locked, or by a writer that is another; in a debug
 * build the latter ends the program with a line on stderr. */
int goad_rwlock_unlock (goad_rwlock_t *l);

typedef struct goad_cond {
	uint64_t goad_[4];
} goad_cond_t;
#define GOAD_COND_INIT \
	{                  \
		{              \
			0          \
		}              \
	}

/* Unlocks m, waits to be signalled, and locks m again, also when the deadline came first.
 * Nobody is woken but by a signal, yet what it was about may be over when m is locked:
 * look again, in a loop.  -EPERM: m is not the caller's, -EAGAIN: deadline is 0; then m
 * was not unlocked. */
int goad_cond_wait (goad_cond_t *c, goad_mutex_t *m);
int goad_cond_wait_until (goad_cond_t *c, goad_mutex_t *m, uint64_t deadline);
/* Wakes the one that has waited longest, or all; the mutex need not be held. */
int goad_cond_signal (goad_cond_t *c);
int goad_cond_broadcast (goad_cond_t *c);

typedef struct goad_sem {
	uint64_t goad_[4];
} goad_sem_t;
#define GOAD_SEM_INIT \
	{                 \
		{             \
			0         \
		}             \
	}

/* Sets the count, while nobody uses it.  GOAD_SEM_INIT is count 0. */
int goad_sem_init (goad_sem_t *s, unsigned count);
/* Takes one off the count, or waits for a release; in the order of coming. */
int goad_sem_acquire (goad_sem_t *s);
int goad_sem_acquire_until (goad_sem_t *s, uint64_t deadline);
/* -EAGAIN: the count is 0. */
int goad_sem_tryacquire (goad_sem_t *s);
/* Hands one to who has waited longest, else adds it to the count.  -EOVERFLOW: it stands
 * at UINT_MAX. */
int goad_sem_release (goad_sem_t *s);

typedef struct goad_wg {
	uint64_t goad_[4];
} goad_wg_t;
#define GOAD_WG_INIT \
	{                \
		{            \
			0        \
		}            \
	}

/* Adds n, which may be negative, to the count; at 0 all who wait are woken.  -EINVAL: the
 * count would go below zero; -EOVERFLOW: above INT_MAX.  It stays as it was then. */
int goad_wg_add (goad_wg_t *wg, int n);
/* goad_wg_add (wg, -1). */
int goad_wg_done (goad_wg_t *wg);
/* Until the count is 0. */
int goad_wg_wait (goad_wg_t *wg);
int goad_wg_wait_until (goad_wg_t *wg, uint64_t deadline);

typedef struct goad_once_flag {
	uint64_t goad_[5];
} goad_once_t;
#define GOAD_ONCE_INIT \
	{                  \
		{              \
			0          \
		}              \
	}

/* Calls fn (arg) if nobody has; returns when it has returned, whoever called it.  -EDEADLK:
 * from inside that fn.  fn must return: one that leaves by goad_exit or an exception leaves
 * the others waiting.  The flag must outlive all calls. */
int goad_once (goad_once_t *once, goad_fn fn, void *arg);

#ifdef __cplusplus
}
#endif

#endif /* GOAD_SYNC_H */
