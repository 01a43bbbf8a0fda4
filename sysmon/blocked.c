/* SPDX-License-Identifier: MIT */
/* blocked.c - a coroutine has said that it blocks: its P goes to who waits
 *
 * The P stays with the thread for a tick, so that a call which is over soon finds it
 * there.  After that it is taken, but only if somebody waits who gets no P otherwise:
 * as long as one is idle, that one serves him.  Nobody tells sysmon that a block
 * begins; it sees it at the next look, which rule 2 of loop.c brings within a quantum
 * and rule 3 as soon as somebody waits.  While nobody does it sleeps, with the alarm
 * set.
 */
#include "sysmon/internal.h"

#include <errno.h>

#define US UINT64_C (1000)
#define MS UINT64_C (1000000)

/* How long the P stays: many short system calls, little against a quantum. */
static uint64_t tick (uint64_t quantum)
{
	return sysmon__min (MS, quantum);
}

/* Nobody waits.  An alarm that was false is not set again for a while, as in slice.c. */
static uint64_t look_alone (struct sysmon *s, int p, const struct sysmon_view *v)
{
	struct sysmon_blocked *b = &s->procs[p].blocked;

	if (s->procs[p].fired)
		b->rearm = sysmon__add (s->now, sysmon__max (v->quantum / 16, 50 * US));
	if (s->now < b->rearm)
		return b->rearm;
	sysmon__want_alarm (s, p, SYSMON_ALARM_ON);
	return SYSMON_NEVER;
}

static uint64_t retake (struct sysmon *s, int p, const struct sysmon_view *v)
{
	struct sysmon_blocked *b = &s->procs[p].blocked;

	switch (s->ops->retake (s->rt, p, v->blocked_since)) {
	case 0:
		sysmon__count (&s->count.retaken);
		return sysmon__soonest (s);
	case -EAGAIN: /* at the limit of threads */
		sysmon__count (&s->count.deferred);
		b->backoff = b->backoff ? sysmon__min (2 * b->backoff, 10 * MS) : tick (v->quantum);
		return b->again = sysmon__add (s->now, b->backoff);
	default:
		sysmon__count (&s->count.stale);
		return sysmon__soonest (s);
	}
}

static uint64_t look (struct sysmon *s, int p, const struct sysmon_view *v)
{
	struct sysmon_blocked *b = &s->procs[p].blocked;
	uint64_t due;

	if (!v->blocked)
		return SYSMON_NEVER;
	if (!b->known || b->since != v->blocked_since)
		*b = (struct sysmon_blocked){ .known = true, .since = v->blocked_since, .rearm = b->rearm };
	if (!s->ops->backlog (s->rt))
		return look_alone (s, p, v);
	due = sysmon__max (sysmon__add (v->blocked_since, tick (v->quantum)), b->again);
	return s->now < due ? due : retake (s, p, v);
}

const struct sysmon_policy sysmon__blocked = { .look = look };
