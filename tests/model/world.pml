/* SPDX-License-Identifier: MIT */
/* world.pml - stopping the world against those who run, idle, hand off and are woken
 *
 *	goad__world_stop, raise_flag  lib/sched/world.c  stop () here
 *	goad__world_take              lib/sched/world.c  taken ()
 *	goad__world_halt              lib/sched/world.c  halt ()
 *	goad__world_start, hand_out   lib/sched/world.c  start ()
 *	goad__idle, goad__pidle_put   lib/sched/idle.c   idle ()
 *	wake_one, goad__m_give        lib/sched/idle.c   wake (), and m->park is the word
 *	goad__preempt_poll, act       lib/preempt/       what looks at the flag: run ()
 *
 * Two Ps, three Ms, two stoppers that are threads of their own, and one turn each; one of
 * them may give up before all is stopped.  An M
 * without a P sleeps; one with a P runs a coroutine or is on g0.  A signal is the choice to
 * look at the flag, at any moment; the stopper repeats it, so whoever runs looks at last.
 * A section under sched.lock is one atomic step; the flag is also read outside.
 *
 * While the world is stopped nobody runs, and each P has been counted once; afterwards each
 * P is an M's, or on the idle list, or on its way.  Who halted goes on.  Nobody sleeps for
 * ever beside an idle P that was promised to him: the end states say so.
 *
 * Wrong, each in its own way:
 *	TRUST_FLAG    halt () goes by the flag as it was read before the lock
 *	COUNT_IDLE    raise_flag leaves idle Ps on their list, where a waker finds them
 *	COUNT_STATE   raise_flag counts the Ps that run, not those on their way to an M
 *	KEEP_IDLE     a P that goes idle is put on the list although the world stops
 *	NO_TURN       the second stopper does not wait for the first
 */
/* cc: -DCOLLAPSE */
/* broken: -DTRUST_FLAG -DCOUNT_IDLE -DCOUNT_STATE -DKEEP_IDLE -DNO_TURN */

#define NP 2
#define NM 3
#define NS 2
#define NONE 7

byte p_of[NM];         /* m->p                                          */
byte nextp[NM];        /* m->nextp, with m->park                        */
bool park[NM];
bool midle[NM];        /* the list of idle Ms                           */
bool pidle[NP];        /* the list of idle Ps                           */
bool stopped[NP];      /* P_STOPPED                                     */
byte halted[NP];       /* p->halted                                     */
bool runs[NM];         /* a coroutine of the program is on it           */
bool flag;             /* sched.stop                                    */
byte left;             /* sched.stop_left                               */
bool all_stopped;      /* sched.stopped, the futex                      */
bool busy;             /* sched.world_busy                              */
bool world;            /* ghost: a stopper believes that all is stopped */
byte turns;            /* ghost: stops that are over                    */

/* goad__world_take, under lock */
inline taken (p)
{
	stopped[p] = true;
	assert (left > 0);
	left--;
	if
	:: left == 0 -> all_stopped = true
	:: else
	fi
}

/* Until somebody gives it a P. */
inline wait (me)
{
	skip;
end_asleep:
	park[me];
	atomic {
		park[me] = false;
		assert (p_of[me] == NONE);
		p_of[me] = nextp[me];
		nextp[me] = NONE
	}
}

inline halt (me, p)
{
	atomic {
		if
#ifdef TRUST_FLAG
		:: true ->
#else
		:: flag ->
#endif
			p = p_of[me];
			halted[p] = me;
			p_of[me] = NONE;
			runs[me] = false;
			taken (p)
		:: !flag -> p = NONE
		fi
	}
	if
	:: p != NONE ->
		wait (me);
		atomic { assert (!world); runs[me] = true; p = NONE }
	:: else
	fi
}

/* On g0 with nothing found, or with the flag seen. */
inline idle (me, p)
{
	atomic {
		p = p_of[me];
		p_of[me] = NONE;
		if
#ifndef KEEP_IDLE
		:: flag -> taken (p)
		:: !flag -> pidle[p] = true
#else
		:: true -> pidle[p] = true
#endif
		fi;
		midle[me] = true;
		p = NONE
	}
	wait (me)
}

/* wake_one: new work, from this M's coroutine. */
inline wake (p, m)
{
	atomic {
		p = NONE;
		m = NONE;
		if
		:: pidle[0] && (midle[0] || midle[1] || midle[2]) -> p = 0
		:: pidle[1] && (midle[0] || midle[1] || midle[2]) -> p = 1
		:: else
		fi;
		if
		:: p != NONE && midle[0] -> m = 0
		:: p != NONE && midle[1] -> m = 1
		:: p != NONE && midle[2] -> m = 2
		:: else
		fi;
		if
		:: p != NONE -> pidle[p] = false; midle[m] = false
		:: else
		fi
	}
	/* The P is on its way, and in no list. */
	if
	:: p != NONE -> atomic { nextp[m] = p; park[m] = true }
	:: else
	fi;
	atomic { p = NONE; m = NONE }
}

proctype M (byte me)
{
	byte p = NONE, m = NONE;
	bool seen;

	if
	:: p_of[me] == NONE -> wait (me)
	:: else
	fi;
	do
	:: /* g0 looks at the flag, and then for work */
		assert (p_of[me] != NONE && !runs[me]);
		seen = flag;
		if
		:: seen -> idle (me, p)
		:: !seen -> idle (me, p)        /* nothing found */
		:: !seen ->
			atomic { runs[me] = true; seen = false };
			do
			:: wake (p, m)
			:: flag || turns == NS -> /* a signal, or a call into goad */
				if
				:: flag -> halt (me, p)
				:: else
				fi
			:: true -> runs[me] = false; break
			od
		fi;
		seen = false
	od
}

proctype S (bool patient)
{
	byte i;

	/* take_turn */
#ifndef NO_TURN
	atomic { !busy -> busy = true };
#endif
	/* raise_flag */
	atomic {
		left = NP;
		i = 0;
		do
		:: i < NP ->
			if
#ifdef COUNT_IDLE
			:: pidle[i] -> left--
#else
			:: pidle[i] -> pidle[i] = false; stopped[i] = true; left--
#endif
#ifdef COUNT_STATE
			:: !pidle[i] && p_of[0] != i && p_of[1] != i && p_of[2] != i -> left--
			:: !pidle[i] && (p_of[0] == i || p_of[1] == i || p_of[2] == i)
#else
			:: else
#endif
			fi;
			i++
		:: else -> break
		od;
		flag = true;
		all_stopped = (left == 0);
		i = 0
	}
	if
	:: all_stopped ->
		atomic { assert (!world); world = true };
		assert (!runs[0] && !runs[1] && !runs[2]);
		assert (p_of[0] == NONE && p_of[1] == NONE && p_of[2] == NONE)
	:: !patient && !all_stopped -> skip /* its deadline has passed */
	fi;
	/* goad__world_start */
	atomic {
		assert (!world || (!runs[0] && !runs[1] && !runs[2]));
		world = false;
		flag = false;
		all_stopped = false;
		i = 0;
		do
		:: i < NP ->
			if
			:: stopped[i] && halted[i] != NONE ->
				assert (!park[halted[i]]);
				nextp[halted[i]] = i;
				park[halted[i]] = true;
				halted[i] = NONE;
				stopped[i] = false
			:: stopped[i] && halted[i] == NONE -> pidle[i] = true; stopped[i] = false
			:: !stopped[i]
			fi;
			i++
		:: else -> break
		od;
		turns++;
		busy = false;
		i = 0
	}
}

init
{
	atomic {
		p_of[0] = 0;
		p_of[1] = NONE;
		p_of[2] = NONE;
		nextp[0] = NONE;
		nextp[1] = NONE;
		nextp[2] = NONE;
		midle[1] = true;
		midle[2] = true;
		pidle[1] = true;
		halted[0] = NONE;
		halted[1] = NONE;
		run M (0);
		run M (1);
		run M (2);
		run S (true);
		run S (false)
	}
	timeout;
	/* Nobody moves: both stoppers are through, and nobody waits where he halted. */
	assert (turns == NS && halted[0] == NONE && halted[1] == NONE)
}
