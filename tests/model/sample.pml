/* SPDX-License-Identifier: MIT */
/* sample.pml - who asks a thread where it stands reads a whole answer, and only to his question
 *
 *	goad__sample_ask    lib/preempt/sample.c  asker (), FREE -> ASKED
 *	goad__sample_wait   lib/preempt/sample.c  asker (), until it is DONE or he is tired
 *	goad__sample_write  lib/preempt/sample.c  thread ()
 *
 * Two ask one thread, again and again, and may become tired of it at any time; the signal may
 * come at any time, twice, or for nobody.  The sample is two words, written and read one
 * after the other; what the thread writes is the number of its answer, which must be whole, and
 * no older than the question.
 *
 * Wrong, each in its own way:
 *	TIRED_BY_STORE   who is tired stores FREE, whatever the state is
 *	WRITE_AT_ONCE    the handler does not take the sample before it writes
 *	DONE_BY_STORE    the handler stores DONE, although nobody waits any more
 *	LEAVE_GIVEN_UP   it does not free what was given up: nobody is ever answered again
 */
/* broken: -DTIRED_BY_STORE -DWRITE_AT_ONCE -DDONE_BY_STORE -DLEAVE_GIVEN_UP */

#define ASKERS 2
#define ROUNDS 2

mtype = { FREE, ASKED, WRITING, DONE, GIVEN_UP };
mtype state = FREE;
byte word[2];
byte answers;            /* how many were begun */
byte signals;
byte over;               /* askers that are through */

proctype asker ()
{
	byte i, before, a, b;

	for (i : 1 .. ROUNDS) {
		do /* another asks: later */
		:: atomic { state == FREE -> state = ASKED; before = answers; break }
		od;
		signals++;
		do
		:: state == DONE -> /* [ord:sample] */
			a = word[0];
			b = word[1];
			assert (a == b && a > before);
			assert (state == DONE);
			state = FREE;
			break
#ifdef TIRED_BY_STORE
		:: state == ASKED -> state = FREE; break
#else
		:: atomic { state == ASKED -> state = FREE; break }
#endif
		:: atomic { state == WRITING -> state = GIVEN_UP; break }
		od
	}
	over++
}

proctype thread ()
{
	byte mine;

end:
	do
	:: atomic { signals > 0 -> signals-- };
#ifdef WRITE_AT_ONCE
		if
		:: state == ASKED
		:: else -> goto end
		fi;
#else
		if
		:: atomic { state == ASKED -> state = WRITING }
		:: else -> goto end
		fi;
#endif
		atomic { answers++; mine = answers };
		word[0] = mine;
		word[1] = mine;
#ifdef DONE_BY_STORE
		state = DONE
#else
		if
#ifdef WRITE_AT_ONCE
		:: atomic { state == ASKED -> state = DONE }
#else
		:: atomic { state == WRITING -> state = DONE }
#endif
#ifdef LEAVE_GIVEN_UP
		:: else -> skip
#else
		:: else -> state = FREE
#endif
		fi
#endif
	od
}

init {
	byte i;

	for (i : 1 .. ASKERS) {
		run asker ()
	}
	run thread ();
	over == ASKERS
}
