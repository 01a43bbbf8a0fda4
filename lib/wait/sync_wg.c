/* SPDX-License-Identifier: MIT */
/* Wait groups.  A waiter looks at the count under the lock, never without: the group is
 * often on its stack, and the last to be done still has the lock when the count is 0. */
#include <errno.h>
#include <limits.h>

#include "wait/sync.h"

struct SYNC_OBJECT wg {
	struct goad__spinlock lock;
	int32_t count;
	struct sync_queue waiters;
};
_Static_assert(sizeof (struct wg) <= sizeof (goad_wg_t), "it fits");

GOAD__API int goad_wg_add (goad_wg_t *group, int n)
{
	struct wg *wg = (struct wg *) group;
	struct sync_wait *list = NULL;
	int64_t count;
	int rc = 0;

	if (unlikely (!wg))
		return -EINVAL;
	goad__pin ();
	goad__spin_lock (&wg->lock);
	count = (int64_t) wg->count + n;
	if (count < 0 || count > INT_MAX) {
		rc = count < 0 ? -EINVAL : -EOVERFLOW;
	} else {
		wg->count = (int32_t) count;
		if (count == 0)
			goad__sync_take_all (&wg->waiters, &list);
	}
	goad__spin_unlock (&wg->lock);
	goad__sync_done_all (list);
	goad__wait_leave ();
	return rc;
}

GOAD__API int goad_wg_done (goad_wg_t *wg)
{
	return goad_wg_add (wg, -1);
}

GOAD__API int goad_wg_wait_until (goad_wg_t *group, uint64_t deadline)
{
	struct wg *wg = (struct wg *) group;
	int rc = 0;

	if (unlikely (!wg))
		return -EINVAL;
	goad__pin ();
	goad__spin_lock (&wg->lock);
	if (wg->count == 0 || (rc = goad__sync_may_wait (deadline)) != 0)
		goad__spin_unlock (&wg->lock);
	else
		rc = goad__sync_wait (&wg->lock, &wg->waiters, deadline, "wait group");
	goad__wait_leave ();
	return rc;
}

GOAD__API int goad_wg_wait (goad_wg_t *wg)
{
	return goad_wg_wait_until (wg, UINT64_MAX);
}
