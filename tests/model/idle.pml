/* SPDX-License-Identifier: MIT */
/* idle.pml - Ms going to sleep against new work: no coroutine waits beside an idle P
 *
 *	goad__sched_wake    lib/sched/idle.c   sched_wake () here
 *	goad__idle          lib/sched/idle.c   go_idle ()
 *	goad__idle_park     lib/sched/idle.c   idle_park ()
 *	goad__find, goad__steal                M's loop
 *
 * Two Ps, NM Ms, two coroutines from outside (the global queue), and two that running
 * ones spawn (their P's own queue).  A coroutine runs for ever or ends, as it likes.
 * When nothing moves any more, no work may be left while a P is idle.
 *
 * A section under sched.lock is one atomic step.  Promela's memory is sequentially
 * consistent: every step stands for one with its full fence.  NO_FENCE lets the
 * submitter's reads pass its queueing, as a processor may without the fence.  No new
 * thread comes to the rescue: it is as at max_threads.
 *
 * Wrong, each in its own way:
 *	NO_RECHECK       who goes to sleep does not look again after it has left nmspinning
 *	NO_FENCE         the submitter does not fence between its queue and what it reads
 *	SPINNERS_ONLY    an M that did not spin does not look again.  The spinner finds
 *	                 something else, wakes nobody as no P is idle yet, and then this M
 *	                 makes its P idle.  (Go's sched.needspinning is there for this.)
 *	BEFORE_THE_LOCK  it looks before it takes the lock to park: a submitter that comes
 *	                 between finds an idle P and no M for it
 *	LEAVE_UNLOCKED   a submitter that found no P or no M leaves nmspinning after the
 *	                 lock: another, told meanwhile that one is looking, relies on it
 */
/* cc: -DCOLLAPSE */
/* broken: -DNO_RECHECK -DNO_FENCE -DSPINNERS_ONLY -DBEFORE_THE_LOCK -DLEAVE_UNLOCKED */

#ifndef NM
#define NM 3
#endif
#ifndef SPAWNS
#define SPAWNS 1
#endif
#define NP 2
#define NONE 7

byte global_queue;
byte queue[NP];
byte spawns = SPAWNS;     /* that may still happen */
byte npidle, nmspinning;
bool pidle[NP];       /* the idle Ps */
bool midle[NM];       /* the parked Ms */
byte nextp[NM];
bool park[NM], given_spin[NM];

#define WORK (global_queue + queue[0] + queue[1] > 0)

inline pidle_get (p)
{
	if
	:: pidle[0] -> pidle[0] = false; npidle--; p = 0
	:: !pidle[0] && pidle[1] -> pidle[1] = false; npidle--; p = 1
	:: else -> p = NONE
	fi
}

inline pidle_put (p)
{
	pidle[p] = true;
	npidle++
}

/* wake_one: under the lock, an idle P and a parked M for it. */
inline find_both (p, i)
{
	atomic {
		pidle_get (p);
		i = NONE;
		if
		:: p != NONE ->
			i = 0;
			do
			:: i < NM && !midle[i] -> i++
			:: else -> break
			od;
			if
			:: i == NM -> i = NONE; pidle_put (p)
			:: else -> midle[i] = false
			fi
		:: else
		fi;
#ifndef LEAVE_UNLOCKED
		if
		:: i == NONE -> nmspinning--
		:: else
		fi
#endif
	}
}

/* told: what a reader without a fence may have seen before its work was in the queue. */
inline sched_wake (p, i, told)
{
	if
	:: told || npidle == 0
	:: else ->
		if
		:: atomic { nmspinning == 0 -> nmspinning = 1 };
			find_both (p, i);
			if
			:: i != NONE -> atomic { given_spin[i] = true; nextp[i] = p; park[i] = true }
			:: else ->
#ifdef LEAVE_UNLOCKED
				nmspinning--
#else
				skip
#endif
			fi
		:: nmspinning != 0
		fi
	fi;
	atomic { told = false; p = 0; i = 0 }
}

inline note_what_it_sees (told)
{
#ifdef NO_FENCE
	if
	:: told = (npidle == 0 || nmspinning != 0)
	:: told = false
	fi
#else
	told = false
#endif
}

inline take (q, got)
{
	atomic {
		if
		:: q > 0 -> q--; got = true
		:: else
		fi
	}
}

/* Waits for a P, or takes one at once if there is work for it after all.  looks: an M
 * that does not spin looks as well. */
inline idle_park (me, p, spinning, looks)
{
#ifdef BEFORE_THE_LOCK
	if
	:: looks && WORK ->
		atomic {
			pidle_get (p);
			if
			:: p != NONE -> spinning = true; nmspinning++
			:: else
			fi
		}
	:: else
	fi;
	looks = false;
#endif
	atomic {
		if
		:: p == NONE && looks && WORK ->
			pidle_get (p);
			if
			:: p != NONE -> spinning = true; nmspinning++
			:: else -> midle[me] = true
			fi
		:: p == NONE && !(looks && WORK) -> midle[me] = true
		:: else
		fi;
		looks = false
	}
	if
	:: p == NONE ->
end_parked:
		atomic {
			park[me] -> park[me] = false;
			p = nextp[me]; nextp[me] = 0;
			spinning = given_spin[me]; given_spin[me] = false
		}
	:: else
	fi
}

inline go_idle (me, p, spinning, looks)
{
	atomic {
		if
		:: global_queue > 0 -> skip
		:: else -> pidle_put (p); p = NONE
		fi
	}
	if
	:: p == NONE ->
		atomic {
			looks = true;
#ifdef SPINNERS_ONLY
			looks = spinning;
#endif
#ifdef NO_RECHECK
			looks = false;
#endif
			if
			:: spinning -> spinning = false; nmspinning--
			:: else
			fi
		}
		/* Without a P it parks, at the top of M's loop. */
	:: else
	fi
}

/* A coroutine on p: spawns, and ends or runs for ever. */
inline run_one (p, wp, wi, told)
{
	do
	:: atomic { spawns > 0 -> spawns-- };
		note_what_it_sees (told);
		queue[p]++;
		sched_wake (wp, wi, told)
	:: break
	od;
	if
	:: skip
	:: true ->
end_hog:
		false
	fi
}

proctype M (byte me; byte p)
{
	byte wp, wi;
	bool spinning, got, told, looks;

	do
	:: true ->
		if
		:: p == NONE -> idle_park (me, p, spinning, looks)
		:: else
		fi;
		atomic { take (queue[p], got) }
		if
		:: !got -> atomic { take (global_queue, got) }
		:: else
		fi;
		if
		:: !got ->
			/* may_spin: at most half as many as Ps are busy */
			atomic {
				if
				:: !spinning && 2 * nmspinning < NP - npidle -> spinning = true; nmspinning++
				:: else
				fi
			}
			if
			:: spinning -> take (queue[1 - p], got)
			:: else
			fi
		:: else
		fi;
		if
		:: got && spinning ->
			/* stop_spinning */
			atomic { spinning = false; nmspinning-- }
			sched_wake (wp, wi, told)
		:: else
		fi;
		if
		:: got -> got = false; run_one (p, wp, wi, told)
		:: else -> go_idle (me, p, spinning, looks)
		fi
	od
}

proctype outside ()
{
	byte wp, wi;
	bool told;

	note_what_it_sees (told);
	global_queue++;
	sched_wake (wp, wi, told)
}

init
{
	byte i;

	atomic {
		run M (0, 0);
		run M (1, 1);
		i = 2;
		do
		:: i < NM -> run M (i, NONE); i++
		:: else -> break
		od;
		run outside ();
		run outside ()
	}
	timeout;
	assert (!WORK || npidle == 0)
}
