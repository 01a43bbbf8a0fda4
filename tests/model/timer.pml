/* SPDX-License-Identifier: MIT */
/* timer.pml - arming timers against sysmon going to sleep: none is slept past
 *
 *	goad__timers_unlock, tell_sysmon    lib/wait/timer.c        arm () here
 *	goad__sleep_cancel                  lib/wait/sleep.c        cancel ()
 *	goad__timers_run                    lib/wait/timer.c        run_due ()
 *	goad__timers_sleeps, _woke          lib/wait/timer.c        sysmon's loop
 *	goad__bed_wake, goad__bed_sleep     lib/runtime/bed.c       wake (), sysmon's loop
 *
 * Two heaps, three timers that are armed at any instant for a time to come, one of which
 * may be cancelled again, or its P runs what is due, or neither.  The clock
 * goes on at any instant, and in the end beyond every deadline; by then each timer has
 * fired or was cancelled.
 *
 * A section under a heap's lock is one atomic step.  Memory is sequentially consistent:
 * every step stands for one with its full fence.
 *
 * Wrong, each in its own way:
 *	NO_FENCE       who arms reads sysmon_until before its deadline can be seen
 *	NO_RECHECK     sysmon sleeps as its look said, and does not look again
 *	RECHECK_FIRST  it looks again before it has said how long it sleeps
 *	NO_NEWS        who wakes only ends a sleep, and leaves no word for one about to begin
 */
/* cc: -DCOLLAPSE */
/* broken: -DNO_FENCE -DNO_RECHECK -DRECHECK_FIRST -DNO_NEWS */

#define NEVER 4 /* later than any deadline; the clock stops here */
#define TIMERS 3
#define HEAP(t) (t / 2) /* 0 and 1 in heap 0, 2 in heap 1 */

byte now = 1;
byte when[TIMERS];     /* 0: not armed */
byte next[2];          /* p->next_timer */
byte until;            /* sysmon_until  */
bool asleep, news;

#define EARLIEST(a, b) (a < b -> a : b)
#define TIME(t) (when[t] -> when[t] : NEVER)

inline publish (h)
{
	if
	:: h == 0 -> next[0] = EARLIEST (TIME (0), TIME (1))
	:: h == 1 -> next[1] = TIME (2)
	fi
}

inline wake ()
{
#ifndef NO_NEWS
	news = true;
#endif
	asleep = false
}

inline tell (seen, d)
{
	if
	:: seen > d -> wake ()
	:: else
	fi
}

/* d: when; first: it is earlier than what its heap showed */
inline arm (t, d, first, seen)
{
#ifdef NO_FENCE
	seen = until;
#endif
	atomic {
		if
		:: d = 2
		:: d = 3
		fi;
		first = d < next[HEAP (t)];
		when[t] = d;
		publish (HEAP (t))
	}
#ifndef NO_FENCE
	seen = until;
#endif
	if
	:: first -> tell (seen, d)
	:: else
	fi;
	d = 0; first = false; seen = 0
}

inline cancel (t)
{
	atomic { when[t] = 0; publish (HEAP (t)) }
}

inline run_one (t)
{
	if
	:: when[t] && when[t] <= now -> when[t] = 0
	:: else
	fi
}

inline run_due (h)
{
	atomic {
		if
		:: h == 0 -> run_one (0); run_one (1)
		:: h == 1 -> run_one (2)
		fi;
		publish (h)
	}
}

proctype armer (byte t)
{
	byte d, seen;
	bool first;

	arm (t, d, first, seen);
	if
	:: t == 0 -> cancel (t)
	:: t == 0 -> run_due (0)
	:: true
	fi
}

proctype clock ()
{
	do
	:: now < NEVER - 1 -> now++
	:: now == NEVER - 1 -> break
	od
}

proctype sysmon ()
{
	byte look, sleep_till, a;

end:
	do
	:: true ->
		/* the look: serve_timers */
		if
		:: next[0] <= now -> run_due (0)
		:: else
		fi;
		if
		:: next[1] <= now -> run_due (1)
		:: else
		fi;
		a = next[0];
		atomic { look = EARLIEST (a, next[1]); sleep_till = look; a = 0 };
#ifdef RECHECK_FIRST
		a = next[0];
		sleep_till = EARLIEST (sleep_till, EARLIEST (a, next[1]));
		until = sleep_till;
#else
		until = look;
#ifndef NO_RECHECK
		a = next[0];
		atomic { sleep_till = EARLIEST (look, EARLIEST (a, next[1])); a = 0 };
		until = sleep_till;
#endif
#endif
		/* goad__bed_sleep */
		asleep = true;
		if
		:: atomic { news -> news = false }
		:: atomic { !news -> skip };
endasleep:
			!asleep || sleep_till <= now
		fi;
		asleep = false;
		news = false;
		until = 0;
		look = 0; sleep_till = 0
	od
}

init
{
	atomic {
		next[0] = NEVER;
		next[1] = NEVER;
		run sysmon ();
		run armer (0);
		run armer (1);
		run armer (2);
		run clock ()
	}
	timeout;
	assert (!when[0] && !when[1] && !when[2])
}
