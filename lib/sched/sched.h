/* SPDX-License-Identifier: MIT */
/* sched/sched.h - the scheduler's verbs and its one global state
 *
 * The way of a coroutine: spawn.c makes it and puts it into a run queue; find.c takes
 * it out (steal.c from another P); sched.c switches to it; park.c parks and readies;
 * handoff.c gives a P to another M; idle.c puts Ms to sleep and wakes them.
 *
 * Functions marked (switches) may return on another M: M and P are read again after.
 * All but goad__sched_* want a pinned caller (core/self.h).
 */
#ifndef GOAD_SCHED_SCHED_H
#define GOAD_SCHED_SCHED_H

#include "base/futex.h"
#include "base/lock.h"
#include "core/fairq.h"
#include "core/m.h"
#include "core/self.h"

#define GOAD__MAX_PROCS 1024
#define GOAD__MAX_THREADS 1000000
#define GOAD__GLOBAL_EVERY 61u /* picks between looks at the global queues: a prime */

/* sched/spill.c: what spilled from full own queues and has not run; a stack of batches */
#define SPILLED_MOST 128u
#define SPILLED_ROOTS 8u /* of the aged ones in a batch while there are such that are not */
struct spilled {
	uint32_t bottom, used, n; /* the oldest; batches; coroutines in them */
	uint64_t aged_at;         /* when the oldest last went to the global queue */
	struct spilled_batch {
		struct gbatch g;
		uint64_t since;
	} batch[SPILLED_MOST];
};

struct sched {
	/* read-mostly */
	_Atomic int nprocs; /* changes while the world is stopped */
	int max_threads;
	uint64_t quantum;
	uint64_t granularity;          /* no slice ends sooner for fresh work; 0: no feedback   */
	uint64_t fresh_most;           /* sched/feedback.h: what fresh work may have saved      */
	_Atomic uint64_t starve_bound; /* a wait that is longer is noticed; survives the runtime */
	_Atomic int preempt;           /* threads from outside look, with and without a runtime */
	int signo;
	unsigned flags;
	size_t stack_size;
	uint64_t chaos; /* seed; 0: off                                           */
	bool alone;     /* one P: nobody to wake, no fences                       */
	bool fences;    /* no membarrier: who queues work fences for sysmon       */
	struct p *p;    /* [GOAD__MAX_PROCS], the first np_made in use or used    */
	_Atomic int np_made;
	_Atomic uint32_t slow;         /* chaos, or the world is to stop: g0 decides             */
	_Atomic uint32_t stop;         /* the world is to stop, or is stopped                    */
	_Atomic uint32_t sysmon_armed; /* NEWS_*: what sysmon wants to be told                */
	_Atomic uint32_t own_modes;    /* some coroutine has a GOAD_PREEMPT_* of its own         */
	_Atomic uint64_t sysmon_until; /* sysmon sleeps till then at most; 0: it is awake        */
	_Atomic uint32_t ntimers;      /* Ps that ever had a timer, and those below              */

	/* hot: read at each spawn and ready */
	_Atomic uint32_t npidle GOAD__ALIGNED;
	_Atomic uint32_t nmspinning;
	_Atomic uint32_t owing;        /* wake-ups may be owed: sched/owed.c, and ...                 */
	_Atomic uint32_t owing_wanted; /* ... there would be many                            */
	_Atomic uint32_t nglobal;      /* in globq and spilled                                      */

	/* under lock */
	struct goad__spinlock lock GOAD__ALIGNED;
	struct gbatch globq;         /* overflow, foreign ready, timers: FIFO                   */
	struct spilled spilled;      /* overflow that has not run: the last first               */
	struct fairq fairq;          /* preempted                                               */
	_Atomic uint64_t hogs_since; /* when fairq was last empty and got somebody; read without it */
	struct p *pidle;
	struct m *midle;
	_Atomic uint32_t nmidle; /* these three are read by others without it, as a hint */
	_Atomic uint32_t nm;     /* Ms that exist */
	uint32_t nm_max;
	int next_m;
	struct m *mended, *mfree;     /* see core/m.h                                            */
	uint64_t m_idle_ns;           /* a surplus M that idles for so long ends                 */
	_Atomic uint32_t nm_starting; /* of them on their way                                    */
	uint32_t nm_locked;           /* Ms that run one coroutine only, or none any more        */
	_Atomic int nblocked;         /* coroutines in SYSCALL whose P is gone: sched/block.c    */
	struct m *allm;
	uint32_t stop_left; /* Ps that have not stopped                               */
	bool world_busy;    /* somebody stops the world                               */
	struct turn *turn_first, *turn_last; /* and these want to                                */
	_Atomic uint32_t top_asleep; /* futex: runtime/top.c wants to know when a P has work      */
	bool limit_told;
	bool refused; /* the system gave no thread when last asked */
	bool deadlocked;

	_Atomic uint64_t foreign_spawned; /* by threads without a P; all others: p->n_spawned   */
	_Atomic uint64_t foreign_ended;
	_Atomic uint64_t n_blocked_announced; /* Ps taken or given away from announced blocks    */
	_Atomic uint64_t n_blocked_detected;  /* Ps taken from threads found asleep              */
	_Atomic uint64_t next_id;
	_Atomic uint32_t done;       /* the runtime is ending: Ms leave                          */
	_Atomic uint32_t drained;    /* futex: everything is idle and no coroutine is left       */
	bool embedded;               /* goad_start: no coroutine does not mean the end           */
	_Atomic uint32_t stopped;    /* futex: stop_left is 0                                    */
	_Atomic uint32_t rescuing;   /* sysmon takes out of a queue: preempt/request.c           */
	_Atomic uint32_t maker_word; /* futex: MAKER_*, and how many Ms are wanted             */
};

/* sched.maker_word: what the maker is to do, beside making Ms (the low bits). */
#define MAKER_COUNT 0xffffu
#define MAKER_REAP 0x10000u
#define MAKER_PROCS 0x20000u
#define MAKER_STOP 0x40000u

extern struct sched goad__sched;

/* Under sched.lock: something is to be seen again. */
static inline void goad__top_wake (void)
{
	_Atomic uint32_t *asleep = &goad__sched.top_asleep;

	if (unlikely (atomic_load_explicit (asleep, memory_order_relaxed))) {
		atomic_store_explicit (asleep, 0, memory_order_relaxed);
		goad__futex_wake (asleep, 1);
	}
}

/* sched.starve_bound without a watch.  More than that is no wait: stamps of two Ps may be
 * out of order. */
#define GOAD__NO_BOUND (UINT64_MAX / 2)

/* g, which comes to p, has waited for longer than the bound. */
extern void (*goad__starve_hook) (struct p *p, struct g *g, uint64_t waited);

extern void (*goad__sysmon_wake) (void);          /* it would sleep past a deadline, or the end */
extern void (*goad__sysmon_ring) (uint32_t news); /* it wanted to know */

/* What sysmon can want to know: that anybody was queued whom some P could serve; that
 * fresh work (a coroutine that is new, or was woken) may have to wait for a P; that an
 * idle P is taken. */
#define NEWS_WORK 1u
#define NEWS_FRESH 2u
#define NEWS_RUN 4u

/* Work was queued: sysmon may have asked to be told.
 * [ord:sysmon-alarm] who queues: queue, then read sysmon_armed; sysmon: sets it, then a
 * fence in all threads (membarrier), then looks at the queues.  One sees the other;
 * here a compiler barrier is enough, but for a kernel without membarrier. */
static inline void goad__tell_sysmon (uint32_t news)
{
	goad__compiler_barrier ();
	if (unlikely (goad__sched.fences))
		atomic_thread_fence (memory_order_seq_cst);
	if (unlikely (atomic_load_explicit (&goad__sched.sysmon_armed, memory_order_relaxed) & news))
		goad__sysmon_ring (news);
}

static inline void goad__own_modes_seen (void)
{
	atomic_store_explicit (&goad__sched.own_modes, 1, memory_order_relaxed);
}

/* GOAD_F_NO_*: a mechanism is off. */
static inline bool goad__without (unsigned flag)
{
	return unlikely ((goad__sched.flags & flag) != 0);
}

static inline bool goad__chaos (void)
{
	return unlikely (goad__sched.chaos != 0);
}

static inline bool goad__stopping (void)
{
	return unlikely (atomic_load_explicit (&goad__sched.stop, memory_order_relaxed) != 0);
}

/* sched.c */
void goad__sched_yield (void);                              /* (switches) */
void goad__sched_park (goad__commit_fn *commit, void *arg); /* (switches) WAITING; pinned */
_Noreturn void goad__sched_exit (void);
/* (switches) pinned.  True: child ran, by way of w, and has ended; false: it is not so simple. */
bool goad__sched_run_child (struct g *child, struct waiter *w);
void goad__sched_preempted (void);                  /* (switches) pinned; AFTER_PREEMPT */
void goad__sched_return (struct m *m, struct g *g); /* (switches) pinned; AFTER_BLOCK */
void goad__sched_loop (void);                       /* g0's: returns when done */
void goad__g_main (struct g *g);
/* AFTER_PREEMPT, on g0: what becomes of g.  True: m goes on with it at once. */
extern bool (*goad__judge_hook) (struct m *m, struct g *g);

/* find.c */
struct g *goad__find (struct m *m, bool *inherit); /* blocks until there is one; NULL: done */
bool goad__turn_is_due (struct p *p, uint64_t t);  /* another queue than the own one's */
/* Puts whoever is due with p into the global queue; how many. */
extern uint32_t (*goad__timers_hook) (struct p *p, uint64_t now);

/* owed.c */
bool goad__owe (struct m *m, struct p *p); /* m has put somebody into p->runnext.  True: nobody */
                                           /* need be woken for it now                          */
void goad__pay (struct p *p);              /* owner: wakes, if that is owed                     */
void goad__collect (struct p *p, uint64_t debt); /* sysmon: the same                            */
/* g leaves p at t, and next goes on, who was in runnext; NULL: it is not there any more. */
void goad__owe_learn (struct p *p, struct g *g, const struct g *next, uint64_t t);

/* Owner: runnext is empty, or is about to be put elsewhere by who wakes. */
static inline void goad__owe_nothing (struct p *p)
{
	if (unlikely (atomic_load_explicit (&p->owed, memory_order_relaxed)))
		atomic_store_explicit (&p->owed, 0, memory_order_relaxed);
}

/* steal.c */
struct g *goad__steal (struct m *m);

/* idle.c */
void goad__sched_wake (void);     /* there is fresh work: wake an M for it if need be */
void goad__sched_wake_old (void); /* the same, for work that is not fresh */
void goad__idle_p (struct m *m);  /* under lock: gives up its P, and what is queued there */
void goad__idle (struct m *m);    /* m found nothing: gives up its P, may sleep */
void goad__wake_foreign (struct waiter *w);
void goad__idle_park (struct m *m); /* m has no P; returns with one, or done */
void goad__pidle_put (struct p *p); /* under lock */
struct p *goad__pidle_get (void);   /* under lock */
struct m *goad__midle_get (void);   /* under lock */
struct m *goad__m_for_p (void);     /* under lock */
bool goad__work_somewhere (void);   /* in any queue */

/* m, on the list of idle Ms, has found work where it slept.  True: it is off the list, and
 * has an idle P, or will be given one at once; false: there is none for it. */
bool goad__idle_leave (struct m *m);
void goad__acquire_p (struct m *m, struct p *p);
struct p *goad__release_p (struct m *m);
void goad__m_give (struct m *m, struct p *p); /* wakes m with p */
void goad__m_wait (struct m *m);              /* until somebody gives it a P, or done */
void goad__want_thread (uint32_t spare);      /* asks the maker: so many idle Ms should exist */
void goad__ask_maker (uint32_t what);         /* MAKER_* */
void goad__idle_review (void);                /* under lock: Ms that idle may be too many now */
void goad__idle_settle (void); /* under lock: something changed; have we ended, or deadlocked? */
extern bool (*goad__deadlock_hook) (
    void); /* under lock: all is idle but not ended; true: for ever */
#ifdef GOAD_DEBUG_BUILD
extern void (*goad__world_hook) (void); /* under lock, all Ps idle: is all well? */
#endif
bool goad__end_if_drained (void); /* goad_stop: nothing is left, all is idle: ends it */
void goad__idle_look (void);      /* is all idle, and the end or a deadlock come? */
void goad__idle_end (void);       /* wakes everyone: the runtime ends */
size_t goad__alive (void);

/* park.c */
void goad__ready (struct g *g);        /* WAITING -> RUNNABLE, from any thread */
void goad__ready_remote (struct g *g); /* into the global queue */
void goad__ready_fair (struct g *g);   /* RUNNABLE already: into the queue of the preempted */
void goad__yield_fair (struct p *p, struct g *g);  /* the same, behind its first; or all out */
void goad__yield_global (struct g *g);             /* RUNNABLE already: behind the global queue */
void goad__fair_put (struct g *g);                 /* the same, under lock, and the caller wakes */
void goad__globq_append (struct gbatch *b);        /* the same, and the caller wakes */
void goad__globq_append_locked (struct gbatch *b); /* under lock already */
void goad__globq_put (struct gbatch *b);           /* RUNNABLE already; wakes */
/* made of them come from goad__spawn_into: counted here.  The caller wakes. */
void goad__globq_append_made (struct gbatch *b, uint32_t made);
void goad__runq_drain (struct p *p, struct gbatch *b); /* p's owner: all that is queued there */
void goad__runq_put_or_spill (struct p *p, struct g *g);
void goad__runnext_put (struct p *p, struct g *g); /* kicks the one that was there */

void goad__runnext_kick (struct p *p);

/* spill.c */
bool goad__spill (struct p *p, struct g *g); /* owner, its queue is full; false: not any more */
void goad__spilled_age (uint64_t t);         /* under lock                                    */
bool goad__spilled_take (struct gbatch *b);  /* under lock: the last that spilled             */

/* Any thread; NULL when it is empty or another was faster. */
static inline struct g *goad__runnext_take (struct p *p)
{
	if (!atomic_load_explicit (&p->runnext, memory_order_relaxed))
		return NULL;
	return atomic_exchange_explicit (&p->runnext, NULL, memory_order_acquire); /* [ord:runnext] */
}

/* The earliest deadline of all, approximate. */
static inline uint64_t goad__next_timer (void)
{
	uint32_t n = atomic_load_explicit (&goad__sched.ntimers, memory_order_relaxed);
	uint64_t next = UINT64_MAX;

	for (uint32_t i = 0; i < n; i++)
		next = goad__min64 (next, atomic_load_explicit (&goad__sched.p[i].next_timer,
		                                                memory_order_relaxed));
	return next;
}

static inline bool goad__global_waits (void)
{
	return atomic_load_explicit (&goad__sched.nglobal, memory_order_relaxed) > 0 ||
	       atomic_load_explicit (&goad__sched.fairq.n, memory_order_relaxed) > 0;
}

/* retake.c: a P is taken from a thread that sleeps in the kernel */
int goad__retake (struct p *p, uint64_t tick); /* sysmon: 0, -ESTALE: not asleep any more */
void goad__settle_slow (struct m *m);

/* Pinned: from here on m->p is what it is.  To be called after the first pin from user
 * code and before m->p is looked at; goad__sched_* and goad__need_p do it themselves. */
static inline void goad__settle (struct m *m)
{
	/* [ord:retake] acquire: sysmon's NO_P */
	if (unlikely (atomic_load_explicit (&m->slow, memory_order_acquire) > M_NO_P))
		goad__settle_slow (m);
}

/* This thread's P, pinned; NULL: none, or a foreign thread. */
static inline struct p *goad__own_p (struct m *m)
{
	if (unlikely (!m))
		return NULL;
	goad__settle (m);
	return m->p;
}

/* What m->slow is with and without a P. */
static inline uint32_t goad__slow (enum m_slow w)
{
	return (uint32_t) w | (goad__sched.fences ? M_FENCED : 0);
}

/* block.c: a coroutine that is in the kernel, or comes back from there */
void goad__block_begin (void);     /* its P stays attached, and may be taken               */
void goad__block_begin_now (void); /* its P is given away at once                          */
void goad__block_end (void);       /* (switches)                                           */
void goad__need_p (void);          /* (switches) pinned, m->slow: returns with a P         */
bool goad__block_return (struct m *m, struct g *g); /* AFTER_BLOCK; true: m goes on with g */
/* Pinned, its P gone: if sysmon wants m back it waits here until it has a P. */
void goad__block_rejoin (struct m *m, struct g *g);
/* Takes p from m, which is in an announced block, and hands it over.  False: it is back. */
bool goad__block_retake (struct p *p, struct m *m);
void goad__block_seize (struct p *p); /* under lock: the stopper's, if it can be had */
/* Gives p, whose coroutine is in SYSCALL, to a thread with work for it, or makes it idle. */
void goad__hand_over (struct p *p);

/* handoff.c */
enum handoff { HANDOFF_DONE, HANDOFF_NOBODY_WAITS, HANDOFF_NO_THREAD };
enum handoff goad__handoff_in_handler (struct m *m, struct g *g); /* waits until it is back */
void goad__handoff_resume (struct m *m, struct g *g);  /* m picked bound g: gives its P away */
void goad__handoff_resumed (struct m *m, struct g *g); /* m waited with g and was given a P */
/* Who gets p from an M that stops: *g is set when it comes with a bound coroutine out of
 * the queue.  Under lock; NULL: no M is free. */
struct m *goad__handoff_choose (struct p *p, struct g **g);
#define GOAD__MAX_HELD 256u

/* world.c: the caller is pinned, on a coroutine or on a thread without a P. */
int goad__world_stop (uint64_t deadline); /* (switches) 0; -ETIMEDOUT; -EPERM: the end        */
void goad__world_start (void);
void goad__world_take (struct p *p);              /* under lock: p has stopped              */
void goad__world_halt (struct m *m, struct g *g); /* m stops with g, which runs on it       */
void goad__world_displace (struct p *p);          /* under lock, stopped: who halted on p   */
                                                  /* goes into the queue                    */
extern void (*goad__stop_hook) (struct p *p);     /* asks who runs there to stop            */

/* procs.c */
int goad__resize (int n, uint64_t deadline); /* (switches) the old number; as goad__world_stop */
void goad__procs_init (int n, uint64_t seed);
extern void (*goad__retire_hook) (struct p *p); /* the world is stopped: p goes */

/* lockthread.c */
int goad__lock_thread (void);
int goad__unlock_thread (void);
struct g *goad__locked_next (
    struct m *m);                       /* g0 of an M with a coroutine of its own; NULL: it ends */
void goad__locked_exited (struct m *m); /* ... which has ended */
struct g *goad__locked_stays (struct m *m, struct g *g); /* ... which did not park after all */
void goad__ready_bound (struct g *g);                    /* RUNNABLE already, bound to an M */

/* spawn.c */
int goad__spawn (struct g **out, const goad_attr_t *attr, goad_fn fn, void *arg);
int goad__spawn_first (goad_fn fn, void *arg); /* goad_main's: its number is kept for it */
/* A coroutine that nobody joins, made runnable, but neither queued nor counted. */
int goad__spawn_into (struct gbatch *b, goad_fn fn, void *arg, const struct goad__fp *fp);
void goad__g_free (struct g *g);

/* p's owner puts g, preempted at t, into the queue of the preempted, or is about to. */
static inline void goad__note_preempted (struct p *p, const struct g *g, uint64_t t)
{
	p->just = g;
	if (!goad__global_waits ())
		p->fair_at = t; /* nobody waited there until now */
	goad__runnext_kick (p);
}

static inline bool goad__p_own_waits (const struct p *p)
{
	return goad__runq_len (&p->runq) > 0 ||
	       atomic_load_explicit (&p->runnext, memory_order_relaxed);
}

/* The same, for another P to take. */
static inline bool goad__p_offers (const struct p *p)
{
	return goad__runq_len (&p->runq) > 0 ||
	       (atomic_load_explicit (&p->runnext, memory_order_relaxed) &&
	        !atomic_load_explicit (&p->owed, memory_order_acquire)); /* [ord:owed] */
}

/* Somebody waits for a P whom p could serve; from any thread, approximate. */
static inline bool goad__someone_waits (const struct p *p)
{
	return goad__p_own_waits (p) || goad__global_waits ();
}

#endif
