/* SPDX-License-Identifier: MIT */
/* fresh.c - fresh work does not wait for the quantum of who computes
 *
 * A coroutine that is new or was woken, and finds no idle P, gets the P that has run
 * the same one for longest, if that is longer than the granularity.  A hog may ask for
 * more time than that, its share (v->spare); and who came as fresh work must go when
 * it is the hogs' turn (v->turn).
 *
 * What is known of a P's future?  A hog goes on, and so does who has run for the
 * granularity: then nothing happens until fresh work comes, and the alarm for it is set.
 * One that has just begun will most probably be gone soon, and to be told of all that
 * such Ps queue would be worse than to look again: when it will have run for the
 * granularity, and, if by then another has begun, after ever longer pauses, up to the
 * shortest quantum.
 *
 * A P whose thread sleeps in the kernel is taken, as in slice.c.  It may seem early, with
 * no more than the granularity gone, for the call may be over in a moment.  But until then
 * the P is of no use to anybody, and nothing tells when that will be.  Nor is it dear: who
 * waits has the P for the price of a wake-up, and who is back without one counts as fresh
 * work.
 */
#include "sysmon/internal.h"

#define MS UINT64_C (1000000)

static void begin (struct sysmon *s)
{
	struct sysmon_fresh *f = &s->fresh;
	bool armed = f->armed;
	uint64_t pause = f->pause;

	*f = (struct sysmon_fresh){ .granularity = 0 };
	if (s->ops->granularity)
		f->granularity = s->ops->granularity (s->rt);
	if (f->granularity == 0)
		return;
	f->pause = pause;
	f->settles = SYSMON_NEVER;
	f->armed = armed && s->ops->fresh_armed (s->rt);
	f->fired = armed && !f->armed;
	f->crowd = s->ops->crowd (s->rt);
	f->hogs_wait = s->ops->hogs_wait (s->rt);
}

/* A signal would break off its system call. */
static bool take (struct sysmon *s, int p)
{
	if (s->ops->take (s->rt, p, s->procs[p].run.tick) != 0)
		return false;
	sysmon__count (&s->count.taken);
	return true;
}

/* Has p end its run; false: it cannot, or it would be no use. */
static bool ask (struct sysmon *s, int p)
{
	struct sysmon_run *r = &s->procs[p].run;

	r->asked = r->tick;
	r->again = sysmon__add (s->now, MS);
	r->ready = SYSMON_NEVER;
	(void) s->ops->prepare (s->rt, p); /* before the look, as in slice.c */
	switch (s->ops->probe (s->rt, p, r->tick)) {
	case SYSMON_IN_KERNEL:
		return take (s, p);
	case SYSMON_NO_CPU:
		return false;
	case SYSMON_COMPUTES:
		break;
	}
	if (s->ops->preempt_fresh (s->rt, p, r->tick) < 0)
		return false;
	sysmon__count (&s->count.fresh);
	return true;
}

/* Work that waits in p's own queue, and will not be run there soon. */
static bool needs_help (struct sysmon *s, struct sysmon_run *r, const struct sysmon_view *v,
                        bool old)
{
	if (!v->queued)
		r->queued = 0;
	else if (r->queued == 0)
		r->queued = s->now;
	if (old)
		return v->queued || v->next;
	return v->queued && s->now - r->queued >= s->fresh.granularity / 4;
}

/* A run that may be gone soon; by then it is known. */
static void unsettled (struct sysmon *s, uint64_t until)
{
	s->fresh.young = true;
	s->fresh.settles = sysmon__min (s->fresh.settles, until);
}

/* How far fresh work may run into the hogs' turn, to be done rather than cut off and
 * become a hog itself: what the guarantee leaves (sched/feedback.h, o). */
static uint64_t overdraft (uint64_t quantum)
{
	return sysmon__min (quantum / 10, MS);
}

static uint64_t look (struct sysmon *s, int p, const struct sysmon_view *v)
{
	struct sysmon_fresh *f = &s->fresh;
	struct sysmon_run *r = &s->procs[p].run;
	bool hog = v->spare != 0;
	uint64_t due;
	bool old;

	r->ready = SYSMON_NEVER;
	if (f->granularity == 0)
		return SYSMON_NEVER;
	if (!v->running) {
		unsettled (s, sysmon__add (s->now, f->granularity));
		return SYSMON_NEVER;
	}
	due = hog ? v->spare : sysmon__add (v->since, f->granularity);
	old = hog || due <= s->now;
	if (old)
		f->old = true;
	else
		unsettled (s, due);
	if (needs_help (s, r, v, old))
		f->needs++;
	if (!v->preemptible || (v->requested && r->asked != v->tick))
		return SYSMON_NEVER;
	if (v->requested) /* give it its time */
		due = sysmon__max (due, r->again);
	r->tick = v->tick;
	r->since = v->since;
	r->ready = due;
	if (hog || !f->hogs_wait)
		return SYSMON_NEVER;
	due = sysmon__max (due, sysmon__add (v->turn, overdraft (v->quantum)));
	if (due <= s->now) {
		ask (s, p);
		return sysmon__add (s->now, f->granularity);
	}
	/* Young or not: one that comes as fresh work and computes must not go on into the
	 * hogs' turn until sysmon happens to look.  That is no sooner than the allowance ends,
	 * so a flood of short runs does not make it look more often. */
	return due;
}

/* The P that has run the same one for longest and may be asked; -1: none. */
static int oldest (struct sysmon *s)
{
	int best = -1;

	for (int p = 0; p < s->n; p++)
		if (s->procs[p].run.ready <= s->now &&
		    (best < 0 || s->procs[p].run.since < s->procs[best].run.since))
			best = p;
	return best;
}

/* Fresh work waits: a P for each, as far as there are any to be had. */
static uint64_t make_room (struct sysmon *s)
{
	struct sysmon_fresh *f = &s->fresh;
	uint64_t until = sysmon__add (s->now, MS);
	int p;

	f->pause = 0;
	while (f->needs > 0 && (p = oldest (s)) >= 0)
		if (ask (s, p)) {
			f->needs--;
			until = sysmon__add (s->now, f->granularity);
		}
	if (f->needs > 0)
		for (p = 0; p < s->n; p++)
			until = sysmon__min (until, s->procs[p].run.ready);
	return until;
}

/* Something has not settled, or an alarm was for nothing. */
static uint64_t look_again (struct sysmon *s)
{
	struct sysmon_fresh *f = &s->fresh;
	uint64_t until = sysmon__add (s->now, f->pause);
	uint64_t most = sysmon__max (s->shortest, f->granularity);

	f->pause = f->pause ? sysmon__min (2 * f->pause, most) : f->granularity;
	if (!f->young)
		f->settles = sysmon__add (s->now, f->granularity);
	return sysmon__max (until, f->settles);
}

static uint64_t end (struct sysmon *s)
{
	struct sysmon_fresh *f = &s->fresh;

	if (f->granularity == 0)
		return SYSMON_NEVER;
	if (f->crowd == SYSMON_IDLE_P) {
		f->want = f->old; /* to hear of it when the last one is taken */
		return SYSMON_NEVER;
	}
	f->needs += s->ops->fresh_global (s->rt);
	if (f->needs > 0)
		return make_room (s);
	if (f->young || f->fired || f->crowd == SYSMON_FRESH_WAITS)
		return look_again (s);
	f->pause = 0;
	f->want = true;
	return SYSMON_NEVER;
}

/* After the alarm was set and the fence: has anything changed for the worse? */
bool sysmon__fresh_missed (struct sysmon *s)
{
	return s->ops->crowd (s->rt) > s->fresh.crowd;
}

const struct sysmon_policy sysmon__fresh = { .begin = begin, .look = look, .end = end };
