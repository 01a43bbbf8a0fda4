/* SPDX-License-Identifier: MIT */
/* mutex.pml - the word of a mutex: one owner, and no waiter is forgotten
 *
 *	try_lock, wait_in_queue, leave_queue   lib/wait/sync_mutex.c   locker ()
 *	try_unlock, wake_one                   lib/wait/sync_mutex.c   unlock ()
 *	take_over                              lib/wait/sync_mutex.c   at its end
 *
 * N lockers lock and unlock ROUNDS times.  Whether one that was woken has starved is
 * chance, and so is whether a deadline comes, for those that have one (the first
 * IMPATIENT).  An atomic step is one compare-and-swap, or one store of who has QUEUE.
 * The queue is a list of places; who is woken is told by the wait (select.pml).
 *
 * Wrong, each in its own way:
 *	WOKEN_STAYS      one that was woken and gives up leaves WOKEN set: no unlock wakes
 *	                 anybody any more
 *	FAST_BLIND       the fast unlock does not look at the flags
 *	QUEUE_FREE       who queues does not look whether the mutex is free by now
 *	UNLOCK_IN_QUEUE  unlock clears the owner while another has QUEUE, whose store brings
 *	                 it back
 *	STARVING_STAYS   the last in the queue leaves by its deadline, and leaves the mode and
 *	                 WAITERS behind: harmless if unlock puts it right (see wake_one), so
 *	                 this one also breaks that
 */
/* cc: -DCOLLAPSE */
/* broken: -DWOKEN_STAYS -DFAST_BLIND -DQUEUE_FREE -DUNLOCK_IN_QUEUE -DSTARVING_STAYS */

#ifndef N
#define N 3
#endif
#ifndef ROUNDS
#define ROUNDS 1
#endif
#define IMPATIENT 2
#define FREE 255

byte owner = FREE;
bool WAITERS, QUEUE, STARVING, WOKEN;

chan list = [N] of { byte };
byte w_s[N]; /* for turning the queue */
bool claimed[N], told[N], handed[N];
byte inside;

proctype locker (byte me)
{
	byte rounds, s, saw;
	bool woken, starved, waited, over, w_woken, w_starving;

	do
	:: rounds == ROUNDS -> break
	:: else ->
		woken = false; starved = false; waited = false; over = false;
again:
		if
		:: atomic { !QUEUE && owner == FREE ->
			owner = me;
			if
			:: woken -> WOKEN = false; woken = false
			:: else
			fi
		   }
		   goto got
		:: atomic { !QUEUE && owner != FREE && me < IMPATIENT ->
			/* the deadline has passed */
#ifndef WOKEN_STAYS
			if
			:: woken -> WOKEN = false
			:: else
			fi;
#endif
			woken = false
		   }
		   goto end
#ifdef QUEUE_FREE
		:: atomic { !QUEUE && owner != FREE -> skip }
		   atomic { !QUEUE -> QUEUE = true }
#else
		:: atomic { !QUEUE && owner != FREE -> QUEUE = true }
#endif
		fi;
		/* wait_in_queue: the word as it was seen, stored back with the flags */
		atomic {
			saw = owner;
			claimed[me] = false; told[me] = false; handed[me] = false;
			if
			:: waited -> /* at the front */
				s = len (list);
				list!me;
				do
				:: s > 0 -> list?w_s[me]; list!w_s[me]; s--
				:: else -> break
				od
			:: else -> list!me
			fi
		}
		atomic {
			assert (QUEUE);
			owner = saw;
			if
			:: woken -> WOKEN = false
			:: else
			fi;
			woken = false;
			WAITERS = true;
			if
			:: starved -> STARVING = true
			:: else
			fi;
			QUEUE = false
		}
		waited = true;
		if
		:: told[me] -> skip
		:: atomic { me < IMPATIENT && !claimed[me] -> claimed[me] = true }
			/* leave_queue */
			atomic { !QUEUE -> QUEUE = true }
			atomic {
				if
				:: list??[eval (me)] -> list??eval (me)
				:: !(list??[eval (me)])
				fi;
#ifndef STARVING_STAYS
				if
				:: empty (list) -> WAITERS = false; STARVING = false
				:: else
				fi;
#endif
				QUEUE = false
			}
			goto end
		fi;
		if
		:: handed[me] ->
			assert (owner == me);
			/* take_over */
			if
			:: atomic { !QUEUE && (!WAITERS || true) -> STARVING = false }
			:: atomic { WAITERS -> skip }
			fi;
			goto got
		:: else ->
			woken = true;
			if
			:: starved = true
			:: skip
			fi;
			goto again
		fi;
got:
		assert (owner == me);
		inside++;
		assert (inside == 1);
		inside--;
		/* unlock */
unlock:
		if
#ifdef FAST_BLIND
		:: atomic { owner == me -> owner = FREE }
#else
		:: atomic { owner == me && !QUEUE && !WAITERS && !WOKEN && !STARVING -> owner = FREE }
#endif
#ifdef UNLOCK_IN_QUEUE
		:: atomic { !WAITERS -> owner = FREE; STARVING = false }
#else
		:: atomic { !QUEUE && !WAITERS -> owner = FREE; STARVING = false }
#endif
		:: atomic { !QUEUE && WAITERS && WOKEN && !STARVING -> owner = FREE }
		:: atomic { !QUEUE && WAITERS && !(WOKEN && !STARVING) -> QUEUE = true }
			/* wake_one */
			s = FREE;
			do
			:: atomic { nempty (list) && s == FREE ->
				list?s;
				if
				:: claimed[s] -> s = FREE
				:: else -> claimed[s] = true
				fi
			   }
			:: else -> break
			od;
			atomic {
				if
				:: s == FREE ->
					owner = FREE;
#ifndef STARVING_STAYS
					WAITERS = false; STARVING = false
#endif
				:: s != FREE && STARVING -> owner = s; handed[s] = true; WAITERS = nempty (list)
				:: else -> owner = FREE; WOKEN = true; WAITERS = nempty (list)
				fi;
				QUEUE = false
			}
			if
			:: s != FREE -> told[s] = true
			:: else
			fi
		fi;
end:
		rounds++
	od
}


init
{
	byte i;

	atomic {
		do
		:: i < N -> run locker (i); i++
		:: else -> break
		od
	}
	timeout;
	assert (owner == FREE && !WAITERS && !QUEUE && !STARVING && !WOKEN && empty (list))
}
