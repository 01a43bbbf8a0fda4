/* SPDX-License-Identifier: MIT */
/* sysmon's view of the library: struct sysmon_ops, and its thread.
 *
 * The thread has no P, blocks all signals, takes no lock that user code can hold, and
 * calls nothing that does.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>

#include "base/clock.h"
#include "base/fatal.h"
#include "base/futex.h"
#include "base/membarrier.h"
#include "base/os.h"
#include "base/rng.h"
#include "core/stack.h"
#include "preempt/preempt.h"
#include "preempt/safepoint.h"
#include "runtime/bed.h"
#include "runtime/runtime.h"
#include "runtime/starve.h"
#include "runtime/thread.h"
#include "runtime/watch.h"
#include "sched/feedback.h"
#include "sysmon/sysmon.h"
#include "wait/netpoll.h"
#include "wait/timer.h"

static struct {
	struct sysmon sysmon;
	struct sysmon_proc procs[GOAD__MAX_PROCS];
	bool armed[GOAD__MAX_PROCS]; /* sysmon's own; void once s->sysmon_armed is 0 */
	pthread_t thread;
	void *stack;
	bool running;
	_Atomic uint32_t stop;
	_Atomic uint64_t late_max;
	_Atomic int tid;
} mon;

static uint64_t op_now (void *rt)
{
	(void) rt;
	return goad__now ();
}

static bool op_resting (void *rt)
{
	(void) rt;
	return goad__without (GOAD_F_NO_SYSMON) && !goad__stopping ();
}

static void op_sleep (void *rt, uint64_t deadline)
{
	goad__bed_sleep (deadline, op_resting (rt));
}

static bool armed_for (uint32_t news)
{
	return atomic_load_explicit (&goad__sched.sysmon_armed, memory_order_relaxed) & news;
}

static bool op_stopping (void *rt)
{
	(void) rt;
	return atomic_load_explicit (&mon.stop, memory_order_acquire) != 0;
}

static int op_procs (void *rt)
{
	(void) rt;
	return goad__sched.nprocs;
}

static uint64_t op_quantum (void *rt)
{
	(void) rt;
	return goad__chaos () ? goad__sched.quantum / 16 + 1 : goad__sched.quantum;
}

/* Under chaos each slice has a length of its own: short ones end at any instant. */
static uint64_t quantum_of (const struct p *p, uint64_t tick)
{
	uint64_t q = goad__sched.quantum;
	uint64_t r;

	if (!goad__chaos ())
		return q;
	r = goad__mix (goad__sched.chaos ^ tick << 10 ^ (uint64_t) p->id);
	return q / 16 + 1 + r % (2 * q);
}

static void op_observe (void *rt, int i, struct sysmon_view *v)
{
	struct p *p = &goad__sched.p[i];
	(void) rt;

	/* [ord:slice] tick first: a start that is newer than the tick only looks younger */
	v->tick = atomic_load_explicit (&p->tick, memory_order_acquire);
	v->start = atomic_load_explicit (&p->slice_start, memory_order_relaxed);
	v->quantum = goad__stopping () ? 0 : quantum_of (p, v->tick); /* 0: it is over */
	v->running = atomic_load_explicit (&p->state, memory_order_relaxed) == P_RUNNING &&
	             atomic_load_explicit (&p->curg_id, memory_order_relaxed) != 0;
	v->preemptible = goad__sched.preempt != GOAD_PREEMPT_OFF ||
	                 atomic_load_explicit (&goad__sched.own_modes, memory_order_relaxed);
	if (goad__without (GOAD_F_NO_PREEMPT) && !goad__stopping ())
		v->preemptible = false;
	v->requested = atomic_load_explicit (&p->request, memory_order_relaxed) == v->tick;
	v->armed = mon.armed[i] && armed_for (NEWS_WORK);
	v->since = goad__g_get (&p->run_since);
	v->spare = atomic_load_explicit (&p->spare_at, memory_order_relaxed);
	v->turn = goad__hog_turn_at (p);
	v->queued = goad__runq_len (&p->runq) > 0;
	v->next = atomic_load_explicit (&p->runnext, memory_order_relaxed) != NULL;
	v->owed = atomic_load_explicit (&p->owed, memory_order_relaxed);
	v->debts = __atomic_load_n (&p->n_owed, __ATOMIC_RELAXED);
	v->blocked = atomic_load_explicit (&p->blocked_m, memory_order_acquire) != NULL;
	v->blocked_since = atomic_load_explicit (&p->blocked_at, memory_order_relaxed);
}

static bool op_backlog (void *rt)
{
	(void) rt;
	return goad__stopping () ||
	       (atomic_load_explicit (&goad__sched.npidle, memory_order_relaxed) == 0 &&
	        goad__work_somewhere ());
}

static bool op_waiting (void *rt, int i)
{
	struct p *p = &goad__sched.p[i];

	if (goad__someone_waits (p) || goad__stopping ())
		return true;
	return atomic_load_explicit (&p->blocked_m, memory_order_relaxed) && op_backlog (rt);
}

/* One flag for all: whoever queues work rings once.  [ord:sysmon-alarm] the flag comes
 * before the fence, and the fence before the look at the queues. */
static void op_arm (void *rt, int i, bool on)
{
	struct sched *s = &goad__sched;
	(void) rt;

	if (on && !armed_for (NEWS_WORK))
		memset (mon.armed, 0, sizeof mon.armed);
	mon.armed[i] = on;
	if (on)
		atomic_fetch_or_explicit (&s->sysmon_armed, NEWS_WORK, memory_order_seq_cst);
}

static void ring (uint32_t news)
{
	struct sched *s = &goad__sched;

	if (news & NEWS_RUN && armed_for (NEWS_RUN))
		sysmon_ask_housekeep (&mon.sysmon); /* the CPUs were not looked at meanwhile */
	if (goad__gettid () == mon.tid)         /* itself, for a timer: it looks at the queues next */
		return;
	news &= atomic_load_explicit (&s->sysmon_armed, memory_order_relaxed);
	if (news == NEWS_FRESH && atomic_load_explicit (&s->npidle, memory_order_relaxed) > 0)
		return; /* it can go there; if the P is taken before, that is news by itself */
	atomic_fetch_and_explicit (&s->sysmon_armed, ~news, memory_order_relaxed);
	goad__bed_wake ();
}

static uint64_t op_granularity (void *rt)
{
	(void) rt;
	return goad__without (GOAD_F_NO_WAKEUP_PREEMPT) ? 0 : goad__sched.granularity;
}

static enum sysmon_crowd op_crowd (void *rt)
{
	struct sched *s = &goad__sched;
	(void) rt;

	if (atomic_load_explicit (&s->npidle, memory_order_relaxed) > 0)
		return SYSMON_IDLE_P;
	return goad__fresh_waits (&s->p[0]) ? SYSMON_FRESH_WAITS : SYSMON_NO_IDLE_P;
}

static unsigned op_fresh_global (void *rt)
{
	(void) rt;
	return atomic_load_explicit (&goad__sched.nglobal, memory_order_relaxed);
}

static bool op_hogs_wait (void *rt)
{
	(void) rt;
	return atomic_load_explicit (&goad__sched.fairq.n, memory_order_relaxed) > 0;
}

static int op_preempt_fresh (void *rt, int i, uint64_t tick)
{
	(void) rt;
	return goad__preempt_request (&goad__sched.p[i], tick, true);
}

/* [ord:sysmon-alarm], as op_arm */
static void op_arm_fresh (void *rt, bool on)
{
	_Atomic uint32_t *armed = &goad__sched.sysmon_armed;
	(void) rt;

	if (on)
		atomic_fetch_or_explicit (armed, NEWS_FRESH, memory_order_seq_cst);
	else
		atomic_fetch_and_explicit (armed, ~NEWS_FRESH, memory_order_relaxed);
}

static bool op_fresh_armed (void *rt)
{
	(void) rt;
	return armed_for (NEWS_FRESH);
}

static bool op_owing_wanted (void *rt)
{
	(void) rt;
	return atomic_load_explicit (&goad__sched.owing_wanted, memory_order_relaxed);
}

/* [ord:owed] */
static void op_allow_owing (void *rt, bool on)
{
	(void) rt;
	atomic_store_explicit (&goad__sched.owing, on, memory_order_seq_cst);
	if (!on)
		atomic_store_explicit (&goad__sched.owing_wanted, 0, memory_order_relaxed);
}

static void op_collect (void *rt, int i, uint64_t number)
{
	(void) rt;
	goad__collect (&goad__sched.p[i], number);
}

static void op_fence (void *rt)
{
	(void) rt;
	goad__fence_all_threads ();
}

static enum sysmon_thread op_probe (void *rt, int i, uint64_t tick)
{
	(void) rt;
	return goad__watch_probe (i, tick);
}

static int op_prepare (void *rt, int i)
{
	struct sched *s = &goad__sched;
	(void) rt, (void) i;

	if (s->nmidle == 0 && s->nm < (uint32_t) s->max_threads)
		goad__want_thread (1);
	return 0;
}

/* There is one, or it can be made; seen without the lock, so only almost.  Who stops the
 * world wants the P alone. */
static bool thread_to_be_had (void)
{
	struct sched *s = &goad__sched;

	return goad__stopping () || s->nmidle > 0 || s->fairq.nbound > 0 ||
	       s->nm < (uint32_t) s->max_threads;
}

static int op_retake (void *rt, int i, uint64_t since)
{
	struct p *p = &goad__sched.p[i];
	struct m *m = atomic_load_explicit (&p->blocked_m, memory_order_acquire); /* [ord:block] */
	(void) rt;

	if (!m || atomic_load_explicit (&p->blocked_at, memory_order_relaxed) != since)
		return -ESTALE;
	if (!thread_to_be_had ())
		return -EAGAIN;
	return goad__block_retake (p, m) ? 0 : -ESTALE;
}

static int op_take (void *rt, int i, uint64_t tick)
{
	(void) rt;
	if (goad__without (GOAD_F_NO_DETECT_BLOCK) && !goad__stopping ())
		return -EAGAIN;
	return thread_to_be_had () ? goad__watch_take (i, tick) : -EAGAIN;
}

static bool op_loose (void *rt)
{
	(void) rt;
	return goad__watch_any ();
}

static int op_rein (void *rt)
{
	(void) rt;
	return goad__watch_rein ();
}

static int op_preempt (void *rt, int i, uint64_t tick)
{
	(void) rt;
	if (goad__stopping ()) { /* no reason to end the slice when the world goes on */
		goad__stop_request (&goad__sched.p[i]);
		return 0;
	}
	return goad__preempt_request (&goad__sched.p[i], tick, false);
}

static uint64_t op_starve_bound (void *rt)
{
	(void) rt;
	return goad__starve_bound ();
}

static uint64_t op_starve_scan (void *rt, uint64_t now)
{
	(void) rt;
	return goad__starve_look (now);
}

static uint64_t op_starve_tell (void *rt, uint64_t now)
{
	(void) rt;
	return goad__starve_tell (now);
}

static uint64_t op_next_timer (void *rt)
{
	(void) rt;
	return goad__next_timer ();
}

static void op_run_timers (void *rt, uint64_t now)
{
	(void) rt;
	goad__timers_run_all (now);
}

static uint64_t op_housekeep (void *rt, uint64_t now)
{
	(void) rt;
	uint64_t look = goad__deadlock_look (now);

	goad__quit_look ();

	if (goad__modules_stale ())
		goad__modules_refresh ();
	if (goad__stack_trim_due (now) <= now)
		goad__stack_trim (now);
	return goad__min64 (goad__min64 (goad__stack_trim_due (now), look), goad__cpus_housekeep (now));
}

void goad__monitor_housekeep (void)
{
	sysmon_ask_housekeep (&mon.sysmon);
	goad__bed_wake ();
}

static void op_note_late (void *rt, uint64_t ns)
{
	(void) rt;
	goad__count_max (&mon.late_max, ns);
}

static const struct sysmon_ops ops = {
	.now = op_now,
	.sleep = op_sleep,
	.stopping = op_stopping,
	.resting = op_resting,
	.procs = op_procs,
	.quantum = op_quantum,
	.observe = op_observe,
	.waiting = op_waiting,
	.arm = op_arm,
	.fence = op_fence,
	.probe = op_probe,
	.prepare = op_prepare,
	.preempt = op_preempt,
	.granularity = op_granularity,
	.crowd = op_crowd,
	.fresh_global = op_fresh_global,
	.hogs_wait = op_hogs_wait,
	.preempt_fresh = op_preempt_fresh,
	.arm_fresh = op_arm_fresh,
	.fresh_armed = op_fresh_armed,
	.backlog = op_backlog,
	.owing_wanted = op_owing_wanted,
	.allow_owing = op_allow_owing,
	.collect = op_collect,
	.retake = op_retake,
	.take = op_take,
	.loose = op_loose,
	.rein = op_rein,
	.starve_bound = op_starve_bound,
	.starve_scan = op_starve_scan,
	.starve_tell = op_starve_tell,
	.next_timer = op_next_timer,
	.run_timers = op_run_timers,
	.housekeep = op_housekeep,
	.note_late = op_note_late,
};

static void *monitor_run (void *arg)
{
	(void) arg;
	goad__set_pins (1); /* never preempted: it has no coroutine, and no signal comes */
	mon.tid = goad__gettid ();
	goad__ring_begin ();
	goad__starve_init (mon.tid);
	prctl (PR_SET_NAME, "goad-sysmon");
	prctl (PR_SET_TIMERSLACK, 1);
	goad__urgent ();
	sysmon_run (&mon.sysmon);
	goad__starve_last ();
	goad__bed_note_cpu ();
	goad__ring_end ();
	goad__set_pins (0);
	return NULL;
}

int goad__monitor_start (void)
{
	int err;

	goad__watch_reset ();
	goad__bed_reset ();
	mon.stop = 0;
	mon.late_max = 0;
	mon.tid = 0;
	sysmon_init (&mon.sysmon, &ops, NULL, mon.procs, GOAD__MAX_PROCS);
	if (goad__sysmon_wake != goad__bed_wake) { /* once: threads from outside may look already */
		goad__sysmon_wake = goad__bed_wake;
		goad__sysmon_ring = ring;
	}
	err = goad__thread_start (&mon.thread, monitor_run, NULL, 0, &mon.stack);
	mon.running = err == 0;
	return err;
}

void goad__monitor_stop (void)
{
	if (!mon.running)
		return;
	atomic_store_explicit (&mon.stop, 1, memory_order_release);
	goad__bed_wake ();
	goad__thread_end (mon.thread, &mon.stack);
	goad__watch_end ();
	mon.running = false;
}

void goad__monitor_totals (goad_stats_t *o)
{
	o->sysmon_cpu_ns = goad__bed_cpu ();
	o->sysmon_ticks = atomic_load_explicit (&mon.sysmon.count.looks, memory_order_relaxed);
	o->sysmon_late_max_ns = atomic_load_explicit (&mon.late_max, memory_order_relaxed);
}
