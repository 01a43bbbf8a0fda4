/* SPDX-License-Identifier: MIT */
/* goad/debug.h - looking inside a running program
 *
 *	goad_stats_t s;
 *	if (goad_stats (&s) == 0)
 *		printf ("%llu preemptions\n",
 *		        (unsigned long long) (s.preempt_yielded + s.preempt_handed_off));
 *	goad_dump (2);  // who does what, and where
 */
#ifndef GOAD_DEBUG_H
#define GOAD_DEBUG_H

#include <goad/sched.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Counters of the whole runtime since it started. */
typedef struct goad_stats {
	uint64_t procs;                    /* Ps now                                              */
	uint64_t threads;                  /* Ms now, sysmon not among them                       */
	uint64_t threads_idle;             /* Ms parked without work                              */
	uint64_t coroutines;               /* alive                                               */
	uint64_t runnable;                 /* waiting for a P                                     */
	uint64_t switches;                 /* times a coroutine was put on a P                    */
	uint64_t steals;                   /* batches taken from another P's queue                */
	uint64_t handoffs;                 /* Ps given to another M                               */
	uint64_t spawned;                  /* coroutines ever made                                */
	uint64_t preempt_requested;        /* slices that sysmon asked to end                     */
	uint64_t preempt_yielded;          /* ... and that ended by a switch in place             */
	uint64_t preempt_handed_off;       /* ... by handing off the thread                       */
	uint64_t preempt_deferred;         /* attempts put off: disabled, in denied code, no M    */
	uint64_t preempt_expired;          /* requests that came too late: it went by itself      */
	uint64_t blocked_announced;        /* Ps that left goad_block_begin or goad_block         */
	uint64_t blocked_detected;         /* Ps taken from threads found asleep in the kernel    */
	uint64_t sysmon_ticks;             /* times that sysmon looked                            */
	uint64_t sysmon_late_max_ns;       /* worst lateness of its own wake-ups                  */
	uint64_t quantum_overshoot_max_ns; /* longest run beyond the quantum while another waited */
	uint64_t runnable_wait_max_ns;     /* longest wait from runnable to running               */
	uint64_t stacks_cached;            /* free stacks kept                                    */
	uint64_t stack_bytes;              /* address space reserved for stacks                   */
	uint64_t sysmon_cpu_ns;            /* CPU time that sysmon itself has used                */
	uint64_t signals_sent;             /* preemption signals                                  */
	uint64_t threads_max;              /* most Ms at a time                                   */
	uint64_t slices;                   /* slices ended by preemption when they were over, ... */
	uint64_t slice_ns;                 /* ... and the sum of their lengths                    */
	uint64_t overshoot_p50_ns;         /* of those slices: time beyond the quantum            */
	uint64_t overshoot_p99_ns;         /* (within 1/8 of the value)                           */
	uint64_t preempt_fresh;            /* preemptions before that, for who was new or woken   */
	uint64_t reserved[13];
} goad_stats_t;

/* What a coroutine is doing. */
enum {
	GOAD_STATE_RUNNABLE = 1,
	GOAD_STATE_RUNNING = 2,
	GOAD_STATE_WAITING = 3,
	GOAD_STATE_BLOCKED = 4, /* in the kernel */
	GOAD_STATE_DEAD = 5
};

typedef struct goad_task_stats {
	uint64_t id;
	char name[32];
	int state;                   /* GOAD_STATE_*                                             */
	uint64_t cpu_ns;             /* time on a P, by the monotonic clock                      */
	uint64_t slices;             /* times it was put on a P                                  */
	uint64_t preempt_yielded;    /* slices ended by a switch in place                        */
	uint64_t preempt_handed_off; /* slices ended by handing off its thread                   */
	uint64_t preempt_deferred;   /* attempts that had to be repeated                         */
	uint64_t wait_ns;            /* time spent runnable and not running, and the longest:    */
	uint64_t wait_max_ns;
	uint64_t stack_used_max;  /* bytes of its stack ever touched, in pages                */
	uint64_t preempt_expired; /* requests that came too late                              */
	uint64_t reserved[7];
} goad_task_stats_t;

/* The counters now; with no runtime those of the last run.  -EINVAL: NULL;
 * -EPERM: in a child of fork. */
int goad_stats (goad_stats_t *out);

/* Those of one coroutine, also after its end while its handle is valid.  NULL
 * task: the calling one.  -EINVAL: out is NULL; -EPERM: NULL task outside a
 * coroutine, or no runtime runs. */
int goad_task_stats (goad_task_t *task, goad_task_stats_t *out);

/* Writes to fd, for people, what every coroutine does: its number and name, its state and
 * since when, what it waits for and who holds that, its CPU time, where and how it was last
 * preempted, its use of its stack, and its frames; then what every P and M does.  Those that
 * stand in the same place are one group.  Nothing is stopped for it: each coroutine is seen
 * at an instant of its own.
 *
 * From any thread, in a coroutine too (which needs some 10 KiB of stack for it); one at a
 * time, others wait.  Not async-signal-safe.  Allocates nothing by malloc.  0; -EBADF: fd
 * cannot be written to; the negative errno of a write that failed; -EPERM: no runtime runs;
 * -ENOMEM. */
int goad_dump (int fd);

/* What a P does at this instant. */
typedef struct goad_proc_view {
	uint64_t id;       /* of the coroutine on it; 0: none                        */
	uint64_t since_ns; /* when its slice began, by goad_now's clock              */
	uint64_t slice;    /* the slice's number; changes when a new one begins      */
	uint64_t reserved;
} goad_proc_view_t;

/* Fills at most max of them and returns how many Ps there are; the fields of one may
 * be of two adjacent instants.  0: no runtime runs; -EINVAL: out is NULL.
 * Lock-free. */
int goad_observe_procs (goad_proc_view_t *out, int max);

/* Writes every event of the scheduler to a file, which `goad trace` reads: who began to
 * run on which P and how that ended, who was preempted, where and why so, and what the
 * monitor did.  The file is made anew.  Outside of a runtime: the trace goes on with each
 * runtime that runs until goad_trace_stop; inside: it ends with the runtime at the latest,
 * and goad_trace_stop then still tells how it went.  Set GOAD_TRACE=FILE in the environment
 * for the same without a call.
 *
 * What comes faster than it can be written is lost, and the file says how much.
 * -EINVAL: path is NULL or ""; -EBUSY: there is a trace already; -EPERM: in a child of
 * fork; what open (2) said of the file; -EAGAIN, -ENOMEM: no thread for it.  From any
 * thread; not from a signal handler. */
int goad_trace_start (const char *path);

/* Ends the trace; the file is complete when it returns.  0; -EALREADY: there is none;
 * what write (2) said, once, when it failed: then the file ends there; -EPERM: in a child
 * of fork.  From any thread; not from a signal handler. */
int goad_trace_stop (void);

#ifdef __cplusplus
}
#endif

#endif /* GOAD_DEBUG_H */
