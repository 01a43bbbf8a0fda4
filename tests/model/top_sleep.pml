/* SPDX-License-Identifier: MIT */
/* top_sleep.pml - the thread that writes the page of GOAD_TOP sleeps only while nothing runs,
 * shows before that what the last work has come to, and wakes for the end
 *
 *	top_run           lib/runtime/top.c   writer ()
 *	settle            lib/runtime/top.c   settle ()
 *	look              lib/runtime/top.c   look ()
 *	goad__top_end     lib/runtime/top.c   top_end ()
 *	goad__top_wake    lib/sched/sched.h   top_wake ()
 *	goad__pidle_get   lib/sched/idle.c    who runs: takes a P
 *	goad__pidle_put   lib/sched/idle.c    who runs: gives it back
 *
 * Two who run, each with a P for itself, that take it, do a piece of work, which may last for
 * ever, and give it back, SPELLS times, and stay idle then.  The end comes at any time, or when
 * nothing moves any more.  Then the writer sleeps, all Ps are idle, and the page says so and
 * shows all the work; and in any case the writer ends.
 *
 * A section under sched.lock is one atomic step; a futex's wait compares and sleeps in one.
 * The pause between two looks lasts as long as it likes.  The word itself, top_asleep, is
 * changed under the lock only; the writer's look at it without the lock may be late, and
 * the futex makes up for it.  The end's store of `stop` reaches the writer with the lock, if not
 * before: END_UNLOCKED lets it be late, as a store buffer may.
 *
 * Wrong, each in its own way:
 *	UNLOCKED      the look at the idle Ps and the word are two steps
 *	SHOW_FIRST    the page is written before the word is set
 *	NO_CLEAR      who takes a P wakes the writer, and leaves the word as it is
 *	NO_WAKE       it clears the word, and does not wake
 *	STOP_LATE     the end wakes the writer, and then says why
 *	END_UNLOCKED  the end looks at the word without the lock
 */
/* cc: -O0 -DSAFETY */
/* pan: -w18 */
/* broken: -DUNLOCKED -DSHOW_FIRST -DNO_CLEAR -DNO_WAKE -DSTOP_LATE -DEND_UNLOCKED */

#ifndef SPELLS
#define SPELLS 2
#endif
#define NP 2

byte npidle = NP;
bool asleep;          /* sched.top_asleep */
bool sleeps;          /* the writer, in the futex of that */
bool stop;
bool ended;           /* the writer */
byte work, shown;     /* pieces that are done; that the page shows */
bool quiet;           /* the page */

inline top_wake ()
{
	if
	:: asleep ->
#ifndef NO_CLEAR
		asleep = false;
#endif
#ifndef NO_WAKE
		sleeps = false
#endif
	:: else
	fi
}

active [NP] proctype runs ()
{
	byte n;

	do
	:: n < SPELLS ->
		atomic { npidle--; top_wake (); n++ };
		atomic {
			work++;
			if
			:: true
			:: true ->
end_hog:			false
			fi
		}
		atomic { npidle++ }
	:: break
	od
}

inline settle ()
{
#ifdef UNLOCKED
	idle = (npidle == NP);
	asleep = idle
#else
	atomic { idle = (npidle == NP); asleep = idle }
#endif
}

inline look ()
{
	atomic { shown = work; quiet = idle }
}

active proctype writer ()
{
	bool idle;

	do
	:: stop -> break
	:: else ->
#ifdef SHOW_FIRST
		atomic { idle = (npidle == NP) };
		look ();
		settle ();
#else
		settle ();
		look ();
#endif
		do
		:: !idle || stop || !asleep -> break
		:: else ->
			atomic {
				if
				:: asleep -> sleeps = true
				:: else
				fi
			}
			!sleeps
		od
		/* The pause, of which nothing depends. */
	od;
	ended = true
}

inline top_end ()
{
#ifdef END_UNLOCKED
	if
	:: asleep -> asleep = false; sleeps = false
	:: else
	fi;
	stop = true;
#else
#ifdef STOP_LATE
	atomic { top_wake () };
	stop = true;
#else
	stop = true;
	atomic { top_wake () };
#endif
#endif
	ended
}

init
{
	if
	:: true
	:: true ->
		timeout;
		assert (sleeps && npidle == NP && quiet && shown == work)
	fi;
	top_end ()
}
