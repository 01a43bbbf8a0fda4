/* SPDX-License-Identifier: MIT */
/* top.pml - who reads the page of a program with GOAD_TOP=1 has it as it was at one instant,
 * and has the page of the runtime that runs
 *
 *	goad__top_file_open, goad__top_begin  lib/runtime/top_file.c, top.c  program (), its start
 *	publish                               lib/runtime/top.c              publish ()
 *	goad__top_file_close                  lib/runtime/top_file.c         program (), its end
 *	map_once, map_page                    tools/top_read.c               attach ()
 *	copy                                  tools/top_read.c               copy ()
 *	top_read                              tools/top_read.c               reader ()
 *
 * A program, whose runtime runs RUNS times, each with a file of its own under the one name, and
 * publishes PUBLISHED times; the page is two words and the number.  It may be killed at any
 * time.  A reader, who reads READS times, and looks at the number TRIES times for each.
 *
 * The program's stores go through a buffer, and leave it in any order but those of one word; a
 * release store waits for all that stand before it, and what comes after a release fence
 * for all before the fence.  That is weaker than x86.  The reader reads the two words in
 * either order.
 *
 * A copy is whole.  It is of the runtime that had the name when the reader looked, or of a later
 * one, and not older than what was to be seen then.  The reader comes to its end, whatever the
 * program does.
 *
 * Wrong, each in its own way:
 *	NO_FENCE        no release fence between the odd number and the rest
 *	EVEN_RELAXED    the even number may be seen before the rest
 *	ONE_STEP        the number changes once only, after the rest
 *	MAGIC_RELAXED   the magic may be seen before the version
 *	READ_FIRST      the reader's first look at the number is no acquire
 *	NO_READ_FENCE   no acquire fence between the rest and the second look
 *	NO_SECOND_LOOK  it does not look again
 *	ODD_TAKEN       it does not look whether the number is odd
 *	NONE_TAKEN      nor whether there is any yet
 *	FOR_EVER        it waits until an odd number is even
 *	BY_NAME         it asks whether there is a file of that name, and not whether it is the one
 *	                that it has mapped
 */
/* cc: -O0 -DSAFETY */
/* pan: -w18 */
/* broken: -DNO_FENCE -DEVEN_RELAXED -DONE_STEP -DMAGIC_RELAXED -DREAD_FIRST -DNO_READ_FENCE -DNO_SECOND_LOOK -DODD_TAKEN -DNONE_TAKEN -DFOR_EVER -DBY_NAME */

#ifndef RUNS
#define RUNS 2
#endif
#ifndef PUBLISHED
#define PUBLISHED 2
#endif
#ifndef READS
#define READS 2
#endif
#define TRIES 2
#define BUFFER 4
#define NONE 7

#define MAGIC 0
#define VERSION 1
#define SEQ 2
#define A 3
#define B 4
#define WORDS 5
#define FENCE WORDS     /* in the buffer */
byte page[10];          /* RUNS * WORDS */
#define WORD(f, w) page[(f) * WORDS + (w)]
byte name = NONE;       /* the file that has it */

byte run_now;
byte place[BUFFER], value[BUFFER];
bool release[BUFFER];
byte buffered;

inline store (p, v, r)
{
	atomic {
		buffered < BUFFER -> place[buffered] = p;
		value[buffered] = v;
		release[buffered] = r;
		buffered++
	}
}

inline leaves (i)
{
	d_step {
		if
		:: place[i] != FENCE -> WORD (run_now, place[i]) = value[i]
		:: else
		fi;
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

#define PASSES(i, k) (place[k] != FENCE && place[k] != place[i])

active proctype buffer ()
{
	byte j;

end_buffer:
	do
	:: atomic { buffered > 0 -> leaves (0) }
	:: atomic { buffered > 1 && !release[1] && PASSES (1, 0) -> leaves (1) }
	:: atomic { buffered > 2 && !release[2] && PASSES (2, 0) && PASSES (2, 1) -> leaves (2) }
	:: atomic { buffered > 3 && !release[3] && PASSES (3, 0) && PASSES (3, 1) &&
			PASSES (3, 2) -> leaves (3) }
	od
}

#ifdef MAGIC_RELAXED
#define MAGIC_RELEASE false
#else
#define MAGIC_RELEASE true
#endif
#ifdef EVEN_RELAXED
#define EVEN_RELEASE false
#else
#define EVEN_RELEASE true
#endif

inline or_killed ()
{
	if
	:: true
	:: goto killed
	fi
}

inline publish ()
{
#ifndef ONE_STEP
	store (SEQ, seq + 1, false);
	or_killed ();
#endif
#ifndef NO_FENCE
	store (FENCE, 0, true);
#endif
	store (A, n, false);
	or_killed ();
	store (B, n, false);
	or_killed ();
	store (SEQ, seq + 2, EVEN_RELEASE);
	seq = seq + 2
}

active proctype program ()
{
	byte n, seq, r;

	for (r : 1 .. RUNS) {
		name = r - 1; /* a new one: all is 0 */
		store (VERSION, 1, false);
		store (MAGIC, 1, MAGIC_RELEASE);
		seq = 0;
		for (n : 1 .. PUBLISHED) {
			or_killed ();
			publish ()
		}
		/* A thread was joined, and the file goes by a system call. */
		atomic { buffered == 0 -> name = NONE; run_now = r % RUNS }
	}
killed:
	skip
}

/* What is at the name now. */
inline attach ()
{
	file = name;
	if
	:: file == NONE -> goto ended
	:: else
	fi;
	i = 0;
	do
	:: WORD (file, MAGIC) -> assert (WORD (file, VERSION) == 1); break
	:: !WORD (file, MAGIC) && i < TRIES -> i++
	:: !WORD (file, MAGIC) && i == TRIES -> goto ended
	od
}

inline copy ()
{
	i = 0;
	got = false;
	do
	:: i < TRIES && !got ->
		i++;
#ifdef READ_FIRST
		a = WORD (file, A);
#endif
		s = WORD (file, SEQ);
#ifdef FOR_EVER
		if
		:: s & 1 -> !(WORD (file, SEQ) & 1); s = WORD (file, SEQ)
		:: else
		fi;
#endif
		if
#ifndef NONE_TAKEN
		:: s == 0
#endif
#ifndef ODD_TAKEN
		:: s & 1
#endif
		:: else ->
#ifdef READ_FIRST
			b = WORD (file, B);
#else
#ifdef NO_READ_FENCE
			a = WORD (file, A);
			got = (WORD (file, SEQ) == s);
			b = WORD (file, B);
#else
			if
			:: a = WORD (file, A); b = WORD (file, B)
			:: b = WORD (file, B); a = WORD (file, A)
			fi;
#endif
#endif
#ifdef NO_SECOND_LOOK
			got = true
#else
#ifndef NO_READ_FENCE
			got = (WORD (file, SEQ) == s)
#endif
#endif
		fi
	:: else -> break
	od
}

active proctype reader ()
{
	byte file, i, s, a, b, k, is, before;
	bool got;

	attach ();
	for (k : 1 .. READS) {
		atomic { is = name; before = (is == NONE -> 0 : WORD (is, SEQ) / 2) }
		if
		:: is == NONE -> goto ended
#ifndef BY_NAME
		:: is != NONE && is != file -> attach ()
#endif
		:: else
		fi;
		copy ();
		atomic {
			assert (!got || (a == b && a > 0));
			assert (!got || file > is || (file == is && a >= before));
			a = 0; b = 0; s = 0; i = 0; is = 0; before = 0
		}
	}
ended:
	skip
}
