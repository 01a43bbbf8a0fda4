/* SPDX-License-Identifier: MIT */
/* core/m.h - M: a kernel thread that carries a P
 *
 * An M runs its g0 (its own stack: the scheduler) or a coroutine, curg.  M0 is the
 * caller of goad_main.  Ms are never freed while the runtime runs: a pointer to one
 * stays good.  A thread may end before, and its stacks with it; then its M is used again
 * for the next one.
 */
#ifndef GOAD_CORE_M_H
#define GOAD_CORE_M_H

#include <pthread.h>
#include <signal.h>

#include "core/g.h"
#include "core/p.h"
#include "core/self.h"

/* What is to be done with the coroutine that was switched away from, by whoever
 * runs next on this M: it may be seen by others only when its registers are saved. */
enum after { AFTER_NOTHING, AFTER_YIELD, AFTER_PARK, AFTER_EXIT, AFTER_PREEMPT, AFTER_BLOCK };

enum park { PARK_NOT, PARK_GO, PARK_ELSEWHERE };

enum m_life { M_LIVE, M_ENDED /* the maker is to join it */, M_FREE /* no thread */ };

/* Decides on the next stack whether the park stands; false: it runs again. */
typedef bool goad__commit_fn (struct g *g, void *arg);

/* m->slow says what may be thought of m->p: one word, so that one test on the way into the
 * runtime is enough.  [ord:retake] sysmon changes HAS_P to ASKED, and ASKED to HAS_P or
 * TAKEN, by compare-and-swap; the M itself, pinned, anything but TAKEN.  In TAKEN all that
 * the M and its P hold is sysmon's, until it stores NO_P or HAS_P (sched/retake.c). */
enum m_slow { M_HAS_P, M_NO_P, M_ASKED, M_TAKEN };
#define M_SLOW 3u
#define M_FENCED 4u /* no membarrier: who pins must fence before it believes the rest */

/* A thread is asked where its coroutine stands, by whoever takes a dump and by the watch for who
 * starves: preempt/sample.h. */
enum sample_asker { ASKER_DUMP, ASKER_WATCH, SAMPLE_ASKERS };
#define GOAD__SAMPLE_FRAMES 32
struct sample {
	_Atomic uint32_t state;
	int n;       /* 0: it was nowhere, or that cannot be told now */
	uint64_t id; /* of the coroutine; 0: none                     */
	char name[32];
	uintptr_t pc[GOAD__SAMPLE_FRAMES];
};

struct m {
	struct p *p;           /* NULL: none; this M writes it, or sysmon in M_TAKEN */
	_Atomic uint32_t slow; /* enum m_slow, and M_FENCED: not 0, look closer */
	struct p *oldp;        /* left attached at goad_block_begin; see p->blocked_m */
	struct g *curg;        /* NULL: on g0 */
	void *g0_sp;           /* g0's context while a coroutine runs */
	enum after after;
	struct g *after_g;
	goad__commit_fn *commit;
	void *commit_arg;
	bool spinning;      /* looks for work, counted in sched.nmspinning */
	bool leaving;       /* runs no coroutine any more: ends, or M0 waits for the end */
	struct g *locked_g; /* the only coroutine that it runs: sched/lockthread.c */

	/* Parking.  [ord:m-park] nextp is stored before park becomes PARK_GO (release) and
	 * read after it was seen (acquire).  PARK_GO is set by whoever took this M off the
	 * idle list or took its bound coroutine out of a queue: exactly one.  PARK_ELSEWHERE is
	 * set and taken back by the M itself: it sleeps where another source of work can wake
	 * it, not on this word. */
	_Atomic uint32_t park GOAD__ALIGNED;
	_Atomic (struct p *) nextp;
	struct m *idle_next; /* under sched.lock: of the idle, the ended or the free ones */
	enum m_life life;    /* the same */
	bool patient;        /* the same: idle, and sleeps without a deadline */

	/* Retaken: it runs without the P that it had, and nobody was told. */
	struct goad__self *self; /* where its pins are */
	_Atomic bool loose;      /* set by sysmon in TAKEN, cleared by the M when it is back */
	_Atomic bool wanted;     /* sysmon has seen it run, and sent a signal */
	bool listed;             /* this and the next three are sysmon's */
	struct m *loose_next;
	uint64_t loose_cpu, loose_at;  /* the thread's CPU clock at the last look, and when */
	_Atomic long call;             /* the system call it was found in, -1: none, and its first */
	_Atomic uint64_t call_arg;     /* argument: the address of a futex is the lock */
	_Atomic uint64_t computed_at;  /* it was in no system call then, or later; 0: not seen yet */
	_Atomic uint64_t signalled_at; /* a slice was asked to end; 0: the signal has come */

	_Atomic int tid;
	int id;
	struct g *halted_g;        /* its coroutine while the world is stopped */
	uint64_t halt_ran;         /* ... and what it has run of its slice     */
	void *frame;               /* goad__frame of a coroutine that is being judged */
	const ucontext_t *stopped; /* where g->place is AT_SIGNAL                       */
	void *g0_stack;            /* NULL: M0, whose g0 is its caller's */
	void *altstack;
	size_t altstack_size;
	stack_t old_altstack;
	sigset_t old_mask;
	pthread_t thread;
	uint64_t rng;
	struct goad__san san;
	struct m *all_next;
	void *cxa;            /* this thread's C++ handler state, or NULL */
	_Atomic bool walking; /* its own: it walks a stack */
	struct sample sample[SAMPLE_ASKERS];
};

#endif
