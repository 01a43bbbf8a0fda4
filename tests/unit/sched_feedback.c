/* SPDX-License-Identifier: MIT */
/* tests/unit/sched_feedback.c - whose turn it is on a P (lib/sched/feedback.c) */
#include "tests/harness.h"

#include "sched/feedback.h"

#define LEFT 5000

static struct p *a_p (void)
{
	static struct p p;
	struct sched *s = &goad__sched;

	s->quantum = 100000;
	s->fresh_most = 20000;
	s->fairq.n = 1;
	s->hogs_since = p.hogs_seen = 1;
	p.fresh_left = LEFT;
	p.hog_runs = p.n_switches = 7;
	p.hog_turn_at = 1000;
	return &p;
}

/* What fresh work may run for is kept as the time at which it is gone.  While the P is on its
 * way from the hog's thread to another nobody runs, however long that takes. */
Test (sched_feedback, the_way_to_another_thread_is_free)
{
	struct p *p = a_p ();

	cr_assert_not (goad__hogs_turn (p, 900000));
	cr_assert_eq (p->hog_turn_at, 900000 + LEFT);
	p->n_switches++; /* fresh work runs */
	cr_assert_not (goad__hogs_turn (p, 900000 + LEFT - 1));
	cr_assert (goad__hogs_turn (p, 900000 + LEFT));
}

Test (sched_feedback, who_has_nothing_left_waits)
{
	struct p *p = a_p ();

	p->fresh_left = 0;
	cr_assert (goad__hogs_turn (p, 900000));
	p->fresh_left = -LEFT;
	cr_assert (goad__hogs_turn (p, 900000));
}

Test (sched_feedback, no_hogs_no_turn)
{
	struct p *p = a_p ();

	p->fresh_left = -LEFT;
	goad__sched.fairq.n = 0;
	cr_assert_not (goad__hogs_turn (p, 900000));
}
