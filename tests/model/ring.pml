/* SPDX-License-Identifier: MIT */
/* ring.pml - what a thread writes into its ring of events the tracer tells, once and whole;
 * and what is only counted, of the event that it belongs to, and soon
 *
 *	write_words, goad__trace_put_go   lib/core/ring.c           write () of an event
 *	open_again                        lib/core/ring.c           write () of an `again`
 *	goad__trace_count_again           lib/core/g.h              thread (), where made grows
 *	break_off                         lib/core/ring.c           break_off ()
 *	lose, goad__ring_end              lib/core/ring.c           break_off (), and no event after it
 *	make_room                         lib/core/ring.c           HAS_ROOM
 *	announce                          lib/core/ring.c           thread (), where announces is set
 *	drain                             lib/runtime/trace_file.c  drain ()
 *	again                             lib/runtime/trace_file.c  again_so_far (), tell ()
 *	turn_off, turn_on                 lib/runtime/tracer.c      tracer (), gen
 *
 * One ring of SLOTS words, one thread that makes EVENTS events and counts COUNTS times to
 * and fro, as it likes, and may at any time close what it counts in, and write nothing more; and
 * the tracer, which looks whenever it likes.  Once, at any time, the trace is stopped, and the
 * next one begins.  An event is one word.  r->again has one bit more than the count in a
 * word, and is near its end when it starts.
 *
 * The thread's stores go through a buffer, and leave it in any order but those of one word:
 * only a release store waits for all that stand before it.  That is weaker than x86.
 * The tracer's read of the word may come after that of the count, which is an acquire.
 *
 * Each event has a number, and the model knows how much was counted in it that is not told yet
 * (made).  What is told of an event is never more than that, and never less than nothing; it is
 * all when the event is closed; the next event has the next number; and when the thread is at
 * rest the tracer's next look tells all there is, of an event that is still open too.  Of what
 * an older trace's event counts in the next trace nothing is told.
 *
 * Wrong, each in its own way:
 *	RELAXED_HEAD     the new head may be seen before the words
 *	RELAXED_COUNT    the count may be seen before the head of the event that it belongs to
 *	CLOSE_LATE       CLOSED is stored after the next event's head
 *	NO_SECOND_LOOK   the tracer does not look at head after it has read the count
 *	LOOK_FIRST       it does so before it reads the count
 *	NO_SECOND_WORD   it sees that head has moved, and does not read the word again
 *	FROM_ZERO        the count is set to 0 for each event
 *	HOLD_BACK        the tracer tells of an event when it is closed
 *	GO_PAST          it leaves an event that is open behind it
 *	TAIL_FIRST       it moves the tail before it has read the words
 *	TOLD_KEPT        what was told of an event of the trace before counts for the next event
 */
/* cc: -O0 -DSAFETY */
/* pan: -w21 */
/* broken: -DRELAXED_HEAD -DRELAXED_COUNT -DCLOSE_LATE -DNO_SECOND_LOOK -DLOOK_FIRST -DNO_SECOND_WORD -DFROM_ZERO -DHOLD_BACK -DGO_PAST -DTAIL_FIRST -DTOLD_KEPT */

#ifndef EVENTS
#define EVENTS 5
#endif
#ifndef COUNTS
#define COUNTS 2
#endif
#define SLOTS 2
#define BUFFER 4

/* A word: number of the event, and for `again` the flag, CLOSED and the count. */
#define ID(w) ((w) >> 4)
#define AGAIN 8
#define CLOSED 4
#define COUNT 3

#define HEAD SLOTS /* places in memory after those of the words */
#define RAGAIN (SLOTS + 1)
byte memory[SLOTS + 2];
byte tail;
byte gen = 1;         /* 0: off */

byte place[BUFFER], value[BUFFER];
bool release[BUFFER];
byte buffered;

byte made[EVENTS + 1];      /* what was counted in that event, and is not told yet */
byte announces[EVENTS + 1]; /* in that event the thread says in which trace it is */
byte thread_gen;            /* in which it has said so last */
byte head_now;              /* as the thread knows it: the events that it has written */
bool open_now, done;

inline store (p, v, r)
{
	atomic {
		buffered < BUFFER -> place[buffered] = p;
		value[buffered] = v;
		release[buffered] = r;
		buffered++
	}
}

/* The entry leaves the buffer. */
inline leaves (i)
{
	d_step {
		memory[place[i]] = value[i];
		buffered--;
		j = i;
		do
		:: j < buffered ->
			place[j] = place[j + 1];
			value[j] = value[j + 1];
			release[j] = release[j + 1];
			j++
		:: else -> break
		od;
		place[buffered] = 0;
		value[buffered] = 0;
		release[buffered] = false;
		j = 0
	}
}

active proctype buffer ()
{
	byte j;

end_buffer:
	do
	:: atomic { buffered > 0 -> leaves (0) }
	:: atomic { buffered > 1 && !release[1] && place[1] != place[0] -> leaves (1) }
	:: atomic { buffered > 2 && !release[2] && place[2] != place[0] && place[2] != place[1] ->
			leaves (2) }
	:: atomic { buffered > 3 && !release[3] && place[3] != place[0] && place[3] != place[1] &&
			place[3] != place[2] -> leaves (3) }
	od
}

#ifdef RELAXED_HEAD
#define HEAD_RELEASE false
#else
#define HEAD_RELEASE true
#endif
#ifdef RELAXED_COUNT
#define COUNT_RELEASE false
#else
#define COUNT_RELEASE true
#endif
#ifdef FROM_ZERO
#define BEGIN 0
#define SO_MUCH(w, n) (n)
#else
#define BEGIN (again & COUNT)
#define SO_MUCH(w, n) (((n) - (w)) & COUNT)
#endif

/* The tail is read each time: the limit that the thread remembers allows it less. */
#define HAS_ROOM (head_now - tail < SLOTS)

/* One is closed by its difference: what is written next is nothing that goes to and fro. */
inline break_off ()
{
	if
	:: open_now ->
		open_now = false;
		store ((head_now - 1) % SLOTS,
			ID (word) << 4 | AGAIN | CLOSED | SO_MUCH (word & COUNT, again), false);
		word = 0
	:: else
	fi
}

/* w: the word.  It is the last event then. */
inline write (w)
{
#ifdef CLOSE_LATE
	was = (head_now - 1) % SLOTS;
	closed = (open_now -> ID (word) << 4 | AGAIN | CLOSED | SO_MUCH (word & COUNT, again) : 0);
	open_now = false;
#else
	break_off ();
#endif
#ifdef FROM_ZERO
	if
	:: (w) & AGAIN -> atomic { store (RAGAIN, 0, COUNT_RELEASE); again = 0 }
	:: else
	fi;
#endif
	atomic { store (head_now % SLOTS, w, false); word = w }
	atomic { store (HEAD, head_now + 1, HEAD_RELEASE); head_now++ }
#ifdef CLOSE_LATE
	if
	:: closed -> store (was, closed, false); closed = 0
	:: else
	fi
#endif
}

proctype thread ()
{
	byte again = 6; /* r->again as it has stored it */
	byte word;      /* the open event, as written */
	byte mine;      /* r->gen */
	byte counts;
#ifdef CLOSE_LATE
	byte was, closed;
#endif

	do
	:: atomic { gen != 0 && gen != mine && head_now < EVENTS && HAS_ROOM ->
			mine = gen;
			thread_gen = gen;
			announces[head_now + 1] = gen;
			write ((head_now + 1) << 4) }
	:: atomic { gen != 0 && gen == mine && head_now < EVENTS && HAS_ROOM ->
			write ((head_now + 1) << 4) }
	:: atomic { gen != 0 && gen == mine && head_now < EVENTS && HAS_ROOM ->
			write ((head_now + 1) << 4 | AGAIN | BEGIN);
			open_now = true }
	/* Whether the trace is its own is not asked. */
	:: atomic { gen != 0 && open_now && counts < COUNTS &&
			SO_MUCH (word & COUNT, again) < COUNT ->
			again = (again + 1) & 7;
			store (RAGAIN, again, COUNT_RELEASE);
			made[head_now]++;
			counts++ }
	:: atomic { open_now -> break_off () }
	:: break
	od;
	done = true
}

/* What the word w and the count say; told is how much of it is told already. */
inline tell ()
{
	d_step {
		assert (ID (w) == at + 1);
		count = (w & CLOSED -> w & COUNT : SO_MUCH (w & COUNT, count));
		if
		:: seen ->
			assert (count >= told && count - told <= made[at + 1]);
			made[at + 1] = made[at + 1] - (count - told);
			assert (!(w & CLOSED) || made[at + 1] == 0)
		:: !seen && w & CLOSED -> made[at + 1] = 0
		:: else
		fi;
#ifdef TOLD_KEPT
		if
		:: seen -> told = (w & CLOSED -> 0 : count)
		:: else
		fi;
#else
		told = (w & CLOSED -> 0 : count);
#endif
		count = 0
	}
}

inline again_so_far ()
{
#ifdef LOOK_FIRST
	look = memory[HEAD];
#endif
	count = memory[RAGAIN];
	if
	:: true
	:: w = memory[at % SLOTS] /* relaxed: as if it had not been read before */
	fi;
#ifdef NO_SECOND_LOOK
	look = end;
#else
#ifndef LOOK_FIRST
	look = memory[HEAD];
#endif
#endif
#ifndef NO_SECOND_WORD
	if
	:: !(w & CLOSED) && look != end -> w = memory[at % SLOTS]
	:: else
	fi;
#endif
	look = 0;
#ifdef HOLD_BACK
	if
	:: w & CLOSED -> tell ()
	:: else -> count = 0
	fi
#else
	tell ()
#endif
}

inline drain ()
{
	end = memory[HEAD];
#ifdef TAIL_FIRST
	tail = end;
#endif
	do
	:: at == end -> break
	:: else ->
		w = memory[at % SLOTS];
		if
		:: w & AGAIN ->
			again_so_far ();
#ifdef GO_PAST
			told = 0;
#else
			if
			:: !(w & CLOSED) -> assert (at + 1 == end); break
			:: else
			fi
#endif
		:: else ->
			assert (ID (w) == at + 1);
			seen = seen || announces[at + 1] == mine
		fi;
		atomic { at++; w = 0 }
	od;
	atomic { tail = at; end = 0 }
}

proctype tracer ()
{
	byte at, end, look, w, count, told, mine = 1, i;
	bool seen, stopping, last;

	do
	:: last -> break
	:: else ->
		if
		/* The end of the trace.  Who stops it looks once more. */
		:: atomic { gen == 1 -> gen = 0; stopping = true }
		:: last = (done && buffered == 0)
		fi;
		drain ();
		if
		:: stopping -> atomic { stopping = false; seen = false; mine = 2; gen = 2 }
		:: else
		fi
	od;
	assert (at == head_now || (at + 1 == head_now && open_now));
	assert (seen || thread_gen != mine);
	for (i : 1 .. EVENTS) {
		assert (!seen || made[i] == 0)
	}
}

init
{
	atomic { memory[RAGAIN] = 6; run thread (); run tracer () }
}
