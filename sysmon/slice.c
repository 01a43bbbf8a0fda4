/* SPDX-License-Identifier: MIT */
/* slice.c - the quantum: who has run for it makes room for who waits
 *
 * A slice is due at start + quantum, counted from when it began and not from
 * when sysmon first saw it.  A due slice is asked to end only if somebody waits
 * for its P; if nobody does, the P's alarm is set, and the first to queue
 * something wakes sysmon.
 *
 * Nothing is remembered of a decision but the tick it was taken for: a request
 * carries it, and fails by itself when the slice is over.
 */
#include "sysmon/internal.h"

#include <errno.h>

#define US UINT64_C (1000)
#define MS UINT64_C (1000000)
#define EFFORT_MAX (100 * US)

/* Why a due slice is left alone for a while. */
enum { NOTHING, ASKED, KERNEL, NO_CPU };

/* Slices due within this time of each other end in one wake-up, the later ones
 * so much early.  They begin again together, so that Ps fall into step.  A
 * quantum / 64 at most, 50 us at most: the mean stays within 5% of the quantum. */
static uint64_t slack (uint64_t quantum)
{
	return sysmon__min (quantum / 64, 50 * US);
}

/* It goes to bed so much earlier as it usually oversleeps, and a slice takes to end once
 * it is asked to; by a 20th of the quantum at most, and so much too short is the one slice
 * for which, unusually, it was on time. */
static uint64_t lead (const struct sysmon *s, uint64_t quantum)
{
	return sysmon__min (s->late + s->effort, quantum / 20);
}

/* After an alarm for nothing (another P was faster) the alarm stays off for
 * this long, so that a P whose neighbours take all it queues does not wake
 * sysmon each time.  Who is queued meanwhile is found at the end of it. */
static uint64_t gap (uint64_t quantum)
{
	return sysmon__max (quantum / 16, 50 * US);
}

/* Pauses before this slice is probed or asked again: first, then twice as long
 * each time, up to most. */
static uint64_t back_off (struct sysmon *s, struct sysmon_slice *sl, int reason, uint64_t first,
                          uint64_t most)
{
	if (sl->reason != reason) {
		sl->reason = reason;
		sl->backoff = first;
	} else {
		sl->backoff = sysmon__min (2 * sl->backoff, most);
	}
	sl->again = sysmon__add (s->now, sl->backoff);

	/* Should it end by itself meanwhile, the next slice wants to be seen in time. */
	return sysmon__min (sl->again, sysmon__soonest (s));
}

static uint64_t back_off_asked (struct sysmon *s, struct sysmon_slice *sl, uint64_t quantum)
{
	return back_off (s, sl, ASKED, sysmon__min (MS, quantum), sysmon__max (MS, quantum));
}

/* From the look that asked a slice to end to the next one's start, learned as lateness is
 * (loop.c).  It is seen at all only if that one runs still; what took very long is no
 * measure, for then it was put off, or others have run in between. */
static void learn_effort (struct sysmon *s, const struct sysmon_slice *sl,
                          const struct sysmon_view *v)
{
	if (sl->asked > 0 && v->start > sl->asked && v->start - sl->asked < EFFORT_MAX)
		s->effort = s->effort - s->effort / 8 + (v->start - sl->asked) / 8;
}

/* It computes and is in somebody's way. */
static uint64_t ask (struct sysmon *s, int p, const struct sysmon_view *v)
{
	struct sysmon_slice *sl = &s->procs[p].slice;
	int err = s->ops->preempt (s->rt, p, v->tick);
	if (err == -ESTALE) {
		sysmon__count (&s->count.stale);
		return sysmon__soonest (s);
	}
	sl->asked = sl->reason == ASKED ? 0 : s->now;
	if (err < 0)
		sysmon__count (&s->count.deferred);
	else
		sysmon__count (sl->reason == ASKED ? &s->count.repeated : &s->count.asked);
	return back_off_asked (s, sl, v->quantum);
}

/* A due slice with somebody waiting. */
static uint64_t look_contended (struct sysmon *s, int p, const struct sysmon_view *v)
{
	struct sysmon_slice *sl = &s->procs[p].slice;
	uint64_t first = sysmon__min (MS, v->quantum);

	if (s->now < sl->again)
		return sysmon__min (sl->again, sysmon__soonest (s));
	/* Somebody else has asked: give that request its time. */
	if (v->requested && sl->reason != ASKED && v->preemptible)
		return back_off_asked (s, sl, v->quantum);

	/* A spare thread first: from the look at the thread to the signal it should take no
	 * longer than it must, or the signal meets a system call begun meanwhile.  Without one
	 * the slice can still end by a switch in place, so that the request is made anyway. */
	if (v->preemptible)
		(void) s->ops->prepare (s->rt, p);
	switch (s->ops->probe (s->rt, p, v->tick)) {
	case SYSMON_IN_KERNEL:
		/* A signal would break off its system call and free no CPU. */
		if (s->ops->take (s->rt, p, v->tick) == 0) {
			sysmon__count (&s->count.taken);
			return sysmon__soonest (s);
		}
		sysmon__count (&s->count.kernel);
		return back_off (s, sl, KERNEL, first, 10 * MS);
	case SYSMON_NO_CPU:
		/* Another process has its CPU: a signal would only wait with it. */
		sysmon__count (&s->count.no_cpu);
		return back_off (s, sl, NO_CPU, sysmon__min (250 * US, first), MS);
	case SYSMON_COMPUTES:
		break;
	}
	return v->preemptible ? ask (s, p, v) : sysmon__soonest (s);
}

/* A due slice with nobody waiting may go on.  The alarm is wanted even for a
 * short sleep, as the slice is over time from the moment that somebody waits. */
static uint64_t look_alone (struct sysmon *s, int p, const struct sysmon_view *v)
{
	struct sysmon_slice *sl = &s->procs[p].slice;

	if (s->procs[p].fired) {
		sysmon__count (&s->count.false_alarms);
		sl->rearm = sysmon__add (s->now, gap (v->quantum));
	}
	if (s->now < sl->rearm)
		return sysmon__min (sl->rearm, sysmon__soonest (s));

	sysmon__want_alarm (s, p, v->preemptible ? SYSMON_ALARM_ON : SYSMON_ALARM_LONG);
	return SYSMON_NEVER;
}

/* No coroutine on it.  A P that was busy a moment ago is looked at once more
 * before its alarm is set, so that one which goes idle and busy by turns costs
 * at most a look per quantum, and its submitters nothing. */
static uint64_t look_idle (struct sysmon *s, int p, bool busy)
{
	if (busy || s->procs[p].fired || s->ops->waiting (s->rt, p))
		return sysmon__soonest (s);
	sysmon__want_alarm (s, p, SYSMON_ALARM_LONG);
	return SYSMON_NEVER;
}

static uint64_t look (struct sysmon *s, int p, const struct sysmon_view *v)
{
	struct sysmon_slice *sl = &s->procs[p].slice;
	bool busy = sl->ran;
	uint64_t due, early;

	if (!sl->known || sl->tick != v->tick) {
		learn_effort (s, sl, v);
		*sl = (struct sysmon_slice){ .tick = v->tick, .known = true };
		busy = true;
	}
	sl->ran = v->running;
	if (!v->running)
		return look_idle (s, p, busy);

	due = sysmon__add (v->start, v->quantum);
	early = lead (s, v->quantum);
	if (due > sysmon__add (s->now, early + slack (v->quantum)))
		return sysmon__min (due - early, sysmon__soonest (s));
	return s->ops->waiting (s->rt, p) ? look_contended (s, p, v) : look_alone (s, p, v);
}

const struct sysmon_policy sysmon__slice = { .look = look };
