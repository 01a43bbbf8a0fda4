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
#include "runtime/runtime.h"
#include "runtime/thread.h"
#include "sysmon/sysmon.h"
#include "wait/timer.h"

#define SHORT_SLICE UINT64_C (100000) /* what we ask EEVDF for, ns */

static struct {
	struct sysmon sysmon;
	struct sysmon_proc procs[GOAD__MAX_PROCS];
	bool armed[GOAD__MAX_PROCS]; /* sysmon's own; void once s->sysmon_armed is 0 */
	pthread_t thread;
	void *stack;
	bool running;
	/* 0: awake or told to look, 1: asleep.  [ord:sysmon-sleep] the waker stores its news,
	 * then exchanges 0 for 1; the sleeper stores 1, then looks for news: one sees the
	 * other. */
	_Atomic uint32_t asleep;
	_Atomic uint32_t stop;
	_Atomic uint64_t cpu_ns, late_max;
	_Atomic uint32_t news;
} mon;

static uint64_t op_now (void *rt)
{
	(void) rt;
	return goad__now ();
}

static void wake (void)
{
	/* [ord:sysmon-sleep] */
	atomic_store_explicit (&mon.news, 1, memory_order_seq_cst);
	if (atomic_exchange_explicit (&mon.asleep, 0, memory_order_seq_cst))
		goad__futex_wake (&mon.asleep, 1);
}

static void note_cpu (void)
{
	struct timespec ts;

	clock_gettime (CLOCK_THREAD_CPUTIME_ID, &ts);
	atomic_store_explicit (&mon.cpu_ns, (uint64_t) ts.tv_sec * 1000000000u + (uint64_t) ts.tv_nsec,
	                       memory_order_relaxed);
}

static void op_sleep (void *rt, uint64_t deadline)
{
	(void) rt;
	note_cpu ();
	deadline = goad__timers_sleeps (deadline);
	/* [ord:sysmon-sleep]; [ord:sysmon-alarm] is the other half of goad__tell_sysmon */
	atomic_store_explicit (&mon.asleep, 1, memory_order_seq_cst);
	if (atomic_exchange_explicit (&mon.news, 0, memory_order_seq_cst) == 0)
		while (atomic_load_explicit (&mon.asleep, memory_order_relaxed) && goad__now () < deadline)
			goad__futex_wait (&mon.asleep, 1, deadline);
	atomic_store_explicit (&mon.asleep, 0, memory_order_relaxed);
	atomic_exchange_explicit (&mon.news, 0, memory_order_seq_cst);
	goad__timers_woke ();
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
	v->quantum = quantum_of (p, v->tick);
	v->running = atomic_load_explicit (&p->state, memory_order_relaxed) == P_RUNNING &&
	             atomic_load_explicit (&p->curg_id, memory_order_relaxed) != 0;
	v->preemptible = goad__sched.preempt != GOAD_PREEMPT_OFF ||
	                 atomic_load_explicit (&goad__sched.own_modes, memory_order_relaxed);
	v->requested = atomic_load_explicit (&p->request, memory_order_relaxed) == v->tick;
	v->armed = mon.armed[i] &&
	           atomic_load_explicit (&goad__sched.sysmon_armed, memory_order_relaxed);
}

static bool op_waiting (void *rt, int i)
{
	(void) rt;
	return goad__someone_waits (&goad__sched.p[i]);
}

/* One flag for all: whoever queues work rings once.  [ord:sysmon-alarm] the flag comes
 * before the fence, and the fence before the look at the queues. */
static void op_arm (void *rt, int i, bool on)
{
	struct sched *s = &goad__sched;
	(void) rt;

	if (on && !atomic_load_explicit (&s->sysmon_armed, memory_order_relaxed))
		memset (mon.armed, 0, sizeof mon.armed);
	mon.armed[i] = on;
	if (on)
		atomic_store_explicit (&s->sysmon_armed, 1, memory_order_seq_cst);
}

static void ring (void)
{
	atomic_store_explicit (&goad__sched.sysmon_armed, 0, memory_order_relaxed);
	wake ();
}

static void op_fence (void *rt)
{
	(void) rt;
	goad__fence_all_threads ();
}

static uint64_t thread_cpu (int tid)
{
	/* the kernel's MAKE_THREAD_CPUCLOCK (tid, CPUCLOCK_SCHED) */
	clockid_t id = (clockid_t) ((~(unsigned) tid << 3) | 6u);
	struct timespec ts;

	if (clock_gettime (id, &ts) != 0)
		return 0;
	return (uint64_t) ts.tv_sec * 1000000000u + (uint64_t) ts.tv_nsec;
}

/* The system call that the thread is in, by /proc/self/task/TID/syscall; -1: none. */
static long system_call (int tid)
{
	char path[64], text[32];
	long fd, n;

	goad__format (path, sizeof path, "/proc/self/task/%d/syscall", tid);
	fd = goad__syscall4 (SYS_openat, AT_FDCWD, (long) path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	n = goad__syscall3 (SYS_read, fd, (long) text, sizeof text - 1);
	goad__syscall3 (SYS_close, fd, 0, 0);
	/* "running", or a number; -1: in the kernel, but not by a call (a page fault) */
	if (n <= 0 || text[0] < '0' || text[0] > '9')
		return -1;
	text[n] = 0;
	n = 0;
	for (const char *c = text; *c >= '0' && *c <= '9'; c++)
		n = n * 10 + (*c - '0');
	return n;
}

static struct {
	uint64_t tick, cpu;
} probed[GOAD__MAX_PROCS];

static enum sysmon_thread op_probe (void *rt, int i, uint64_t tick)
{
	struct p *p = &goad__sched.p[i];
	int tid = atomic_load_explicit (&p->tid, memory_order_relaxed);
	uint64_t cpu = thread_cpu (tid);
	bool known = probed[i].tick == tick;
	bool moved = probed[i].cpu != cpu;
	long call;
	(void) rt;

	probed[i].tick = tick;
	probed[i].cpu = cpu;
	if (known && moved)
		return SYSMON_COMPUTES;
	/* A lock whose holder may be waiting for this very P: the signal hands off, and the
	 * kernel takes the wait up again (SA_RESTART, or a caller that expects to be woken
	 * for nothing).  Other calls could show EINTR. */
	call = system_call (tid);
	if (call == SYS_futex)
		return SYSMON_COMPUTES;
	if (call >= 0)
		return SYSMON_IN_KERNEL;
	return known ? SYSMON_NO_CPU : SYSMON_COMPUTES;
}

static int op_prepare (void *rt, int i)
{
	struct sched *s = &goad__sched;
	(void) rt, (void) i;

	if (s->nmidle == 0 && s->nm + s->nm_starting < (uint32_t) s->max_threads)
		goad__want_thread (1);
	return 0;
}

static int op_preempt (void *rt, int i, uint64_t tick)
{
	(void) rt;
	return goad__preempt_request (&goad__sched.p[i], tick);
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

	if (goad__modules_stale ())
		goad__modules_refresh ();
	if (goad__stack_trim_due (now) <= now)
		goad__stack_trim (now);
	return goad__min64 (goad__stack_trim_due (now), look);
}

void goad__monitor_housekeep (void)
{
	sysmon_ask_housekeep (&mon.sysmon);
	wake ();
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
	.procs = op_procs,
	.quantum = op_quantum,
	.observe = op_observe,
	.waiting = op_waiting,
	.arm = op_arm,
	.fence = op_fence,
	.probe = op_probe,
	.prepare = op_prepare,
	.preempt = op_preempt,
	.next_timer = op_next_timer,
	.run_timers = op_run_timers,
	.housekeep = op_housekeep,
	.note_late = op_note_late,
};

struct sched_attr_v0 {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

/* A short EEVDF slice gets a waking thread onto a busy CPU at once (Linux 6.12); older
 * kernels ignore or refuse it. */
static void ask_short_slice (void)
{
	struct sched_attr_v0 a = { .size = sizeof a, .policy = SCHED_OTHER, .runtime = SHORT_SLICE };

	if (!goad__env_flag ("GOAD_NO_SHORT_SLICE"))
		goad__syscall3 (SYS_sched_setattr, 0, (long) &a, 0);
}

static void *monitor_run (void *arg)
{
	(void) arg;
	goad__set_pins (1); /* never preempted: it has no coroutine, and no signal comes */
	prctl (PR_SET_NAME, "goad-sysmon");
	prctl (PR_SET_TIMERSLACK, 1);
	ask_short_slice ();
	sysmon_run (&mon.sysmon);
	note_cpu ();
	goad__set_pins (0);
	return NULL;
}

int goad__monitor_start (void)
{
	int err;

	memset (probed, 0xff, sizeof probed);
	mon.asleep = mon.stop = mon.news = 0;
	mon.cpu_ns = mon.late_max = 0;
	sysmon_init (&mon.sysmon, &ops, NULL, mon.procs, GOAD__MAX_PROCS);
	goad__sysmon_wake = wake;
	goad__sysmon_ring = ring;
	err = goad__thread_start (&mon.thread, monitor_run, NULL, 0, &mon.stack);
	mon.running = err == 0;
	return err;
}

void goad__monitor_stop (void)
{
	if (!mon.running)
		return;
	atomic_store_explicit (&mon.stop, 1, memory_order_release);
	wake ();
	goad__thread_end (mon.thread, &mon.stack);
	mon.running = false;
}

void goad__monitor_totals (goad_stats_t *o)
{
	o->sysmon_cpu_ns = atomic_load_explicit (&mon.cpu_ns, memory_order_relaxed);
	o->sysmon_ticks = atomic_load_explicit (&mon.sysmon.count.looks, memory_order_relaxed);
	o->sysmon_late_max_ns = atomic_load_explicit (&mon.late_max, memory_order_relaxed);
	o->blocked_detected += atomic_load_explicit (&mon.sysmon.count.kernel, memory_order_relaxed);
}
