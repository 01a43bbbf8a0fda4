/* SPDX-License-Identifier: MIT */
/* owed.c - wake-ups that are owed: lib/sched/owed.c
 *
 * While there are any, sysmon looks at them so often that who waits for one does not wait
 * for long; when there have been none for a while it says that there may be none any
 * more, and sleeps as long as it likes.
 */
#include "sysmon/internal.h"

#define PAUSE_NS UINT64_C (200000)
#define QUIET 5 /* looks without a new one */

static void begin (struct sysmon *s)
{
	struct sysmon_owed *o = &s->owed;

	o->made = 0;
	if (o->on || !s->ops->owing_wanted || !s->ops->owing_wanted (s->rt))
		return;
	s->ops->allow_owing (s->rt, true);
	o->on = true;
	o->quiet = 0;
	o->next = sysmon__add (s->now, PAUSE_NS);
}

static uint64_t look (struct sysmon *s, int p, const struct sysmon_view *v)
{
	struct sysmon_debt *d = &s->procs[p].debt;

	if (!s->owed.on)
		return SYSMON_NEVER;
	s->owed.made += v->debts;
	if (v->owed == 0 || v->owed != d->number) {
		d->number = v->owed;
		d->since = s->now;
	} else if (s->now - d->since >= PAUSE_NS / 2) {
		s->ops->collect (s->rt, p, v->owed);
	}
	return SYSMON_NEVER;
}

/* Nobody may make one any more; and none is forgotten.  [ord:owed] */
static void stop (struct sysmon *s)
{
	s->ops->allow_owing (s->rt, false);
	s->ops->fence (s->rt);
	for (int p = 0; p < s->n; p++) {
		struct sysmon_view v = { 0 };

		s->ops->observe (s->rt, p, &v);
		if (v.owed)
			s->ops->collect (s->rt, p, v.owed);
	}
	s->owed.on = false;
}

static uint64_t end (struct sysmon *s)
{
	struct sysmon_owed *o = &s->owed;

	if (!o->on)
		return SYSMON_NEVER;
	if (s->now < o->next)
		return o->next;
	o->quiet = o->made == o->before ? o->quiet + 1 : 0;
	o->before = o->made;
	o->next = sysmon__add (s->now, PAUSE_NS);
	if (o->quiet < QUIET)
		return o->next;
	stop (s);
	return SYSMON_NEVER;
}

const struct sysmon_policy sysmon__owed = { .begin = begin, .look = look, .end = end };
