/* SPDX-License-Identifier: MIT */
/* loose.c - coroutines whose Ps were taken while they slept, unannounced, in the kernel
 *
 * When the call returns they run without a P.  That does no harm while a P is idle,
 * so they are looked after as long as none is, or as long as one was seen running; else
 * only when sysmon is awake anyway.  A process in which nothing but such sleepers is
 * left costs nothing.
 */
#include "sysmon/internal.h"

#define MS UINT64_C (1000000)

static void begin (struct sysmon *s)
{
	s->loose.busy = 0;
}

static uint64_t look (struct sysmon *s, int p, const struct sysmon_view *v)
{
	(void) p;
	s->loose.busy += v->running || v->blocked;
	return SYSMON_NEVER;
}

static uint64_t end (struct sysmon *s)
{
	struct sysmon_loose *l = &s->loose;

	if (!s->ops->loose (s->rt)) {
		l->running = 0;
		return SYSMON_NEVER;
	}
	if (s->now >= l->next) {
		sysmon__count (&s->count.reins);
		l->running = s->ops->rein (s->rt);
		l->next = sysmon__add (s->now, sysmon__max (s->shortest, MS));
	}
	return l->running > 0 || l->busy == s->n ? l->next : SYSMON_NEVER;
}

const struct sysmon_policy sysmon__loose = { .begin = begin, .look = look, .end = end };
