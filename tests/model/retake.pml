/* SPDX-License-Identifier: MIT */
/* retake.pml - sysmon takes the P of a thread asleep in the kernel, which may wake up
 *
 *	goad__retake          lib/sched/retake.c  sysmon ()
 *	goad__pin, goad__settle, _slow            enter ()
 *	goad__need_p          lib/sched/block.c   need_p ()
 *	publish               lib/sched/retake.c  the end of sysmon's turn
 *
 * One P, a thread that has it, sysmon, and another M that runs on the P when sysmon has
 * taken it and gives it up at once.  The thread sleeps, or runs user code, as it likes; enters the
 * runtime ENTRIES times, there uses its P in two steps, and leaves.  Sysmon tries TRIES times.
 * At no time two may use the P; nobody may use one that it has not; and all come to
 * their ends.  TAKEN is reached only while the thread has its P.
 *
 * The thread's pin goes through a store buffer: memory has it some time later, at the
 * latest at the thread's next locked instruction, when it sleeps, or when sysmon's membarrier
 * comes by.  Its loads do not wait for it.
 *
 * Wrong, each in its own way:
 *	NO_MEMBARRIER   sysmon fences for itself only
 *	NO_SECOND_LOOK  it does not look at the pins after the barrier
 *	NO_CHECK        who enters does not look at slow
 *	LOOK_FIRST      who enters looks at slow before it pins
 *	PLAIN_TAKE      ASKED becomes TAKEN by a store: a refusal is overwritten
 *	NO_WAIT         who meets TAKEN goes on
 *	EARLY_PUBLISH   NO_P is stored before the P is out of the thread's hands
 *	NO_WAKE         who waits for TAKEN to end is not woken
 */
/* cc: -DCOLLAPSE */
/* broken: -DNO_MEMBARRIER -DNO_SECOND_LOOK -DNO_CHECK -DLOOK_FIRST -DPLAIN_TAKE -DNO_WAIT -DEARLY_PUBLISH -DNO_WAKE */

#ifndef ENTRIES
#define ENTRIES 3
#endif
#ifndef TRIES
#define TRIES 2
#endif

mtype = { HAS_P, NO_P, ASKED, TAKEN };

mtype slow = HAS_P;
bool has = true;        /* m->p */
bool pin, buffered;     /* in memory; on its way there */
bool waits;             /* in the futex of slow */
bool idle;              /* the P is on the idle list */
byte users;             /* that touch the P now */
bool sysmon_done, thread_done;

inline flush ()
{
	if
	:: buffered -> buffered = false; pin = true
	:: else
	fi
}

/* goad__need_p, after the thread has settled: the idle P, as soon as there is one. */
inline need_p ()
{
	atomic { idle -> idle = false; has = true; slow = HAS_P; flush () }
}

inline settle (w)
{
	do
	:: true ->
		w = slow;
		if
		:: w == TAKEN ->
#ifdef NO_WAIT
			break
#else
			/* FUTEX_WAIT compares and sleeps in one step. */
			atomic {
				flush ();
				if
				:: slow == TAKEN -> waits = true
				:: else
				fi
			}
			!waits
#endif
		:: w == ASKED ->
			atomic {
				flush ();
				if
				:: slow == ASKED -> slow = HAS_P; w = HAS_P
				:: else -> skip
				fi
			}
			if
			:: w == HAS_P -> break
			:: else
			fi
		:: else -> break
		fi
	od
}

inline enter (w)
{
#ifdef LOOK_FIRST
	settle (w);
	buffered = true;
#else
	buffered = true;
#ifndef NO_CHECK
	settle (w);
#endif
#endif
}

proctype thread ()
{
	byte n;
	mtype w;

	do
	:: n < ENTRIES ->
		n++;
		/* Out of the runtime, asleep or not: sysmon may do as it likes. */
		enter (w);
		if
		:: !has -> need_p ()
		:: else
		fi;
		atomic { assert (has); users++; assert (users == 1) }
		atomic { users--; assert (has) }
		/* It may give its P up, with all it takes, and get it again: goad__release_p. */
		if
		:: true
		:: atomic { true -> flush (); has = false; slow = NO_P; idle = true };
			need_p ()
		fi;
		/* The pin is out of the buffer before the unpin is. */
		atomic { buffered = false; pin = false }
	:: else -> break
	od;
	/* It ends, and leaves its P, if it has one. */
	enter (w);
	atomic {
		flush ();
		if
		:: has -> has = false; slow = NO_P; idle = true
		:: else
		fi;
		thread_done = true
	}
}

/* The store buffer's own time. */
active proctype buffer ()
{
end_buffer:
	do
	:: atomic { buffered -> flush () }
	od
}

active proctype sysmon ()
{
	byte n;
	bool saw;

	do
	:: n < TRIES ->
		n++;
		saw = false;
		atomic {
			if
			:: !pin && slow == HAS_P -> slow = ASKED; saw = true
			:: else
			fi
		}
		if
		:: !saw -> goto next
		:: else
		fi;
#ifndef NO_MEMBARRIER
		atomic { flush () }
#endif
#ifndef NO_SECOND_LOOK
		if
		:: pin ->
			atomic {
				if
				:: slow == ASKED -> slow = HAS_P
				:: else
				fi
			}
			goto next
		:: else
		fi;
#endif
#ifdef PLAIN_TAKE
		slow = TAKEN;
#else
		atomic {
			if
			:: slow == ASKED -> slow = TAKEN
			:: else -> saw = false
			fi
		}
		if
		:: !saw -> goto next
		:: else
		fi;
#endif
		/* Its P is sysmon's.  With one P it is the one that was meant; the code compares. */
		assert (has);
#ifdef EARLY_PUBLISH
		slow = NO_P; waits = false;
#endif
		atomic { users++; assert (users == 1) }
		has = false;
		users--;
#ifndef EARLY_PUBLISH
		slow = NO_P;
#ifndef NO_WAKE
		waits = false;
#endif
#endif
		/* goad__hand_over: another M runs on it for a while, and leaves it idle. */
		atomic { users++; assert (users == 1) }
		atomic { users--; idle = true }
next:		skip
	:: else -> break
	od;
	sysmon_done = true
}

init
{
	run thread ();
	timeout;
	assert (thread_done && sysmon_done && idle)
}
