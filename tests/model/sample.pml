/* SPDX-License-Identifier: MIT */
/* sample.pml - who asks a thread where it stands reads a whole answer, and only to his question
 *
 *	goad__sample_ask        lib/preempt/sample.c  ask (), FREE -> ASKED
 *	goad__sample_wait       lib/preempt/sample.c  dump (), until it is DONE or he is tired;
 *	                                              give_up (), with a deadline that is over
 *	goad__sample_there      lib/preempt/sample.c  DONE, seen in passing: watch ()
 *	goad__sample_again      lib/preempt/sample.c  send () once more
 *	goad__sample_take_back  lib/preempt/sample.c  ASKED -> FREE: the P has another thread now
 *	goad__sample_answer, goad__sample_write       thread ()
 *
 * Two dumps ask one thread, and wait, and may become tired of it at any time; and so does the
 * watch, again and again, which looks now and then, asks once more, and gives up at last.  The signal may come at any time, or for nobody; one that
 * is pending swallows the next.  A sample is two words, written and read one after the other;
 * what the thread writes is the number of its answer, which must be whole, and no older than
 * the question.  When the handler returns, no question is left whose signal has come.
 *
 * Wrong, each in its own way:
 *	TIRED_BY_STORE   who is tired stores FREE, whatever the state is
 *	WRITE_AT_ONCE    the handler does not take the sample before it writes
 *	DONE_BY_STORE    the handler stores DONE, although nobody waits any more
 *	LEAVE_GIVEN_UP   it does not free what was given up: nobody is ever answered again
 *	FREE_GIVEN_UP    who has given up frees the sample himself, to ask anew
 *	AGAIN_BY_STORE   who asks again stores ASKED, as if nobody had begun to answer
 *	ONE_ANSWER       the handler answers the first who asks, and returns
 */
/* cc: -DCOLLAPSE */
/* broken: -DTIRED_BY_STORE -DWRITE_AT_ONCE -DDONE_BY_STORE -DLEAVE_GIVEN_UP */
/* broken: -DFREE_GIVEN_UP -DAGAIN_BY_STORE -DONE_ANSWER */

#define ASKERS 3
#define ROUNDS 2
#define DUMP 0
#define WATCH 1

mtype = { FREE, ASKED, WRITING, DONE, GIVEN_UP };
mtype state[2] = FREE;
byte word0[2], word1[2];
byte answers;            /* how many were begun */
bool pending;            /* the signal */
bool sent[2];            /* since the question was put */
byte over;               /* askers that are through */

inline send (by)
{
	atomic { pending = true; sent[by] = true }
}

/* Refused until it is FREE. */
inline ask (by)
{
	atomic { state[by] == FREE -> state[by] = ASKED; sent[by] = false; before = answers };
	send (by)
}

inline use (by)
{
	a = word0[by]; /* [ord:sample] */
	b = word1[by];
	atomic {
		assert (a == b && a > before && state[by] == DONE);
		a = 0;
		b = 0;
		state[by] = FREE
	}
}

proctype dump ()
{
	byte before, a, b;

	ask (DUMP);
	do
	:: state[DUMP] == DONE -> use (DUMP); break
#ifdef TIRED_BY_STORE
	:: state[DUMP] == ASKED -> state[DUMP] = FREE; break
#else
	:: atomic { state[DUMP] == ASKED -> state[DUMP] = FREE; break }
#endif
	:: atomic { state[DUMP] == WRITING -> state[DUMP] = GIVEN_UP; break }
	od;
	over++
}

inline give_up ()
{
	do
	:: state[WATCH] == DONE -> use (WATCH); break
	:: atomic { state[WATCH] == ASKED -> state[WATCH] = FREE; break }
	:: atomic { state[WATCH] == WRITING -> state[WATCH] = GIVEN_UP };
#ifdef FREE_GIVEN_UP
		state[WATCH] = FREE;
#endif
		break
	od
}

proctype watch ()
{
	byte i, before, a, b;

	for (i : 1 .. ROUNDS) {
		ask (WATCH);
		do
		:: state[WATCH] == DONE -> use (WATCH); break
		:: state[WATCH] == ASKED || state[WATCH] == WRITING ->
#ifdef AGAIN_BY_STORE
			state[WATCH] = ASKED;
#endif
			send (WATCH)
		:: atomic { state[WATCH] == ASKED -> state[WATCH] = FREE; break }
		:: give_up (); break
		od
	}
	over++
}

proctype thread ()
{
	byte mine, by;

end:
	do
	:: atomic { pending -> pending = false };
		by = 0;
		do
		:: by == 2 -> break
		:: by < 2 ->
#ifdef WRITE_AT_ONCE
			if
			:: state[by] == ASKED
			:: else -> goto next
			fi;
#else
			if
			:: atomic { state[by] == ASKED -> state[by] = WRITING }
			:: else -> goto next
			fi;
#endif
			atomic { answers++; mine = answers; word0[by] = mine };
			atomic { word1[by] = mine; mine = 0 };
#ifdef DONE_BY_STORE
			state[by] = DONE;
#else
			if
#ifdef WRITE_AT_ONCE
			:: atomic { state[by] == ASKED -> state[by] = DONE }
#else
			:: atomic { state[by] == WRITING -> state[by] = DONE }
#endif
#ifdef LEAVE_GIVEN_UP
			:: else -> skip
#else
			:: else -> state[by] = FREE
#endif
			fi;
#endif
#ifdef ONE_ANSWER
			break;
#endif
next:
			by++
		od;
		atomic {
			assert (pending || !(sent[DUMP] && state[DUMP] == ASKED));
			assert (pending || !(sent[WATCH] && state[WATCH] == ASKED))
		}
	od
}

init {
	run dump ();
	run dump ();
	run watch ();
	run thread ();
	over == ASKERS
}
