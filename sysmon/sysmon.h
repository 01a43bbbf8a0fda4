/* SPDX-License-Identifier: MIT */
/* sysmon.h - the monitor: decides when a running coroutine has had enough
 *
 *	static struct sysmon_proc procs[1024];
 *	static struct sysmon mon;
 *
 *	sysmon_init (&mon, &ops, rt, procs, 1024);
 *	sysmon_run (&mon);              // on a thread of its own, until stopping
 *
 * It knows the runtime only through struct sysmon_ops, allocates nothing and
 * takes no lock.  How it decides is told in doc/design/sysmon.md.
 */
#ifndef SYSMON_SYSMON_H
#define SYSMON_SYSMON_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define SYSMON_NEVER UINT64_MAX

/* What the thread that carries a P has done since it was last probed; where
 * there is nothing to compare with, SYSMON_COMPUTES. */
enum sysmon_thread { SYSMON_COMPUTES, SYSMON_IN_KERNEL, SYSMON_NO_CPU };

/* A P at one instant. */
struct sysmon_view {
	uint64_t tick;    /* the slice's number; a coroutine that inherits a slice keeps it      */
	uint64_t start;   /* ns, when the slice began; not before an instant at which another    */
	                  /* tick was observed here                                              */
	uint64_t quantum; /* ns, of this slice                                                   */
	bool running;     /* a coroutine is on it                                                */
	bool preemptible; /* false: nothing can end this slice but itself                        */
	bool requested;   /* this tick has a request pending already                             */
	bool armed;       /* the alarm set by arm () has not gone off                            */
	bool blocked;     /* its coroutine has said that it blocks, and the P is still with it   */
	uint64_t blocked_since; /* ns, when that began; names this block                         */

	/* for fresh work; not looked at where there is no granularity () */
	uint64_t since; /* ns, when the coroutine that is on it was put there                    */
	uint64_t spare; /* a hog, and when it may be asked to go for fresh work; 0: no hog       */
	uint64_t turn;  /* when it is the hogs' turn, if hogs wait                               */
	bool queued;    /* somebody waits in its own queue, ...                                  */
	bool next;      /* ... or as the next of who runs                                        */

	uint64_t owed;  /* the number of a wake-up that is owed there; 0: none                   */
	uint64_t debts; /* how many there have been                                              */
};

/* Where fresh work can go, from good to bad. */
enum sysmon_crowd { SYSMON_IDLE_P, SYSMON_NO_IDLE_P, SYSMON_FRESH_WAITS };

struct sysmon_ops {
	uint64_t (*now) (void *rt);

	/* Until the absolute time, or until the runtime wakes sysmon.  A wake-up sticks: one
	 * that comes before the sleep makes it return at once.  The runtime wakes sysmon when
	 * an alarm goes off, next_timer () becomes earlier than this deadline, quantum () or a
	 * running slice's quantum becomes shorter, procs () changes, housekeeping is wanted, and
	 * to stop. */
	void (*sleep) (void *rt, uint64_t deadline);
	bool (*stopping) (void *rt);

	/* It is to decide nothing, and to serve no timers: an experiment.  NULL: never. */
	bool (*resting) (void *rt);

	int (*procs) (void *rt);
	uint64_t (*quantum) (void *rt); /* the shortest that a slice which begins now can have   */
	void (*observe) (void *rt, int p, struct sysmon_view *v);

	/* Somebody waits for a P, and p could serve it: p's queue, the global one, a due timer;
	 * any queue if p is blocked.  Whatever turns this from false to true must set off p's
	 * alarm. */
	bool (*waiting) (void *rt, int p);

	/* Sets or clears p's alarm: sysmon is to be woken, once, when something is queued that
	 * p could serve, by whatever path: spawn, ready, steal, overflow, preemption. */
	void (*arm) (void *rt, int p, bool on);

	/* Between arm () and the waiting () that follows it.  Afterwards whatever was queued is
	 * either seen by waiting (), or its submitter sees the alarm.  membarrier (2) here
	 * leaves the submitter with a compiler barrier; else both need a full fence. */
	void (*fence) (void *rt);

	/* Costs a system call or two: asked only for slices that are due and in somebody's way. */
	enum sysmon_thread (*probe) (void *rt, int p, uint64_t tick);

	int (*prepare) (void *rt, int p);                /* before preempt: a spare M exists      */
	int (*preempt) (void *rt, int p, uint64_t tick); /* 0: asked; -ESTALE: the slice is over; */
	                                                 /* -EAGAIN: not now                      */

	/* Takes p from the thread that was probed and slept in the kernel.  0: done, the
	 * coroutine is loose; -ESTALE: it has woken up; -EAGAIN: there is no thread for p. */
	int (*take) (void *rt, int p, uint64_t tick);

	/* Coroutines whose Ps were taken so: is there one, and if it has woken up and runs
	 * without a P, have it come back.  rein returns how many run. */
	bool (*loose) (void *rt);
	int (*rein) (void *rt);

	/* Fresh work: who is new or was woken goes before who was preempted.  granularity: no
	 * run ends sooner for it; 0 or NULL: there is no such order, and the rest may be NULL. */
	uint64_t (*granularity) (void *rt);
	enum sysmon_crowd (*crowd) (void *rt);
	unsigned (*fresh_global) (void *rt); /* how many wait in no P's own queue              */
	bool (*hogs_wait) (void *rt);
	int (*preempt_fresh) (void *rt, int p, uint64_t tick); /* as preempt, but not for good */

	/* The alarm for it: sysmon is to be woken, once, when crowd () gets worse. */
	void (*arm_fresh) (void *rt, bool on);
	bool (*fresh_armed) (void *rt);
	/* Somebody waits anywhere, and no P is idle.  Asked only about blocked ones. */
	bool (*backlog) (void *rt);

	/* Wake-ups may be owed, for a while, instead of given at once: who would like to says
	 * so once, and wakes sysmon.  NULL: nobody does. */
	bool (*owing_wanted) (void *rt);
	void (*allow_owing) (void *rt, bool on);
	void (*collect) (void *rt, int p, uint64_t number); /* gives it now, if it is still owed */

	/* Takes p from the block that began at since, and gives it to another thread.
	 * 0: done; -ESTALE: the block is over; -EAGAIN: there is no thread for it. */
	int (*retake) (void *rt, int p, uint64_t since);

	/* Who waits for too long is to be noticed, and told.  The bound; 0 or NULL: there is none,
	 * and the rest may be NULL.  scan notices all whose wait has passed it, and returns when
	 * the next one's will, SYSMON_NEVER: nobody waits.  tell tells what there is to be told,
	 * and returns when to call it again. */
	uint64_t (*starve_bound) (void *rt);
	uint64_t (*starve_scan) (void *rt, uint64_t now);
	uint64_t (*starve_tell) (void *rt, uint64_t now);

	uint64_t (*next_timer) (void *rt); /* SYSMON_NEVER: none */
	void (*run_timers) (void *rt, uint64_t now);

	/* Module table, cold stacks; at most every SYSMON_HOUSE_NS, or when asked for.  Returns
	 * when it wants to be called at the latest, SYSMON_NEVER: when sysmon happens to wake. */
	uint64_t (*housekeep) (void *rt, uint64_t now);

	void (*note_late) (void *rt, uint64_t ns); /* it woke this much after its deadline */
};

#define SYSMON_HOUSE_NS UINT64_C (10000000)

/* Counters, written by sysmon alone and readable by anybody. */
struct sysmon_counts {
	_Atomic uint64_t looks;        /* wake-ups                                            */
	_Atomic uint64_t asked;        /* slices asked to end                                 */
	_Atomic uint64_t repeated;     /* requests made again: the last was not honoured yet  */
	_Atomic uint64_t deferred;     /* -EAGAIN                                             */
	_Atomic uint64_t stale;        /* -ESTALE                                             */
	_Atomic uint64_t kernel;       /* due slices left alone: asleep in the kernel         */
	_Atomic uint64_t no_cpu;       /* due slices left alone: the kernel gives them no CPU */
	_Atomic uint64_t armed;        /* alarms set                                          */
	_Atomic uint64_t alarms;       /* alarms gone off                                     */
	_Atomic uint64_t false_alarms; /* ... at a due slice, and nobody waited any more      */
	_Atomic uint64_t fresh;        /* runs asked to end for fresh work                    */
	_Atomic uint64_t retaken;      /* Ps taken from announced blocks                      */
	_Atomic uint64_t taken;        /* Ps taken from threads found asleep in the kernel    */
	_Atomic uint64_t reins;        /* looks after threads that may run without a P        */
	_Atomic uint64_t scans;        /* looks for who waits for too long                    */
};

/* What the slice policy remembers of a P. */
struct sysmon_slice {
	uint64_t tick;    /* of the slice that the rest is about                              */
	uint64_t again;   /* do not probe or ask before                                       */
	uint64_t backoff; /* the pause before that                                            */
	uint64_t rearm;   /* do not set the alarm before                                      */
	uint64_t asked;   /* when that look began, if it was asked to end                     */
	int reason;       /* why it pauses                                                    */
	bool known;       /* tick is valid                                                    */
	bool ran;         /* a coroutine was on it at the last look                           */
};

/* What the loose policy remembers. */
struct sysmon_loose {
	uint64_t next; /* do not look before                  */
	int busy;      /* Ps in use, counted at this look     */
	int running;   /* without a P, when last looked after */
};

/* What the policy for fresh work remembers of a P, ... */
struct sysmon_run {
	uint64_t tick, since;
	uint64_t ready;  /* when it may be asked; SYSMON_NEVER: not, or it was                */
	uint64_t asked;  /* the tick asked about last, ...                                    */
	uint64_t again;  /* ... and not again before                                          */
	uint64_t queued; /* since when somebody was seen in its queue at each look; 0: nobody */
};

/* ... and of all, most of it for one look. */
struct sysmon_fresh {
	uint64_t granularity;
	uint64_t pause;   /* before the next look, while runs have not settled */
	uint64_t settles; /* when the first of those will have                  */
	unsigned needs;   /* how many want a P                                  */
	enum sysmon_crowd crowd;
	bool hogs_wait;
	bool old, young; /* some run has settled; has not                 */
	bool armed, fired, want;
};

/* What the starve policy remembers. */
struct sysmon_starve {
	uint64_t bound; /* at the last look            */
	uint64_t next;  /* no scan before              */
	bool busy;      /* some P is in use, this look */
	bool was_busy;  /* ... at the last scan        */
};

/* What the blocked policy remembers of a P. */
struct sysmon_blocked {
	uint64_t since;   /* the block that the next two are about        */
	uint64_t again;   /* do not try before                            */
	uint64_t backoff; /* the pause before that                        */
	uint64_t rearm;   /* do not set the alarm before                  */
	bool known;       /* since is valid                               */
};

/* What the policy for wake-ups that are owed remembers of a P, and of all. */
struct sysmon_debt {
	uint64_t number, since; /* the one last seen, and when first */
};

struct sysmon_owed {
	uint64_t made, before; /* in all, at this look and the last that counted */
	uint64_t next;         /* look that counts                               */
	int quiet;             /* looks without a new one                        */
	bool on;
};

/* A P, with a member for each policy that keeps state. */
struct sysmon_proc {
	bool armed; /* its alarm was set when last seen            */
	bool fired; /* the alarm went off since the last look      */
	bool set;   /* this look has set it                        */
	int want;   /* what this look's policies want of the alarm */
	struct sysmon_slice slice;
	struct sysmon_run run;
	struct sysmon_blocked blocked;
	struct sysmon_debt debt;
};

struct sysmon {
	const struct sysmon_ops *ops;
	void *rt;
	struct sysmon_proc *procs; /* the caller's, max of them, n in use    */
	int max;
	int n;
	uint64_t now;      /* of this look                                   */
	uint64_t shortest; /* ops->quantum () at this look                   */
	uint64_t late;     /* how late it usually wakes                      */
	uint64_t effort;   /* from waking to the end of the slice then asked */
	uint64_t house;    /* when housekeeping wants to be called next, ... */
	uint64_t kept;     /* ... and when it was called last                */
	bool resting;      /* at this look */
	struct sysmon_loose loose;
	struct sysmon_starve starve;
	_Atomic bool asked_house;
	struct sysmon_fresh fresh;
	struct sysmon_owed owed;
	struct sysmon_counts count;
};

/* nprocs: the length of the array procs, the most that ops->procs () may say. */
void sysmon_init (struct sysmon *s, const struct sysmon_ops *ops, void *rt,
                  struct sysmon_proc *procs, int nprocs);

/* The monitor thread: looks and sleeps until ops->stopping (). */
void sysmon_run (struct sysmon *s);

/* One look at everything; returns when the next one is due at the latest. */
uint64_t sysmon_look (struct sysmon *s, uint64_t now);

/* Any thread: housekeep at the next look.  The caller then wakes sysmon. */
void sysmon_ask_housekeep (struct sysmon *s);

#endif
