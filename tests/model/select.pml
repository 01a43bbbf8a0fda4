/* SPDX-License-Identifier: MIT */
/* select.pml - a wait that several may end: once, and after what it is given was written
 *
 *	goad__wait_claim    lib/wait/wait.h    claim () here
 *	goad__wait_done     lib/wait/wait.c    done ()
 *	commit, fire        lib/wait/wait.c    the waiter's next stack; deadline ()
 *	wait_for_one        lib/wait/select.c  waiter ()
 *	take, goad__chan_send, goad__chan_withdraw, goad_chan_destroy
 *	                    lib/wait/chan.c    sender ()
 *
 * One coroutine waits ROUNDS times on two channels with a deadline.  On each channel
 * somebody sends, if he finds the waiter, as often as he likes; the first destroys his
 * channel when nobody is in its queue and nobody will come there again, but the waiter may
 * still be about to leave.  The deadline comes at any time after it was set.
 *
 * State of the coroutine: RUNNING while it acts; PARKING from when its registers are saved
 * until the commit stands; PARKED then; READY when it was made runnable.  Only one who
 * finds it PARKED may ready it, and each wait readies it once or not at all.
 *
 * Wrong, each in its own way:
 *	NO_CLAIM         who ends the wait does not claim it: two values for one wait
 *	READY_ALWAYS     done readies although the waiter has not parked: it runs on a stack
 *	                 that is still in use
 *	COMMIT_BLIND     the commit does not look whether it is done already: it sleeps for ever
 *	DONE_EARLY       done before the value is written
 *	PARKED_EARLY     PARKED is added before the deadline is set: the waiter may be gone
 *	TAKE_LOSERS      who finds the wait claimed takes the record out: the channel is
 *	                 destroyed, and the waiter comes for its lock
 */
/* cc: -DCOLLAPSE */
/* broken: -DNO_CLAIM -DREADY_ALWAYS -DCOMMIT_BLIND -DDONE_EARLY -DPARKED_EARLY -DTAKE_LOSERS */

#ifndef ROUNDS
#define ROUNDS 2
#endif
#define NCH 2
#define DEADLINE 3

mtype = { RUNNING, PARKING, PARKED, READY };
mtype state = RUNNING;

bool claimed, is_done, is_parked; /* struct wait: claimed, and the two bits of word */
byte won;                         /* who ended it: channel + 1, or DEADLINE */
byte given;                       /* what was written for the waiter */
bool gone;                        /* *w is no more: the waiter has returned */
bool armed;                       /* the deadline is set */
bool queued[NCH], destroyed[NCH], lock[NCH];
byte round_;
bool last;                        /* the waiter has come for the last time */

inline claim (mine)
{
	atomic {
		assert (!gone);
#ifdef NO_CLAIM
		mine = true
#else
		mine = !claimed;
#endif
		claimed = true
	}
}

inline ready ()
{
	atomic { assert (state == PARKED); state = READY }
}

/* Adds DONE; the second of the two goes on. */
inline done (saw)
{
	atomic { assert (!gone && !is_done); is_done = true; saw = is_parked }
	if
#ifdef READY_ALWAYS
	:: ready ()
#else
	:: saw -> ready ()
	:: else
#endif
	fi
}

inline spin_lock (c)
{
	atomic { !lock[c] -> assert (!destroyed[c]); lock[c] = true }
}

inline spin_unlock (c)
{
	atomic { assert (!destroyed[c]); lock[c] = false }
}

proctype sender (byte c)
{
	bool mine, saw;

	do
	:: true -> break
	:: !destroyed[c] && round_ < ROUNDS ->
		spin_lock (c);
		mine = false;
		if
		:: queued[c] ->
			claim (mine);
			if
			:: mine -> queued[c] = false
			:: else ->
#ifdef TAKE_LOSERS
				queued[c] = false
#else
				skip
#endif
			fi
		:: else
		fi;
#ifndef DONE_EARLY
		if
		:: mine -> atomic { assert (!gone); won = c + 1; given++ }
		:: else
		fi;
#endif
		spin_unlock (c);
		if
		:: mine ->
			done (saw)
		:: else
		fi;
#ifdef DONE_EARLY
		if
		:: mine -> atomic { assert (!gone); won = c + 1; given++ }
		:: else
		fi;
#endif
		if
		:: c == 0 -> /* goad_chan_destroy: looks under the lock, frees after it */
			spin_lock (c);
			saw = queued[c] || !last;
			spin_unlock (c);
			if
			:: !saw -> destroyed[c] = true
			:: true
			fi
		:: else
		fi
	od
}

/* Runs whenever it is armed; sleep_cancel waits for it (atomic: the lock of the heap). */
proctype deadline ()
{
	bool mine;

	do
	:: atomic {
		armed && state != READY ->
		armed = false;
		assert (!gone);
		mine = !claimed;
		claimed = true;
		if
		:: mine ->
			won = DEADLINE;
			is_done = true;
			if
			:: is_parked -> assert (state == PARKED); state = READY
			:: else
			fi
		:: else
		fi
	   }
	:: round_ == ROUNDS -> break
	od
}

/* The next stack, when the waiter has left its own. */
proctype commit ()
{
	bool saw;

	do
	:: state == PARKING ->
#ifndef PARKED_EARLY
		atomic { assert (!gone); armed = true }
#endif
		atomic {
			assert (!gone);
			saw = is_done;
			is_parked = true;
			if
#ifdef COMMIT_BLIND
			:: state = PARKED
#else
			:: saw -> state = READY
			:: else -> state = PARKED
#endif
			fi
		}
#ifdef PARKED_EARLY
		atomic { assert (!gone); armed = true }
#endif
	:: round_ == ROUNDS -> break
	od
}

proctype waiter ()
{
	byte c;

	do
	:: round_ < ROUNDS ->
		atomic {
			claimed = false; is_done = false; is_parked = false;
			won = 0; given = 0; gone = false
		}
		/* Under all locks at once. */
		atomic {
			!lock[0] && !lock[1];
			assert (!destroyed[0]);
			queued[0] = true;
			queued[1] = true;
			last = (round_ == ROUNDS - 1)
		}
		state = PARKING;
		state == READY;
		atomic { state = RUNNING; armed = false } /* goad__sleep_cancel */
		assert (is_done);
		assert (won == DEADLINE && given == 0 || won != DEADLINE && won != 0 && given == 1);
		c = 0;
		do
		:: c < NCH && queued[c] ->
			spin_lock (c);
			queued[c] = false;
			spin_unlock (c);
			c++
		:: c < NCH && !queued[c] ->
#ifdef TAKE_LOSERS
			/* it cannot know without the lock that its record was taken out */
			if
			:: won != c + 1 -> spin_lock (c); spin_unlock (c)
			:: else
			fi;
#endif
			c++
		:: c == NCH -> break
		od;
		atomic { gone = true; round_++ }
	:: round_ == ROUNDS -> break
	od
}

init
{
	atomic {
		run waiter ();
		run commit ();
		run deadline ();
		run sender (0);
		run sender (1)
	}
}
