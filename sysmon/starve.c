/* SPDX-License-Identifier: MIT */
/* starve.c - who waits for longer than a bound is noticed while he waits
 *
 * A wait that begins after a scan cannot pass the bound before scan + bound, and of those
 * that were there at the scan it says when the first will.  So the next scan is due at the
 * earlier of the two, as long as anything runs.  Where nothing runs and nobody waits, and
 * did not at the scan before, none is: the Ps' alarms are set, so that sysmon hears of it
 * when somebody is queued.  Rule 2 of loop.c, a quantum, may be longer than the bound.
 *
 * Where waits nearly as long as the bound are the rule, scans are kept apart by a
 * sixteenth of it, and 50 us, by which an event may be late.
 */
#include "sysmon/internal.h"

#define US UINT64_C (1000)

static uint64_t apart (uint64_t bound)
{
	return sysmon__max (bound / 16, 50 * US);
}

static void begin (struct sysmon *s)
{
	s->starve.busy = false;
}

static uint64_t look (struct sysmon *s, int p, const struct sysmon_view *v)
{
	(void) p;
	s->starve.busy |= v->running || v->blocked;
	return SYSMON_NEVER;
}

static void scan (struct sysmon *s)
{
	struct sysmon_starve *st = &s->starve;
	uint64_t first = s->ops->starve_scan (s->rt, s->now);

	sysmon__count (&s->count.scans);
	if (first == SYSMON_NEVER && !s->resting && !st->busy && !st->was_busy) {
		for (int p = 0; p < s->n; p++)
			sysmon__want_alarm (s, p, SYSMON_ALARM_ON);
		st->next = 0; /* whenever it is awake */
		return;
	}
	st->was_busy = st->busy;
	st->next = sysmon__min (first, sysmon__add (s->now, st->bound));
	st->next = sysmon__max (st->next, sysmon__add (s->now, apart (st->bound)));
}

static uint64_t end (struct sysmon *s)
{
	struct sysmon_starve *st = &s->starve;
	uint64_t bound = s->ops->starve_bound ? s->ops->starve_bound (s->rt) : 0;

	if (bound != st->bound)
		st->next = 0;
	st->bound = bound;
	if (bound == 0)
		return s->ops->starve_tell ? s->ops->starve_tell (s->rt, s->now) : SYSMON_NEVER;
	if (s->now >= st->next)
		scan (s);
	return sysmon__min (s->ops->starve_tell (s->rt, s->now), st->next ? st->next : SYSMON_NEVER);
}

const struct sysmon_policy sysmon__starve = { .begin = begin, .look = look, .end = end };
