/* SPDX-License-Identifier: MIT */
/* The public calls on kernel threads. */
#include <errno.h>

#include "base/clock.h"
#include "core/gate.h"
#include "runtime/runtime.h"
#include "wait/sleep.h"

#define MAKING UINT64_C (200000) /* ns: about what the maker needs */

GOAD__API int goad_lock_thread (void)
{
	int err;

	/* The thread that is to be left for the others is being made: rare, the first spare
	 * is made at the start. */
	while ((err = goad__lock_thread ()) == -EBUSY) {
		goad__want_thread (1);
		goad__sleep_until (goad__add_time (goad__now (), MAKING));
	}
	return err;
}

GOAD__API int goad_unlock_thread (void)
{
	return goad__unlock_thread ();
}

GOAD__API int goad_set_procs (int n)
{
	int old = n;

	if (n < 1 || n > GOAD__MAX_PROCS)
		return -EINVAL;
	if (!goad__gate_enter ())
		return -EPERM;
	goad__cpus_follow (false);
	if (n != goad__sched.nprocs)
		old = goad__resize (n, UINT64_MAX);
	goad__gate_leave ();
	return old;
}

GOAD__API int goad_set_max_threads (int n)
{
	struct sched *s = &goad__sched;
	int old;

	if (n < 1 || n > GOAD__MAX_THREADS)
		return -EINVAL;
	if (!goad__gate_enter ())
		return -EPERM;
	goad__pin ();
	goad__spin_lock (&s->lock);
	old = s->max_threads;
	if (s->nm > (uint32_t) n)
		old = -EBUSY;
	else
		s->max_threads = n;
	goad__spin_unlock (&s->lock);
	goad__unpin ();
	goad__gate_leave ();
	return old;
}
