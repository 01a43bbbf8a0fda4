/* SPDX-License-Identifier: MIT */
/* tests/preempt/torture.h - the same work alone and under preemption, compared bit for bit
 *
 *	static void work (unsigned which, void *out);
 *
 *	Test (torture, name, .timeout = 60)
 *	{
 *		static const struct torture t = { .work = work, .size = 64, .yielded = 100 };
 *		torture_auto (&t);
 *	}
 */
#ifndef GOAD_TESTS_TORTURE_H
#define GOAD_TESTS_TORTURE_H

#include "tests/harness.h"
#include "tests/support.h"

enum { TORTURE_TASKS = 8, TORTURE_SIZE = 4096 };

struct torture {
	/* Fills out, with nothing but a function of which, in a few milliseconds at most. */
	void (*work) (unsigned which, void *out);
	size_t size;                  /* of out; at most TORTURE_SIZE */
	unsigned tasks;               /* 0: six */
	unsigned total;               /* preemptions that must be seen in all; 0: two thousand */
	unsigned yielded, handed_off; /* and of each kind */
	bool bound;                   /* this program is not to be called thread-independent */
};

/* Runs the work serially, then at a quantum of 100 us on two Ps until the
 * preemptions wanted have been seen, and compares each result. */
void torture_auto (const struct torture *t);

/* Of the last run: how often the work was stopped by a yield in place. */
uint64_t torture_yielded (const struct torture *t);

/* The same with the mode set: hand-offs only, or yields only. */
void torture_handoff (const struct torture *t);
void torture_yield (const struct torture *t);

/* A digest for the workloads: it makes no call, so that it can be yielded in place. */
uint64_t fold (uint64_t sum, const void *data, size_t size);
/* A sequence of numbers from a seed; state must start at anything. */
uint64_t next_random (uint64_t *state);

#endif
