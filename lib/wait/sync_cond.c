/* SPDX-License-Identifier: MIT */
/* Conditions.  The waiter is in the queue before it unlocks the mutex: a signal that comes
 * from then on, by whoever gets the mutex, finds it. */
#include <errno.h>

#include "wait/sync.h"

struct SYNC_OBJECT cond {
	struct goad__spinlock lock;
	struct sync_queue waiters;
};
_Static_assert(sizeof (struct cond) <= sizeof (goad_cond_t), "it fits");

GOAD__API int goad_cond_wait_until (goad_cond_t *cond, goad_mutex_t *m, uint64_t deadline)
{
	struct cond *c = (struct cond *) cond;
	struct sync_wait s;
	int err;

	if (!c || !m)
		return -EINVAL;
	if (goad__mutex_owner (m) != goad__sync_me ())
		return -EPERM;
	if (deadline == 0)
		return -EAGAIN;
	goad__pin ();
	goad__wait_init (&s.w, deadline, false);
	s.me = goad__sync_me ();
	goad__spin_lock (&c->lock);
	goad__sync_push (&c->waiters, &s);
	goad__spin_unlock (&c->lock);
	goad_mutex_unlock (m);
	err = goad__wait (&s.w, "condition", c);
	if (err != 0) {
		goad__spin_lock (&c->lock);
		goad__sync_remove (&c->waiters, &s);
		goad__spin_unlock (&c->lock);
	}
	goad__unpin ();
	goad_mutex_lock (m);
	return err;
}

GOAD__API int goad_cond_wait (goad_cond_t *c, goad_mutex_t *m)
{
	return goad_cond_wait_until (c, m, UINT64_MAX);
}

static int wake (goad_cond_t *cond, bool all)
{
	struct cond *c = (struct cond *) cond;
	struct sync_wait *list = NULL;

	if (!c)
		return -EINVAL;
	goad__pin ();
	goad__spin_lock (&c->lock);
	if (all)
		goad__sync_take_all (&c->waiters, &list);
	else if ((list = goad__sync_take (&c->waiters)))
		list->next = NULL;
	goad__spin_unlock (&c->lock);
	goad__sync_done_all (list);
	goad__wait_leave ();
	return 0;
}

GOAD__API int goad_cond_signal (goad_cond_t *c)
{
	return wake (c, false);
}

GOAD__API int goad_cond_broadcast (goad_cond_t *c)
{
	return wake (c, true);
}
