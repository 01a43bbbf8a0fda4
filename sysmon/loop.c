/* SPDX-License-Identifier: MIT */
/* loop.c - looks at every P, asks the policies, sleeps until the next thing due
 *
 * How long may it sleep?  For each P one of three things holds when it goes to
 * sleep, and together they make sure that no coroutine waits unseen behind a
 * slice that is due:
 *
 * (1) the P has a deadline of its own, not later than the end of its slice;
 * (2) or the whole sleep is not longer than the shortest quantum.  A slice that
 *     begins after the look cannot be due before its end, so that nobody need
 *     tell sysmon of slices that begin;
 * (3) or the P's alarm is set: whoever queues something that this P could serve
 *     wakes sysmon.
 *
 * The alarm is Dekker's protocol.  sysmon sets the flag, fences, and looks at
 * the queues once more; a submitter queues, fences, and looks at the flag.  One
 * of the two sees the other.  [ord:sysmon-alarm]
 */
#include "sysmon/internal.h"

#include <string.h>

#define SHORTEST_NS UINT64_C (10000) /* a shorter quantum is taken for this one */
#define LATE_MAX_NS UINT64_C (100000)

#define LINE(name) &sysmon__##name,
static const struct sysmon_policy *const policies[] = { SYSMON_POLICIES (LINE) };
#undef LINE

#define POLICIES (sizeof policies / sizeof *policies)

void sysmon_init (struct sysmon *s, const struct sysmon_ops *ops, void *rt,
                  struct sysmon_proc *procs, int nprocs)
{
	memset (s, 0, sizeof *s);
	s->ops = ops;
	s->rt = rt;
	s->procs = procs;
	s->max = nprocs;
}

void sysmon_ask_housekeep (struct sysmon *s)
{
	atomic_store_explicit (&s->asked_house, true, memory_order_release);
}

/* The Ps there are now; one that was not there at the last look starts afresh. */
static void count_procs (struct sysmon *s)
{
	int n = s->ops->procs (s->rt);

	if (n > s->max)
		n = s->max;
	if (n > s->n)
		memset (s->procs + s->n, 0, (size_t) (n - s->n) * sizeof *s->procs);
	s->n = n;
}

/* Runs the timers that are due.  First of all, because what they make runnable
 * may be what a due slice is preempted for. */
static uint64_t serve_timers (struct sysmon *s)
{
	uint64_t t = s->ops->next_timer (s->rt);

	if (t <= s->now) {
		s->ops->run_timers (s->rt, s->now);
		t = s->ops->next_timer (s->rt);
	}
	return t;
}

static uint64_t look_at_proc (struct sysmon *s, int p)
{
	struct sysmon_proc *proc = &s->procs[p];
	struct sysmon_view v = { 0 };
	uint64_t until = SYSMON_NEVER;

	s->ops->observe (s->rt, p, &v);
	v.quantum = sysmon__max (v.quantum, SHORTEST_NS);
	proc->fired = proc->armed && !v.armed;
	proc->armed = v.armed;
	proc->want = SYSMON_ALARM_OFF;
	if (proc->fired)
		sysmon__count (&s->count.alarms);

	for (size_t i = 0; i < POLICIES; i++)
		if (policies[i]->look)
			until = sysmon__min (until, policies[i]->look (s, p, &v));
	return until;
}

static uint64_t look_at_procs (struct sysmon *s)
{
	uint64_t until = SYSMON_NEVER;

	for (size_t i = 0; i < POLICIES; i++)
		if (policies[i]->begin)
			policies[i]->begin (s);
	for (int p = 0; p < s->n; p++)
		until = sysmon__min (until, look_at_proc (s, p));
	for (size_t i = 0; i < POLICIES; i++)
		if (policies[i]->end)
			until = sysmon__min (until, policies[i]->end (s));
	return until;
}

static uint64_t keep_house (struct sysmon *s)
{
	/* The flag is taken before the work, so that what is asked for meanwhile is not lost. */
	bool asked = atomic_exchange_explicit (&s->asked_house, false, memory_order_acquire);

	if (asked || s->now >= sysmon__add (s->kept, SYSMON_HOUSE_NS)) {
		s->kept = s->now;
		s->house = sysmon__max (s->ops->housekeep (s->rt, s->now),
		                        sysmon__add (s->now, SYSMON_HOUSE_NS));
	}
	return s->house;
}

/* Sets and clears the alarms as the policies want them; says whether one was set. */
static bool set_alarms (struct sysmon *s, uint64_t until)
{
	bool longer = until > sysmon__soonest (s);
	bool set = false;

	for (int p = 0; p < s->n; p++) {
		struct sysmon_proc *proc = &s->procs[p];
		bool on = proc->want == SYSMON_ALARM_ON || (proc->want == SYSMON_ALARM_LONG && longer);

		proc->set = on && !proc->armed;
		if (proc->set) {
			sysmon__count (&s->count.armed);
			set = true;
		}
		if (on != proc->armed)
			s->ops->arm (s->rt, p, on);
		proc->armed = on;
	}
	return set;
}

/* The one for fresh work; says whether it was set. */
static bool set_fresh_alarm (struct sysmon *s)
{
	struct sysmon_fresh *f = &s->fresh;
	bool set = f->want && !f->armed;

	if (f->want != f->armed)
		s->ops->arm_fresh (s->rt, f->want);
	f->armed = f->want;
	return set;
}

/* The last step before the sleep; returns until, or now if there is work after all. */
static uint64_t arm_alarms (struct sysmon *s, uint64_t until)
{
	bool fresh = set_fresh_alarm (s);

	if (!set_alarms (s, until) && !fresh)
		return until;

	s->ops->fence (s->rt); /* [ord:sysmon-alarm] flags before queues */
	if (fresh && sysmon__fresh_missed (s)) {
		s->ops->arm_fresh (s->rt, false);
		s->fresh.armed = false;
		until = s->now;
	}
	for (int p = 0; p < s->n; p++) {
		struct sysmon_proc *proc = &s->procs[p];

		if (!proc->set || !s->ops->waiting (s->rt, p))
			continue;
		/* Queued since the policy looked.  The submitter may not have seen the flag. */
		s->ops->arm (s->rt, p, false);
		proc->armed = false;
		until = s->now;
	}
	return until;
}

uint64_t sysmon_look (struct sysmon *s, uint64_t now)
{
	uint64_t until;

	s->now = now;
	s->shortest = sysmon__max (s->ops->quantum (s->rt), SHORTEST_NS);
	sysmon__count (&s->count.looks);
	count_procs (s);

	s->resting = s->ops->resting && s->ops->resting (s->rt);
	if (s->resting) {
		until = sysmon__starve.end (s);
	} else {
		until = serve_timers (s);
		until = sysmon__min (until, look_at_procs (s));
	}
	until = sysmon__min (until, keep_house (s));
	return arm_alarms (s, until);
}

/* How late it usually wakes: a moving average, in which one very late wake-up
 * (the host was busy) weighs no more than a moderately late one. */
static void learn_lateness (struct sysmon *s, uint64_t late)
{
	s->ops->note_late (s->rt, late);
	late = sysmon__min (late, LATE_MAX_NS);
	s->late = s->late - s->late / 8 + late / 8;
}

void sysmon_run (struct sysmon *s)
{
	uint64_t now = s->ops->now (s->rt);

	while (!s->ops->stopping (s->rt)) {
		uint64_t until = sysmon_look (s, now);

		s->ops->sleep (s->rt, until);
		now = s->ops->now (s->rt);
		if (until > s->now && now >= until)
			learn_lateness (s, now - until);
	}
}
