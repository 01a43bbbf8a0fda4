/* SPDX-License-Identifier: MIT */
/* poll.pml - who sleeps in the epoll set: sysmon, an idle M, or nobody for a while
 *
 *	sleep_here, m_sleeps        lib/wait/netpoll.c     idle_m () here
 *	m_leaves_bed                lib/wait/netpoll.c     leave_bed ()
 *	goad__netpoll_bed, _sleep   lib/wait/netpoll.c     sysmon ()
 *	goad__bed_sleep, _wake      lib/runtime/bed.c      sysmon (), wake_sysmon ()
 *	goad__m_give                lib/sched/idle.c       giver ()
 *	goad__idle_leave            lib/sched/idle.c       in idle_m ()
 *	goad__epoll_wait, _break    lib/wait/epoll.c       sleep_in_set (), brk
 *	poll_now                    lib/wait/netpoll.c     looker ()
 *
 * An M goes idle TURNS times, then runs a hog for ever.  Meanwhile events happen, a P is
 * given to the M, sysmon is told news, and another M looks into the set without sleeping.
 * sysmon's sleep elsewhere has a deadline that is near (within a quantum) or far; the near
 * one passes when an event waits for it.  When nothing can happen any more, no event is
 * left in the set, no P was given in vain and no news is untold.
 *
 * A section under sched.lock is one atomic step, and so is what epoll_wait returns.
 *
 * Wrong, each in its own way:
 *	EDGE        the break is edge-triggered: the looker takes it away
 *	LEFT_LATE   sysmon looks at the bed, then says until when it sleeps elsewhere
 *	NO_TELL     an M leaves the bed without a look at that
 *	FORGET      an M looks whether a P was given, then says that it sleeps in the set
 */
/* broken: -DEDGE -DLEFT_LATE -DNO_TELL -DFORGET */

#define TURNS 2
#define EVENTS 1

mtype = { FREE, BY_SYSMON, BY_M };     /* np.bed   */
mtype = { NOT, GO, ELSEWHERE };        /* m->park  */
mtype = { AWAKE, ON_FUTEX, IN_SET };   /* mon.asleep */
mtype = { NOWHERE, NEAR, FAR };        /* np.left_at */

mtype bed = FREE, park = NOT, asleep = AWAKE, left_at = NOWHERE;
bool ev, brk;                          /* in the set: a descriptor, and the eventfd */
bool news, listed;                     /* mon.news; m is on the idle list  */
bool owed;                             /* a P was given, and is not in use */

inline wake_sysmon (old)
{
	news = true;
	atomic { old = asleep; asleep = AWAKE };
	if
	:: old == IN_SET -> brk = true
	:: else          /* the futex: asleep has changed */
	fi
}

inline leave_bed (old)
{
	bed = FREE;
#ifndef NO_TELL
	if
	:: left_at == FAR -> wake_sysmon (old)
	:: else
	fi
#endif
}

/* Until there is something; the events are whose sleeps there. */
inline sleep_in_set (got, broke)
{
	atomic { (ev || brk) -> got = ev; ev = false; broke = brk };
	if
	:: broke -> brk = false
	:: else
	fi
}

proctype idle_m ()
{
	byte turn = 0;
	bool got, broke, given;
	mtype old;

	do
	:: turn == TURNS -> break
	:: turn < TURNS ->
		turn++;
		listed = true;
		given = false;
		got = false;
		if
		:: atomic { bed == FREE -> bed = BY_M }
		:: bed != FREE -> goto futex
		fi;
in_set:
#ifdef FORGET
		if
		:: park == NOT -> park = ELSEWHERE
		:: park == GO -> goto leave
		fi;
#else
		if
		:: atomic { park == NOT -> park = ELSEWHERE }
		:: park == GO -> goto leave
		fi;
#endif
end_in_set:
		sleep_in_set (got, broke);
		atomic {
			if
			:: park == ELSEWHERE -> park = NOT
			:: else -> given = true
			fi
		};
		if
		:: !given && !got -> goto in_set
		:: !given && got ->
			atomic { /* goad__idle_leave */
				if
				:: listed -> listed = false
				:: else -> given = true
				fi
			}
		:: given
		fi;
leave:
		leave_bed (old);
		if
		:: got && !given -> goto works
		:: else
		fi;
futex:
end_futex:
		park == GO;
		atomic { park = NOT; owed = false };
works:
		skip
	od
	/* a hog: nobody of this M looks any more */
}

proctype giver ()
{
	mtype old;

	do
	:: atomic { listed -> listed = false; owed = true };
	   atomic { old = park; park = GO };
	   if
	   :: old == ELSEWHERE -> brk = true
	   :: else
	   fi
	:: break
	od
}

proctype sysmon ()
{
	bool got, broke, told;
	mtype until;

	do
	:: if
	   :: until = NEAR
	   :: until = FAR
	   fi;
try:
	   if
	   :: atomic { bed == FREE -> bed = BY_SYSMON };
		asleep = IN_SET;
		atomic { told = news; news = false };
		if
		:: told
		:: !told ->
end_in_set:
			sleep_in_set (got, broke)
		fi;
		bed = FREE
	   :: bed == BY_M ->
#ifdef LEFT_LATE
		left_at = until;
#else
		left_at = until;
		if
		:: bed == FREE -> goto try
		:: else
		fi;
#endif
		asleep = ON_FUTEX;
		atomic { told = news; news = false };
		if
		:: told
		:: !told ->
end_on_futex:
			if
			:: asleep == AWAKE
			:: until == NEAR && ev
			fi
		fi
	   fi;
	   asleep = AWAKE;
	   left_at = NOWHERE;
	   news = false
	od
}

/* Other threads: events, news, and a look that takes the events it finds. */
proctype kernel ()
{
	byte n = 0;

	do
	:: n < EVENTS -> ev = true; n++
	:: break
	od
}

proctype teller ()
{
	mtype old;

	wake_sysmon (old)
}

proctype looker ()
{
	if
	:: atomic { ev = false;
#ifdef EDGE
	            brk = false
#endif
	   }
	:: skip
	fi
}

init {
	atomic { run idle_m (); run giver (); run sysmon (); run kernel (); run teller (); run looker () };
end:
	timeout;
	assert (!ev);
	assert (!owed);
	assert (!news)
}
