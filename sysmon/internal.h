/* SPDX-License-Identifier: MIT */
/* internal.h - what the loop and the policies share
 *
 * A policy is a file with one struct sysmon_policy, and a line in
 * SYSMON_POLICIES.  What it remembers of each P is a member of its own in
 * struct sysmon_proc.
 */
#ifndef SYSMON_INTERNAL_H
#define SYSMON_INTERNAL_H

#include "sysmon/sysmon.h"

/* Each returns when it wants to look again at the latest.  A member may be NULL. */
struct sysmon_policy {
	void (*begin) (struct sysmon *s);
	uint64_t (*look) (struct sysmon *s, int p, const struct sysmon_view *v);
	uint64_t (*end) (struct sysmon *s);
};

/* In the order in which they look at a P. */
#define SYSMON_POLICIES(X) X (slice) X (blocked) X (loose) X (fresh) X (owed) X (starve)

#define SYSMON__DECLARE(name) extern const struct sysmon_policy sysmon__##name;
SYSMON_POLICIES (SYSMON__DECLARE)
#undef SYSMON__DECLARE

/* What a policy can want of a P's alarm: the strongest wish counts. */
enum {
	SYSMON_ALARM_OFF,
	SYSMON_ALARM_LONG, /* set, if sysmon is to sleep for longer than the shortest quantum */
	SYSMON_ALARM_ON    /* set, however short the sleep                                    */
};

static inline void sysmon__want_alarm (struct sysmon *s, int p, int want)
{
	if (s->procs[p].want < want)
		s->procs[p].want = want;
}

/* fresh.c: the alarm for fresh work was set too late. */
bool sysmon__fresh_missed (struct sysmon *s);

static inline uint64_t sysmon__min (uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t sysmon__max (uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* A time so much later; one that would pass the end of time is never. */
static inline uint64_t sysmon__add (uint64_t t, uint64_t ns)
{
	return ns > SYSMON_NEVER - t ? SYSMON_NEVER : t + ns;
}

/* No slice that begins after this look is due before this time; so much earlier as sysmon
 * usually oversleeps. */
static inline uint64_t sysmon__soonest (const struct sysmon *s)
{
	return sysmon__add (s->now, s->shortest - sysmon__min (s->late, s->shortest / 20));
}

/* sysmon is the only writer, so that no locked instruction is needed. */
static inline void sysmon__count (_Atomic uint64_t *c)
{
	uint64_t n = atomic_load_explicit (c, memory_order_relaxed);

	atomic_store_explicit (c, n + 1, memory_order_relaxed);
}

#endif
