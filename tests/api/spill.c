/* SPDX-License-Identifier: MIT */
/* tests/api/spill.c - more new coroutines than an own queue holds */
#include "tests/harness.h"
#include "tests/support.h"

#include <goad.h>

#define MARKS 1000 /* several batches */

static _Atomic int marks_left;
static _Atomic int born, ended;

static void mark (void *arg)
{
	(void) arg;
	marks_left--;
}

/* There are always more than a queue holds, and all of them are newer than the marks. */
static void breed (void *arg)
{
	int n = marks_left == 0 ? 0 : born - ended < 3000 ? 10 : 1;

	for (int i = 0; i < n; i++)
		if (goad_go (breed, arg) == 0)
			born++;
	ended++;
}

static void oldest_main (void *arg)
{
	(void) arg;
	marks_left = MARKS;
	born = ended = 0;
	for (int i = 0; i < MARKS; i++)
		claim_eq (goad_go (mark, NULL), 0);
	claim_eq (goad_go (breed, NULL), 0);
}

static void oldest (int procs)
{
	goad_config_t cfg = GOAD_CONFIG_INIT;

	cfg.procs = procs;
	cfg.quantum_ns = GOAD_MS;
	cr_assert_eq (goad_main (oldest_main, NULL, &cfg), 0);
	claims_assert ();
	cr_assert_eq (marks_left, 0);
}

/* What spilled last goes first; what spilled first goes all the same. */
Test (spill, oldest_is_not_forgotten, .timeout = 60)
{
	oldest (1);
}

Test (spill, oldest_is_not_forgotten_on_two, .timeout = 60)
{
	oldest (2);
}

/* A tree, each of whose nodes waits for its ten children: none is lost, on whatever queue. */

struct node {
	long size;
	goad_chan_t *up;
};

static void grow (void *arg)
{
	struct node n = *(struct node *) arg, kid = { n.size / 10, NULL };
	long sum = 1, v;

	if (n.size > 1) {
		sum = 0;
		claim_eq (goad_chan_create (&kid.up, sizeof v, 0), 0);
		for (int i = 0; i < 10; i++)
			claim_eq (goad_go (grow, &kid), 0);
		for (int i = 0; i < 10; i++) {
			claim_eq (goad_chan_recv (kid.up, &v), 0);
			sum += v;
		}
		goad_chan_destroy (kid.up);
	}
	goad_chan_send (n.up, &sum);
}

#define LEAVES (TEST_TSAN ? 1000 : 10000) /* each is a thread to ThreadSanitizer */

static void tree_main (void *arg)
{
	struct node top = { LEAVES, NULL };
	long v = 0;

	(void) arg;
	claim_eq (goad_chan_create (&top.up, sizeof v, 0), 0);
	claim_eq (goad_go (grow, &top), 0);
	claim_eq (goad_chan_recv (top.up, &v), 0);
	claim_eq (v, LEAVES);
	goad_chan_destroy (top.up);
}

Test (spill, tree, .timeout = 60)
{
	for (int procs = 1; procs <= 4; procs++) {
		goad_config_t cfg = GOAD_CONFIG_INIT;
		cfg.procs = procs;
		cfg.quantum_ns = procs == 3 ? 100 * GOAD_US : 0;
		cr_assert_eq (goad_main (tree_main, NULL, &cfg), 0);
		claims_assert ();
	}
}
