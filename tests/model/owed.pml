/* SPDX-License-Identifier: MIT */
/* owed.pml - a wake-up that is owed is given in the end, by somebody
 *
 *	goad__owe                     lib/sched/owed.c   owe () here
 *	goad__pay, goad__collect      lib/sched/owed.c   the owner's end; collect ()
 *	goad__sched_wake              lib/sched/idle.c   wake ()
 *	goad__idle, goad__idle_park   lib/sched/idle.c   M2
 *	begin, look, end, stop        sysmon/owed.c      sysmon
 *
 * One P runs a coroutine that readies another, and then leaves, so that it is run there, or
 * computes for ever.  The other P has an M that looks for work, goes idle and is woken.
 * sysmon lets wake-ups be owed for a while, and stops at any time; it may never look again
 * after that.  When nothing moves any more, nobody may wait in runnext beside an idle P
 * while the other computes.
 *
 * A section under sched.lock is one atomic step.  The processor's reordering is not in
 * the model but for the two broken variants that are about it.
 *
 * Wrong, each in its own way:
 *	READ_FIRST     who owes reads `owing` before it stores the debt
 *	NO_LAST_LOOK   sysmon does not look at the debts after it has cleared `owing`
 *	NO_FENCE       it looks before the store to `owing` is seen
 *	ANY_NUMBER     sysmon clears whatever is owed, and not the debt that it has seen, and
 *	               wakes before it does so
 *	WAKE_FIRST     who may not owe wakes, and takes the debt back after that: who goes idle
 *	               in between passes over it
 */
/* broken: -DREAD_FIRST -DNO_LAST_LOOK -DNO_FENCE -DANY_NUMBER -DWAKE_FIRST */

#define ROUNDS 3

bool runnext;      /* somebody is in it */
byte owed;         /* the number of the debt */
byte number;
bool owing;
bool pidle;        /* the second P */
bool midle;        /* and its M sleeps */
bool told;         /* to go */
byte nmspinning = 1;
bool computes;     /* the owner, for ever */
bool sysmon_gone;

inline wake ()
{
	atomic {
		if
		:: pidle && nmspinning == 0 ->
			/* wake_one: under the lock */
			if
			:: midle -> nmspinning = 1; pidle = false; midle = false; told = true
			:: else -> skip /* it is on its way to sleep, and looks again under the lock */
			fi
		:: else -> skip
		fi
	}
}

inline collect (seen)
{
#ifdef ANY_NUMBER
	wake ();
	owed = 0
#else
	bool done;
	atomic { done = (owed == seen && seen != 0); if :: done -> owed = 0 :: else -> skip fi }
	if :: done -> wake () :: else -> skip fi
#endif
}

active proctype owner ()
{
	byte round;
	bool may, on;

	for (round : 1 .. ROUNDS) {
		/* goad__ready; runnext is empty */
		owed = 0;
		runnext = true;
		if
		:: /* it is trusted */
#ifdef READ_FIRST
			on = owing;
			number++;
			if :: on -> owed = number :: else -> wake () fi
#else
			number++;
			owed = number;
			on = owing;
			if
			:: on -> skip
#ifdef WAKE_FIRST
			:: else -> wake (); owed = 0
#else
			:: else -> owed = 0; wake ()
#endif
			fi
#endif
		:: wake () /* it is not */
		fi;
		if
		:: /* it leaves: the other is run here, if nobody has taken it */
			atomic { may = runnext; runnext = false };
			owed = 0
		:: break
		fi
	}
	computes = true
}

active proctype M2 ()
{
looks:
	/* spinning: it takes from runnext if nothing is owed */
	if
	:: atomic { runnext && owed == 0 -> runnext = false }; nmspinning = 0; goto runs
	:: skip
	fi;
	pidle = true;
	nmspinning--;
	atomic { /* idle_park, under the lock */
		if
		:: runnext && owed == 0 && pidle -> pidle = false; nmspinning++; goto looks
		:: else -> midle = true
		fi
	};
end_sleeps:
	atomic { told -> told = false };
	goto looks;
runs:
	/* its coroutine ends */
	nmspinning++;
	goto looks
}

active proctype sysmon ()
{
	byte seen, last, turns;

	owing = true;
	do
	:: turns < 2 ->
		turns++;
		seen = owed;
		if
		:: seen != 0 && seen == last -> collect (seen)
		:: else -> skip
		fi;
		last = seen
	:: break
	od;
#ifdef NO_FENCE
	seen = owed;
	owing = false;
	collect (seen);
#else
	owing = false;
#ifndef NO_LAST_LOOK
	seen = owed;
	collect (seen);
#endif
#endif
	sysmon_gone = true
}

/* Nothing moves any more. */
active proctype judge ()
{
end_waits:
	timeout -> assert (!(computes && sysmon_gone && runnext && pidle && midle))
}
