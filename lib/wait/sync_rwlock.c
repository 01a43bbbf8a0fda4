/* SPDX-License-Identifier: MIT */
/* Readers and writers.  Phase-fair (Brandenburg and Anderson, "Spin-based reader-writer
 * synchronization for multiprocessor real-time systems", Real-Time Systems 46, 2010, with
 * queues instead of spinning):
 *
 *	a writer that waits keeps new readers out, so it waits for one phase of readers;
 *	at the end of a writer's phase all readers that wait go in, so a reader waits for one
 *	writer, and for the phase of readers before it;
 *	writers are served in their order.
 *
 * The lock is handed over: whoever is woken holds it.  So it is never free while somebody
 * waits, but for those whose deadline came and who are about to leave.
 */
#include <errno.h>

#include "base/fatal.h"
#include "wait/sync.h"

struct SYNC_OBJECT rwlock {
	struct goad__spinlock lock;
	uint32_t nreaders;
	uintptr_t writer; /* who holds it for writing; 0: nobody */
	struct sync_queue readers, writers;
};
_Static_assert(sizeof (struct rwlock) <= sizeof (goad_rwlock_t), "it fits");

/* Readers that wait go in; those to be told.  Under the lock, as all below. */
static struct sync_wait *admit_readers (struct rwlock *l)
{
	struct sync_wait *list = NULL;

	l->nreaders += goad__sync_take_all (&l->readers, &list);
	return list;
}

static struct sync_wait *admit_writer (struct rwlock *l)
{
	struct sync_wait *w = goad__sync_take (&l->writers);

	if (w) {
		l->writer = w->me;
		w->next = NULL;
	}
	return w;
}

/* A phase has ended. */
static struct sync_wait *next_phase (struct rwlock *l, bool after_writer)
{
	struct sync_wait *list = after_writer ? admit_readers (l) : admit_writer (l);

	if (!list)
		list = after_writer ? admit_writer (l) : admit_readers (l);
	return list;
}

static bool may_read (const struct rwlock *l)
{
	return !l->writer && !l->writers.first;
}

/* A writer that waited has left by its deadline: the readers that it kept out, if it was
 * the last, go in. */
static void writer_left (struct rwlock *l)
{
	struct sync_wait *list = NULL;

	goad__spin_lock (&l->lock);
	if (may_read (l))
		list = admit_readers (l);
	goad__spin_unlock (&l->lock);
	goad__sync_done_all (list);
}

GOAD__API int goad_rwlock_rdlock_until (goad_rwlock_t *lock, uint64_t deadline)
{
	struct rwlock *l = (struct rwlock *) lock;
	int rc = 0;

	if (unlikely (!l))
		return -EINVAL;
	goad__pin ();
	goad__spin_lock (&l->lock);
	if (likely (may_read (l))) {
		l->nreaders++;
		goad__spin_unlock (&l->lock);
	} else if ((rc = goad__sync_may_wait (deadline)) != 0) {
		goad__spin_unlock (&l->lock);
	} else {
		rc = goad__sync_wait (&l->lock, &l->readers, deadline, "read lock");
	}
	goad__wait_leave ();
	return rc;
}

GOAD__API int goad_rwlock_wrlock_until (goad_rwlock_t *lock, uint64_t deadline)
{
	struct rwlock *l = (struct rwlock *) lock;
	int rc = 0;

	if (unlikely (!l))
		return -EINVAL;
	goad__pin ();
	goad__spin_lock (&l->lock);
	if (likely (!l->writer && l->nreaders == 0)) {
		l->writer = goad__sync_me ();
		goad__spin_unlock (&l->lock);
	} else if ((rc = goad__sync_may_wait (deadline)) != 0) {
		goad__spin_unlock (&l->lock);
	} else {
		rc = goad__sync_wait (&l->lock, &l->writers, deadline, "write lock");
		if (rc != 0)
			writer_left (l);
	}
	goad__wait_leave ();
	return rc;
}

GOAD__API int goad_rwlock_rdlock (goad_rwlock_t *l)
{
	return goad_rwlock_rdlock_until (l, UINT64_MAX);
}

GOAD__API int goad_rwlock_wrlock (goad_rwlock_t *l)
{
	return goad_rwlock_wrlock_until (l, UINT64_MAX);
}

GOAD__API int goad_rwlock_tryrdlock (goad_rwlock_t *l)
{
	int rc = goad_rwlock_rdlock_until (l, 0);
	return rc == -EAGAIN ? -EBUSY : rc;
}

GOAD__API int goad_rwlock_trywrlock (goad_rwlock_t *l)
{
	int rc = goad_rwlock_wrlock_until (l, 0);
	return rc == -EAGAIN ? -EBUSY : rc;
}

GOAD__API int goad_rwlock_unlock (goad_rwlock_t *lock)
{
	struct rwlock *l = (struct rwlock *) lock;
	struct sync_wait *list = NULL;
	uintptr_t me = goad__sync_me (), other = 0;
	int rc = 0;

	if (unlikely (!l))
		return -EINVAL;
	goad__pin ();
	goad__spin_lock (&l->lock);
	if (l->writer == me) {
		l->writer = 0;
		list = next_phase (l, true);
	} else if (!l->writer && l->nreaders > 0) {
		if (--l->nreaders == 0)
			list = next_phase (l, false);
	} else {
		other = l->writer;
		rc = -EPERM;
	}
	goad__spin_unlock (&l->lock);
#ifdef GOAD_DEBUG_BUILD
	if (other)
		goad__sync_not_yours ("goad_rwlock_unlock", l, other);
#endif
	(void) other;
	goad__sync_done_all (list);
	goad__wait_leave ();
	return rc;
}

uintptr_t goad__rwlock_owner (const goad_rwlock_t *lock, uint32_t *readers)
{
	const struct rwlock *l = (const struct rwlock *) lock;

	*readers = l->nreaders;
	return l->writer;
}
