/* SPDX-License-Identifier: MIT */
/* Semaphores.  A release is handed to whoever has waited longest: while somebody waits
 * the count is 0, so nobody overtakes. */
#include <errno.h>

#include "wait/sync.h"

struct SYNC_OBJECT sem {
	struct goad__spinlock lock;
	uint32_t count;
	struct sync_queue waiters;
};
_Static_assert(sizeof (struct sem) <= sizeof (goad_sem_t), "it fits");

GOAD__API int goad_sem_init (goad_sem_t *s, unsigned count)
{
	if (!s)
		return -EINVAL;
	*(struct sem *) s = (struct sem){ .count = count };
	return 0;
}

GOAD__API int goad_sem_acquire_until (goad_sem_t *sem, uint64_t deadline)
{
	struct sem *s = (struct sem *) sem;
	int rc = 0;

	if (unlikely (!s))
		return -EINVAL;
	goad__pin ();
	goad__spin_lock (&s->lock);
	if (likely (s->count > 0)) {
		s->count--;
		goad__spin_unlock (&s->lock);
	} else if ((rc = goad__sync_may_wait (deadline)) != 0) {
		goad__spin_unlock (&s->lock);
	} else {
		rc = goad__sync_wait (&s->lock, &s->waiters, deadline, "semaphore");
	}
	goad__wait_leave ();
	return rc;
}

GOAD__API int goad_sem_acquire (goad_sem_t *s)
{
	return goad_sem_acquire_until (s, UINT64_MAX);
}

GOAD__API int goad_sem_tryacquire (goad_sem_t *s)
{
	return goad_sem_acquire_until (s, 0);
}

GOAD__API int goad_sem_release (goad_sem_t *sem)
{
	struct sem *s = (struct sem *) sem;
	struct sync_wait *w = NULL;
	int rc = 0;

	if (unlikely (!s))
		return -EINVAL;
	goad__pin ();
	goad__spin_lock (&s->lock);
	if (s->waiters.first)
		w = goad__sync_take (&s->waiters);
	if (!w) {
		if (s->count == UINT32_MAX)
			rc = -EOVERFLOW;
		else
			s->count++;
	}
	goad__spin_unlock (&s->lock);
	if (w)
		goad__wait_done (&w->w);
	goad__wait_leave ();
	return rc;
}
