/* SPDX-License-Identifier: MIT */
/* sysmon_fake.c - the ops of the runtime made of numbers */
#include "tests/unit/sysmon_fake.h"

#include <errno.h>
#include <string.h>

struct fake fake;

static uint64_t f_now (void *rt)
{
	return ((struct fake *) rt)->now;
}

static void f_sleep (void *rt, uint64_t deadline)
{
	struct fake *f = rt;

	f->naps++;
	f->slept_for = deadline;
	if (f->woken) {
		f->woken = false;
		return;
	}
	if (f->asleep)
		f->asleep (f, deadline);
	else if (deadline != SYSMON_NEVER && deadline > f->now)
		f->now = deadline + f->late;
	f->woken = false;
}

static bool f_stopping (void *rt)
{
	return ((struct fake *) rt)->stop;
}

static int f_procs (void *rt)
{
	return ((struct fake *) rt)->nprocs;
}

static uint64_t f_quantum (void *rt)
{
	return ((struct fake *) rt)->quantum;
}

static void f_observe (void *rt, int p, struct sysmon_view *v)
{
	*v = ((struct fake *) rt)->p[p].v;
}

/* Somebody waits anywhere and no P is idle. */
static bool f_backlog (void *rt)
{
	struct fake *f = rt;
	bool some = f->global > 0;

	for (int p = 0; p < f->nprocs; p++) {
		if (!f->p[p].v.running && !f->p[p].v.blocked)
			return false;
		some |= f->p[p].queued > 0;
	}
	return some;
}

static bool f_waiting (void *rt, int p)
{
	struct fake *f = rt;

	return f->global > 0 || f->p[p].queued > 0 || (f->p[p].v.blocked && f_backlog (rt));
}

static void f_arm (void *rt, int p, bool on)
{
	((struct fake *) rt)->p[p].v.armed = on;
}

static void f_fence (void *rt)
{
	struct fake *f = rt;

	f->fences++;
	if (f->at_fence)
		f->at_fence (f);
}

static enum sysmon_thread f_probe (void *rt, int p, uint64_t tick)
{
	struct fake *f = rt;

	(void) tick;
	f->p[p].probes++;
	return f->p[p].thread;
}

static int f_prepare (void *rt, int p)
{
	((struct fake *) rt)->p[p].prepares++;
	return 0;
}

static int f_preempt (void *rt, int p, uint64_t tick)
{
	struct fake *f = rt;
	struct fake_p *fp = &f->p[p];

	if (f->at_preempt)
		f->at_preempt (f, p);
	if (fp->v.tick != tick || !fp->v.running)
		return -ESTALE;
	fp->asks++;
	fp->asked_at = f->now;
	fp->asked_tick = tick;
	if (fp->result == 0)
		fp->v.requested = true;
	if (f->honour)
		fake_begin (p);
	return fp->result;
}

static uint64_t f_granularity (void *rt)
{
	return ((struct fake *) rt)->granularity;
}

static enum sysmon_crowd f_crowd (void *rt)
{
	struct fake *f = rt;
	bool waits = f->fresh > 0;

	for (int p = 0; p < f->nprocs; p++) {
		if (!f->p[p].v.running)
			return SYSMON_IDLE_P;
		waits |= f->p[p].v.queued || f->p[p].v.next;
	}
	return waits ? SYSMON_FRESH_WAITS : SYSMON_NO_IDLE_P;
}

static unsigned f_fresh_global (void *rt)
{
	return ((struct fake *) rt)->fresh;
}

static bool f_hogs_wait (void *rt)
{
	return ((struct fake *) rt)->hogs;
}

static int f_preempt_fresh (void *rt, int p, uint64_t tick)
{
	struct fake *f = rt;

	if (f->p[p].v.tick != tick || !f->p[p].v.running)
		return -ESTALE;
	f->p[p].fresh_asks++;
	f->p[p].v.requested = true;
	return 0;
}

static void f_arm_fresh (void *rt, bool on)
{
	((struct fake *) rt)->fresh_armed = on;
}

static bool f_fresh_armed (void *rt)
{
	return ((struct fake *) rt)->fresh_armed;
}

static int f_retake (void *rt, int p, uint64_t since)
{
	struct fake *f = rt;
	struct fake_p *fp = &f->p[p];

	fp->retakes++;
	if (!fp->v.blocked || fp->v.blocked_since != since)
		return -ESTALE;
	if (fp->retake_result == 0)
		fake_begin (p);
	return fp->retake_result;
}

static int f_take (void *rt, int p, uint64_t tick)
{
	struct fake_p *fp = &((struct fake *) rt)->p[p];

	fp->takes++;
	if (fp->v.tick != tick)
		return -ESTALE;
	if (fp->take_result == 0)
		fake_begin (p);
	return fp->take_result;
}

static bool f_loose (void *rt)
{
	return ((struct fake *) rt)->loose > 0;
}

static int f_rein (void *rt)
{
	struct fake *f = rt;

	f->reins++;
	return f->running;
}

static uint64_t f_starve_bound (void *rt)
{
	return ((struct fake *) rt)->starve_bound;
}

static uint64_t f_starve_scan (void *rt, uint64_t now)
{
	struct fake *f = rt;

	(void) now;
	f->scans++;
	return f->starve_first;
}

static uint64_t f_starve_tell (void *rt, uint64_t now)
{
	struct fake *f = rt;

	(void) now;
	f->tells++;
	return f->starve_wants;
}

static uint64_t f_next_timer (void *rt)
{
	return ((struct fake *) rt)->timer;
}

static void f_run_timers (void *rt, uint64_t now)
{
	struct fake *f = rt;

	f->timer = SYSMON_NEVER;
	f->timer_ran = now;
	for (int i = 0; i < f->timer_queues; i++)
		fake_queue_global ();
}

static uint64_t f_housekeep (void *rt, uint64_t now)
{
	struct fake *f = rt;

	(void) now;
	f->houses++;
	return f->house_wants;
}

static void f_note_late (void *rt, uint64_t ns)
{
	((struct fake *) rt)->late_noted = ns;
}

static bool f_owing_wanted (void *rt)
{
	return ((struct fake *) rt)->owing_wanted;
}

static void f_allow_owing (void *rt, bool on)
{
	struct fake *f = rt;

	f->owing = on;
	if (!on)
		f->owing_wanted = false;
}

static void f_collect (void *rt, int p, uint64_t number)
{
	struct fake *f = rt;

	if (f->p[p].v.owed != number)
		return;
	f->p[p].v.owed = 0;
	f->collected++;
}

const struct sysmon_ops fake_ops = {
	.now = f_now,
	.sleep = f_sleep,
	.stopping = f_stopping,
	.procs = f_procs,
	.quantum = f_quantum,
	.observe = f_observe,
	.waiting = f_waiting,
	.arm = f_arm,
	.fence = f_fence,
	.probe = f_probe,
	.prepare = f_prepare,
	.preempt = f_preempt,
	.granularity = f_granularity,
	.crowd = f_crowd,
	.fresh_global = f_fresh_global,
	.hogs_wait = f_hogs_wait,
	.preempt_fresh = f_preempt_fresh,
	.arm_fresh = f_arm_fresh,
	.fresh_armed = f_fresh_armed,
	.backlog = f_backlog,
	.owing_wanted = f_owing_wanted,
	.allow_owing = f_allow_owing,
	.collect = f_collect,
	.retake = f_retake,
	.take = f_take,
	.loose = f_loose,
	.rein = f_rein,
	.starve_bound = f_starve_bound,
	.starve_scan = f_starve_scan,
	.starve_tell = f_starve_tell,
	.next_timer = f_next_timer,
	.run_timers = f_run_timers,
	.housekeep = f_housekeep,
	.note_late = f_note_late,
};

void fake_reset (int n, uint64_t quantum)
{
	memset (&fake, 0, sizeof fake);
	memset (fake.procs, 0xa5, sizeof fake.procs); /* sysmon must not rely on zeroes */
	fake.now = 1000 * SEC;
	fake.nprocs = n;
	fake.quantum = quantum;
	fake.timer = SYSMON_NEVER;
	fake.starve_wants = SYSMON_NEVER;
	fake.house_wants = SYSMON_NEVER;
	for (int p = 0; p < FAKE_PROCS; p++) {
		fake.p[p].v.preemptible = true;
		fake.p[p].take_result = -EAGAIN;
	}
	sysmon_init (&fake.mon, &fake_ops, &fake, fake.procs, FAKE_PROCS);
}

void fake_begin (int p)
{
	struct sysmon_view *v = &fake.p[p].v;

	v->tick++;
	v->start = v->since = fake.now;
	v->spare = 0;
	v->quantum = fake.quantum;
	v->running = true;
	v->blocked = false;
	v->requested = false;
}

void fake_begin_hog (int p)
{
	fake_begin (p);
	fake.p[p].v.spare = fake.now + fake.granularity;
}

static void fresh_alarm (void)
{
	if (fake.fresh_armed && f_crowd (&fake) != SYSMON_IDLE_P) {
		fake.fresh_armed = false;
		fake.woken = true;
		fake.wakes++;
	}
}

void fake_fresh (void)
{
	fake.fresh++;
	fresh_alarm ();
}

void fake_fresh_next (int p)
{
	fake.p[p].v.next = true;
	fresh_alarm ();
}

void fake_block (int p)
{
	fake.p[p].v.running = false;
	fake.p[p].v.blocked = true;
	fake.p[p].v.blocked_since = fake.now;
}

void fake_return (int p)
{
	fake.p[p].v.running = true;
	fake.p[p].v.blocked = false;
}

void fake_idle (int p)
{
	fake.p[p].v.running = false;
	fake.p[p].v.requested = false;
}

static void alarm_of (int p)
{
	if (fake.p[p].v.armed) {
		fake.p[p].v.armed = false;
		fake.woken = true;
		fake.wakes++;
	}
}

void fake_queue (int p)
{
	fake.p[p].queued++;
	alarm_of (p);
}

void fake_queue_global (void)
{
	fake.global++;
	for (int p = 0; p < fake.nprocs; p++)
		alarm_of (p);
}

uint64_t fake_look (void)
{
	uint64_t until = sysmon_look (&fake.mon, fake.now);

	if (until == SYSMON_NEVER)
		return until;
	return until > fake.now ? until - fake.now : 0;
}

uint64_t fake_look_after (uint64_t ns)
{
	fake.now += ns;
	return fake_look ();
}

void fake_run_for (uint64_t ns)
{
	uint64_t end = fake.now + ns;

	while (fake.now < end) {
		uint64_t until = sysmon_look (&fake.mon, fake.now);

		if (until >= end) {
			fake.now = end;
			return;
		}
		if (until > fake.now)
			fake.now = until + fake.late;
	}
}
