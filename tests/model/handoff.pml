/* SPDX-License-Identifier: MIT */
/* handoff.pml - hand-off in the signal handler against whoever resumes that M
 *
 *	goad__handoff_in_handler  lib/sched/handoff.c  handoff () here
 *	goad__handoff_resume      lib/sched/handoff.c  resume ()
 *	goad__m_give, goad__m_wait lib/sched/idle.c    give (), wait ()
 *	goad__idle_park           lib/sched/idle.c     park ()
 *	goad__futex_wait, _wake   lib/base/futex.h     the kernel's half is in wait ()
 *
 * Two Ps, three coroutines, three Ms; each coroutine is handed off up to TURNS times, at
 * any moment.  The one that is handed off is runnable, bound to its M, in the queue.
 * Who takes it out gives its P to that M, and parks.  An M has
 * one P at most, a coroutine goes on only on the M it is bound to, and only with a P.  In the
 * end all coroutines have finished: a wake-up that is lost shows as an M that sleeps.
 *
 * A section under sched.lock is one atomic step.
 *
 * Wrong, each in its own way:
 *	WAIT_BLINDLY  futex_wait sleeps without comparing the word
 *	CLEAR_FIRST   m_wait clears the word before it waits, not after
 *	WAKE_FIRST    m_give wakes before it sets the word
 *	RUN_BOUND     the scheduler runs a bound coroutine on its own M
 *	BIND_LATE     the handler binds the coroutine after it has queued it, not in the same
 *	              locked section: who takes it out meanwhile runs it
 */
/* cc: -DCOLLAPSE */
/* broken: -DWAIT_BLINDLY -DCLEAR_FIRST -DWAKE_FIRST -DRUN_BOUND -DBIND_LATE */

#ifndef TURNS
#define TURNS 1
#endif
#define NM 3
#define NG 3
#define NONE 7

byte p_of[NM];         /* m->p                                       */
bool queued[NG];       /* the queue: any of them may be next         */
byte bound[NG] = NONE;
byte runs_on[NG] = NONE;
bool finished[NG];
byte turns[NG];
bool midle[NM];        /* the idle list                              */
bool word[NM];         /* m->park                                    */
bool sleeps[NM];       /* in the kernel, on m->park                  */
byte nextp[NM];

/* goad__m_give */
inline give (to, p)
{
	nextp[to] = p;
#ifdef WAKE_FIRST
	sleeps[to] = false;
	word[to] = true
#else
	word[to] = true;
	sleeps[to] = false      /* FUTEX_WAKE: nothing, if it does not sleep yet */
#endif
}

/* goad__m_wait */
inline wait (me)
{
#ifdef CLEAR_FIRST
	word[me] = false;
#endif
	do
	:: word[me] -> break
	:: !word[me] ->
		/* FUTEX_WAIT: under the kernel's lock it compares, and sleeps. */
#ifdef WAIT_BLINDLY
		sleeps[me] = true;
#else
		atomic {
			if
			:: !word[me] -> sleeps[me] = true
			:: else
			fi
		}
#endif
end_asleep:
		!sleeps[me]
	od;
	atomic {
#ifndef CLEAR_FIRST
		word[me] = false;
#endif
		if
		:: nextp[me] != NONE ->
			assert (p_of[me] == NONE);
			p_of[me] = nextp[me];
			nextp[me] = NONE
		:: else
		fi
	}
}

/* On the idle list until somebody gives it a P. */
inline park (me)
{
	atomic { midle[me] = true };
	wait (me)
}

/* An idle M for the P, else one that waits with a coroutine, which comes with it. */
inline choose (to)
{
	to = NONE;
	if
	:: midle[0] -> midle[0] = false; to = 0
	:: midle[1] -> midle[1] = false; to = 1
	:: midle[2] -> midle[2] = false; to = 2
	:: queued[0] && bound[0] != NONE -> queued[0] = false; to = bound[0]
	:: queued[1] && bound[1] != NONE -> queued[1] = false; to = bound[1]
	:: queued[2] && bound[2] != NONE -> queued[2] = false; to = bound[2]
	:: else
	fi
}

/* The signal handler on M me, in g.  Nobody waits or no M: goes on. */
inline handoff (me, g, to, p)
{
	atomic {
		if
		:: queued[0] || queued[1] || queued[2] -> choose (to)
		:: else -> to = NONE
		fi;
		if
		:: to != NONE ->
			turns[g]++;
#ifndef BIND_LATE
			bound[g] = me;
#endif
			runs_on[g] = NONE;
			queued[g] = true;
			p = p_of[me];
			p_of[me] = NONE
		:: else
		fi
	}
	if
	:: to != NONE ->
#ifdef BIND_LATE
		bound[g] = me;
#endif
		give (to, p);
		wait (me);
		/* resume_here */
		atomic {
			assert (p_of[me] != NONE && bound[g] == me && runs_on[g] == NONE && !queued[g]);
			bound[g] = NONE;
			runs_on[g] = me;
			to = 0;
			p = 0
		}
	:: else
	fi
}

/* M me has taken g out of the queue, which waits with another M. */
inline resume (me, g, to, p)
{
	atomic { to = bound[g]; p = p_of[me]; p_of[me] = NONE };
	give (to, p);
	atomic { to = 0; p = 0 }
}

inline run_it (me, g, to, p)
{
	atomic {
		assert (p_of[me] != NONE && runs_on[g] == NONE && !finished[g]);
		assert (bound[g] == NONE);
		runs_on[g] = me
	}
	do
	:: turns[g] < TURNS -> handoff (me, g, to, p)
	:: true ->
		atomic {
			assert (p_of[me] != NONE && runs_on[g] == me);
			finished[g] = true;
			runs_on[g] = NONE;
			break
		}
	od
}

proctype M (byte me)
{
	byte g, to, p;

	do
	:: true ->
		if
		:: p_of[me] == NONE -> park (me)
		:: else
		fi;
		assert (p_of[me] != NONE);
		atomic {
			if
			:: queued[0] -> queued[0] = false; g = 0
			:: queued[1] -> queued[1] = false; g = 1
			:: queued[2] -> queued[2] = false; g = 2
			:: else -> p_of[me] = NONE; g = NONE
			fi
		}
		if
		:: g == NONE -> skip
#ifndef RUN_BOUND
		:: g != NONE && bound[g] != NONE -> resume (me, g, to, p)
		:: g != NONE && bound[g] == NONE -> run_it (me, g, to, p)
#else
		:: g != NONE -> run_it (me, g, to, p)
#endif
		fi;
		g = 0
	od
}

init
{
	atomic {
		queued[0] = true;
		queued[1] = true;
		queued[2] = true;
		nextp[0] = NONE;
		nextp[1] = NONE;
		nextp[2] = NONE;
		p_of[0] = 0;
		p_of[1] = 1;
		p_of[2] = NONE;
		run M (0);
		run M (1);
		run M (2)
	}
	timeout;
	assert (finished[0] && finished[1] && finished[2])
}
