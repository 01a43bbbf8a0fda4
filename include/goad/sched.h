/* SPDX-License-Identifier: MIT */
/* goad/sched.h - the life of the runtime, coroutines, preemption
 *
 *	static void work (void *arg) { *(int *) arg = 42; }
 *
 *	static void first (void *arg)
 *	{
 *		goad_task_t *t;
 *		int answer;
 *		(void) arg;
 *		if (goad_spawn (&t, NULL, work, &answer) == 0)
 *			goad_join (t);
 *	}
 *
 *	goad_main (first, NULL, NULL);
 *
 * Unless a comment says otherwise, a function here may be called from any
 * thread, returns 0 or a negative errno value, leaves errno alone, and is not
 * async-signal-safe.  All times are nanoseconds.
 */
#ifndef GOAD_SCHED_H
#define GOAD_SCHED_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The entry function of a coroutine. */
typedef void (*goad_fn) (void *arg);

/* How a coroutine that does not yield is made to. */
enum {
	GOAD_PREEMPT_DEFAULT = 0, /* the runtime's; for the runtime: AUTO                    */
	GOAD_PREEMPT_AUTO = 1,    /* yield in place where that is shown to be safe, else     */
	                          /* hand off the thread: always possible, always safe       */
	GOAD_PREEMPT_HANDOFF = 2, /* always hand off the kernel thread                       */
	GOAD_PREEMPT_YIELD = 3,   /* always yield in place; retried inside libc and the like */
	GOAD_PREEMPT_COOP = 4,    /* only at calls into goad, as Go did up to 1.13           */
	GOAD_PREEMPT_OFF = 5      /* never: the control for experiments                      */
};

/* goad_config_t.flags */
#define GOAD_F_EXACT_TIME 0x1u /* read the clock at each switch; without it runs of less */
                               /* than about 2 us are sampled and their time estimated   */

#define GOAD_F_NO_FEEDBACK 0x2u /* no difference between coroutines that are new or were  */
                                /* woken and ones that were preempted: as Go does it      */

/* One mechanism each that is not to work, to see what it is good for; goad starve (1) shows.
 * Each leads to starvation. */
#define GOAD_F_NO_PREEMPT 0x10u        /* no slice is asked to end: all in mode OFF           */
#define GOAD_F_NO_HANDOFF 0x20u        /* no thread is handed off: put off where it would be  */
#define GOAD_F_NO_DETECT_BLOCK 0x40u   /* who sleeps in the kernel unannounced keeps its P    */
#define GOAD_F_NO_WAKEUP_PREEMPT 0x80u /* no slice ends before it is over, for fresh work     */
#define GOAD_F_NO_GLOBAL_TICK 0x100u   /* global queues only when the own one is empty        */
#define GOAD_F_NO_INHERIT_SLICE 0x200u /* whom a coroutine readies has a slice of his own     */
#define GOAD_F_NO_SYSMON 0x400u        /* sysmon decides nothing: it watches and keeps house  */

typedef struct goad_config {
	size_t size;                 /* sizeof (goad_config_t): set by the caller                  */
	int procs;                   /* Ps, 1..1024; 0: the CPUs this process may use, by affinity */
	                             /* and cgroup quota, also when they change                    */
	int max_threads;             /* Ms, at most; 0: 10000                                      */
	size_t stack_size;           /* address space per coroutine, bytes, 16 KiB..1 GiB;         */
	                             /* 0: 256 KiB                                                 */
	uint64_t quantum_ns;         /* a coroutine that has run this long is preempted when       */
	                             /* another waits, 50 us..1 s; 0: 10 ms                        */
	int preempt;                 /* GOAD_PREEMPT_*; 0: GOAD_PREEMPT_AUTO                       */
	int signo;                   /* preemption signal; 0: SIGURG                               */
	unsigned flags;              /* GOAD_F_*                                                   */
	uint64_t seed;               /* for the scheduler's random choices; 0: from the system     */
	uint64_t min_granularity_ns; /* no run ends sooner than this for a coroutine that  */
	                             /* is new or was woken, 10 us..1 s; 0: 200 us         */
} goad_config_t;

/* For static and automatic objects: goad_config_t cfg = GOAD_CONFIG_INIT; */
#define GOAD_CONFIG_INIT                                  \
	{                                                     \
		sizeof (goad_config_t), 0, 0, 0, 0, 0, 0, 0, 0, 0 \
	}

/* Fills *cfg with the defaults and then with what the environment says:
 * GOAD_PROCS, GOAD_MAX_THREADS, GOAD_STACK_SIZE (bytes, or with K, M, G),
 * GOAD_QUANTUM (10ms, 250us, 1s), GOAD_PREEMPT (auto, handoff, yield, coop, off),
 * GOAD_SIGNAL (a number), GOAD_SEED, GOAD_EXACT_TIME (1: GOAD_F_EXACT_TIME),
 * GOAD_FEEDBACK (on; off: GOAD_F_NO_FEEDBACK), GOAD_MIN_GRANULARITY (200us), GOAD_DISABLE (a
 * list of preempt, handoff, detect-block, wakeup-preempt, global-tick, inherit-slice, sysmon,
 * feedback: GOAD_F_NO_*).  cfg->size must be set.
 * -EINVAL: cfg is NULL, its size is 0, or a variable has a bad value; one line on
 * stderr names it and what it may be. */
int goad_config_init (goad_config_t *cfg);

/* Runs fn (arg) as the first coroutine, with the calling thread as M0, and
 * returns 0 when every coroutine has finished.  cfg NULL: as goad_config_init
 * gives.  -EBUSY: a runtime runs already; -EINVAL: a field out of range (a line on
 * stderr names it); -ENOMEM, -EAGAIN: no memory or no thread to be had;
 * -EDEADLK: every coroutine waits for ever; -EPERM: in a child of fork made while a
 * runtime ran, where every call fails so (see goad(7)). */
int goad_main (goad_fn fn, void *arg, const goad_config_t *cfg);

/* Starts the runtime on threads of its own and returns; coroutines are then
 * spawned from any thread.  Errors as goad_main. */
int goad_start (const goad_config_t *cfg);

/* Waits until every coroutine has finished, then ends all threads and frees
 * everything.  -EDEADLK: called from a coroutine; -EBUSY: another thread is in
 * goad_stop; -EPERM: no runtime that goad_start started. */
int goad_stop (void);

/* A coroutine that can be joined. */
typedef struct goad_task goad_task_t;

typedef struct goad_attr {
	size_t size;       /* sizeof (goad_attr_t): set by the caller                       */
	size_t stack_size; /* bytes, 16 KiB..1 GiB; 0: the runtime's                        */
	const char *name;  /* copied (31 bytes of it); NULL: none                           */
	int preempt;       /* GOAD_PREEMPT_*; 0: the runtime's                              */
	unsigned weight;   /* share of CPU among runnable coroutines, 1..10000; 0: 100      */
} goad_attr_t;

#define GOAD_ATTR_INIT                   \
	{                                    \
		sizeof (goad_attr_t), 0, 0, 0, 0 \
	}

/* Starts a coroutine that nobody joins.  -EINVAL: fn is NULL; -EPERM: no runtime
 * runs; -ENOMEM, -EAGAIN: no memory for its stack; what runs goes on. */
int goad_go (goad_fn fn, void *arg);

/* Starts a coroutine and stores its handle, to be given to goad_join or
 * goad_detach exactly once.  attr may be NULL.  Errors as goad_go, and -EINVAL for
 * a field of attr that is out of range. */
int goad_spawn (goad_task_t **task, const goad_attr_t *attr, goad_fn fn, void *arg);

/* Waits until the coroutine has ended, then frees the handle.  -EDEADLK: the
 * caller's own; -EINVAL: NULL; -EBUSY: somebody joins it already; -EPERM: no runtime
 * runs, and the handle is void. */
int goad_join (goad_task_t *task);

/* The same until deadline (absolute, goad_now's clock).  -ETIMEDOUT: not ended by
 * then, -EAGAIN if deadline was 0; the handle stays valid. */
int goad_join_until (goad_task_t *task, uint64_t deadline);

/* Gives the handle up: the coroutine frees itself at its end.  -EINVAL: NULL, or
 * detached already; -EBUSY: somebody joins it; -EPERM: no runtime runs. */
int goad_detach (goad_task_t *task);

/* Lets the other runnable coroutines of this P go first.  Outside a coroutine:
 * sched_yield. */
void goad_yield (void);

/* Ends the calling coroutine.  Outside one: a line on stderr, and abort. */
#if defined __cplusplus
[[noreturn]] void goad_exit (void);
#else
_Noreturn void goad_exit (void);
#endif

/* The calling coroutine's number: 1, 2, ...; 0 outside a coroutine. */
uint64_t goad_id (void);

/* Its name; "" where it has none or outside a coroutine.  Valid until it ends. */
const char *goad_name (void);

/* Sleeps for ns nanoseconds, or until the deadline, never less.  On a foreign
 * thread the thread sleeps.  0; -EPERM in a child of fork (see goad(7)). */
int goad_sleep (uint64_t ns);
int goad_sleep_until (uint64_t deadline);

/* How many Ps the runtime has; 0 when none runs. */
int goad_procs (void);

/* Changes it, and returns the old number.  The world is stopped for it, some 0.1 ms: it
 * waits for coroutines with preemption disabled, and for those in mode COOP or OFF until
 * their next call.  From then on the number no longer follows the CPUs.  -EINVAL: n is
 * not 1..1024; -EPERM: no runtime runs. */
int goad_set_procs (int n);

/* Coroutines alive: spawned and not yet ended.  Those that begin or end during the
 * call may count; none that is alive is missed.  0 when no runtime runs. */
size_t goad_count (void);

/* Between the two the calling coroutine is not preempted; they nest.  A
 * preemption that came meanwhile happens at the last enable.  Outside a
 * coroutine both do nothing, but an enable without its disable ends the program
 * with a line on stderr.  Async-signal-safe. */
void goad_preempt_disable (void);
void goad_preempt_enable (void);

/* Between the two the calling coroutine may block in the kernel, and does not hold its
 * P up: a call that is over soon keeps it, and from one that lasts it is taken when
 * somebody waits.  goad_block_end waits for a P then, so it may switch, and the
 * coroutine may go on on another thread; in between it stays on one.  They nest.  A
 * call into goad in between that parks or yields ends the section: it takes a P again,
 * and the goad_block_end that belongs to it does nothing more.  Outside a coroutine
 * both do nothing, and so does an end without its begin. */
void goad_block_begin (void);
void goad_block_end (void);

/* Calls fn (arg) between the two, for a call that is known to last: the P is given away
 * at once.  Outside a coroutine fn is called and no more.  -EINVAL: fn is NULL. */
int goad_block (void (*fn) (void *arg), void *arg);
/* From here on the calling coroutine runs on this kernel thread, and no other coroutine
 * does, until it has called goad_unlock_thread as often: for code that keeps something
 * per thread across calls that switch (OpenGL, setns (2), a mutex that knows its owner).
 * One that ends locked ends its thread too (not the caller of goad_main: that thread
 * runs no coroutine any more).  -EPERM: outside a coroutine, unlock without lock;
 * -EAGAIN: it would take the last of max_threads, or no other thread can be had. */
int goad_lock_thread (void);
int goad_unlock_thread (void);

/* Changes goad_config_t.max_threads; returns the old number.  -EINVAL: n is not
 * 1..1000000; -EBUSY: more exist already; -EPERM: no runtime runs. */
int goad_set_max_threads (int n);

/* What kind of code an object of this process is, for GOAD_PREEMPT_AUTO. */
enum {
	GOAD_MODULE_AUTO = 0,    /* decided by looking at it                                 */
	GOAD_MODULE_SCANNED = 1, /* thread-independent but for functions that touch the TLS  */
	GOAD_MODULE_BOUND = 2,   /* a frame in it means hand-off                             */
	GOAD_MODULE_DENIED = 3   /* as libc: hand-off, and no yield even in mode YIELD       */
};

/* Sets the class of the objects whose path ends in path ("libfoo.so.1", "/opt/x.so";
 * "" is the program itself), loaded now or later.  -EINVAL: NULL or no such class;
 * -ENOSPC: 64 such rules exist already. */
int goad_module_class (const char *path, int class_);

#ifdef __cplusplus
}
#endif

#endif /* GOAD_SCHED_H */
