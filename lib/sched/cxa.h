/* SPDX-License-Identifier: MIT */
/* sched/cxa.h - C++ exceptions that are being handled, at a switch */
#ifndef GOAD_SCHED_CXA_H
#define GOAD_SCHED_CXA_H

#include "core/g.h"
#include "core/m.h"

struct cxa_globals { /* Itanium C++ ABI 2.2.2 */
	void *caught;
	unsigned uncaught;
};

/* The C++ runtime keeps the exceptions being handled per thread: they go with the
 * coroutine. */
static inline void goad__swap_cxa (struct m *m, struct g *from, struct g *to)
{
	struct cxa_globals *now = m->cxa;

	if (likely (!now))
		return;
	if (from) {
		from->cxa_caught = now->caught;
		from->cxa_uncaught = now->uncaught;
	}
	now->caught = to ? to->cxa_caught : NULL;
	now->uncaught = to ? to->cxa_uncaught : 0;
}

#endif
