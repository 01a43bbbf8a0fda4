/* SPDX-License-Identifier: MIT */
/* Once.  [ord:once] DONE is stored with release after fn has returned, and looked for with
 * acquire: who finds it sees all that fn wrote. */
#include <errno.h>

#include "wait/sync.h"

enum { ONCE_NEVER, ONCE_RUNNING, ONCE_DONE };

struct SYNC_OBJECT once {
	_Atomic uint32_t state; /* changed under the lock */
	struct goad__spinlock lock;
	uintptr_t owner; /* who runs fn */
	struct sync_queue waiters;
};
_Static_assert(sizeof (struct once) <= sizeof (goad_once_t), "it fits");

static void run (struct once *o, goad_fn fn, void *arg)
{
	struct sync_wait *list = NULL;

	fn (arg);
	goad__pin ();
	goad__spin_lock (&o->lock);
	atomic_store_explicit (&o->state, ONCE_DONE, memory_order_release); /* [ord:once] */
	goad__sync_take_all (&o->waiters, &list);
	goad__spin_unlock (&o->lock);
	goad__sync_done_all (list);
	goad__wait_leave ();
}

GOAD__API int goad_once (goad_once_t *once, goad_fn fn, void *arg)
{
	struct once *o = (struct once *) once;
	uintptr_t me = goad__sync_me ();
	uint32_t state;
	int rc = 0;

	if (unlikely (!o || !fn))
		return -EINVAL;
	if (likely (atomic_load_explicit (&o->state, memory_order_acquire) == ONCE_DONE))
		return 0;
	goad__pin ();
	goad__spin_lock (&o->lock);
	state = atomic_load_explicit (&o->state, memory_order_relaxed);
	if (state == ONCE_NEVER) {
		atomic_store_explicit (&o->state, ONCE_RUNNING, memory_order_relaxed);
		o->owner = me;
	}
	if (state == ONCE_RUNNING && o->owner != me) {
		goad__sync_wait (&o->lock, &o->waiters, UINT64_MAX, "once");
	} else {
		rc = state == ONCE_RUNNING ? -EDEADLK : 0;
		goad__spin_unlock (&o->lock);
	}
	goad__unpin ();
	if (state == ONCE_NEVER)
		run (o, fn, arg);
	return rc;
}
