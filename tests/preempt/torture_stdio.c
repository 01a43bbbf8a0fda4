/* SPDX-License-Identifier: MIT */
/* tests/preempt/torture_stdio.c - snprintf, sscanf and strtod, and one FILE for eight */
#include "tests/preempt/torture.h"

#include <inttypes.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

/* Numbers to text and back; every digit of the text counts. */
static void convert (unsigned which, void *out)
{
	uint64_t state = which, *sums = out;
	char text[256];

	sums[0] = sums[1] = 0;
	for (int i = 0; i < 400; i++) {
		uint64_t r = next_random (&state);
		double x = (double) (int64_t) r / (double) ((next_random (&state) >> 32) + 1), y;
		unsigned long long back;
		char word[32];
		int n;

		n = snprintf (text, sizeof text, "%.17g %a %llu <%-20s> %+08d %.3Lf", x, x,
		              (unsigned long long) r, "padded", (int) r, (long double) x);
		sums[0] = fold (sums[0], text, (size_t) n);
		y = strtod (text, NULL);
		sums[1] += y == x;
		if (sscanf (text, "%*s %*s %llu <%31[a-z]", &back, word) != 2 || back != r)
			sums[1] += 1000000;
	}
}

static const struct torture t = { .work = convert, .size = 16, .yielded = 20, .handed_off = 200 };

Test (torture_stdio, chosen, .timeout = 60)
{
	torture_auto (&t);
}

Test (torture_stdio, handed_off, .timeout = 60)
{
	torture_handoff (&t);
}

/* Eight print to one FILE: its lock knows its owner by the thread.  Each line arrives
 * whole and each writer's lines in order. */

enum { WRITERS = 8, LINES_LEAST = 500 };

static FILE *file;
static _Atomic int stop;
static _Atomic unsigned written[WRITERS];

static void print_lines (void *arg)
{
	unsigned me = (unsigned) (uintptr_t) arg;
	uint64_t work = me;

	for (unsigned n = 0; n < LINES_LEAST || !atomic_load (&stop); n++) {
		int length = 1 + (int) (n * 7 + me) % 60;

		if (fprintf (file, "%u %u %0*d\n", me, n, length, 7) < 0)
			claim (!"fprintf");
		for (int i = 0; i < 200; i++)
			next_random (&work);
		atomic_store (&written[me], n + 1);
	}
}

static void print_all (void *arg)
{
	goad_task_t *task[WRITERS];
	uint64_t limit = goad_after (15 * GOAD_S);

	(void) arg;
	for (uintptr_t i = 0; i < WRITERS; i++)
		claim_eq (goad_spawn (&task[i], NULL, print_lines, (void *) i), 0);
	for (;;) {
		goad_stats_t s = stats_now ();

		if ((s.preempt_handed_off >= TEST_SOME (500) &&
		     s.preempt_yielded + s.preempt_handed_off >= TEST_SOME (2000)) ||
		    goad_now () > limit)
			break;
		goad_sleep (5 * GOAD_MS);
	}
	atomic_store (&stop, 1);
	for (int i = 0; i < WRITERS; i++)
		claim_eq (goad_join (task[i]), 0);
}

static void check_lines (void)
{
	unsigned next[WRITERS] = { 0 }, who, n;
	char line[256], want[256];

	rewind (file);
	while (fgets (line, sizeof line, file)) {
		cr_assert_eq (sscanf (line, "%u %u", &who, &n), 2, "torn line '%s'", line);
		cr_assert_lt (who, WRITERS, "torn line '%s'", line);
		cr_assert_eq (n, next[who], "writer %u: line %u, not %u", who, n, next[who]);
		next[who]++;
		snprintf (want, sizeof want, "%u %u %0*d\n", who, n, 1 + (int) (n * 7 + who) % 60, 7);
		cr_assert_str_eq (line, want, "torn line '%s'", line);
	}
	for (int i = 0; i < WRITERS; i++)
		cr_assert_eq (next[i], written[i], "writer %d: %u of %u lines", i, next[i], written[i]);
}

Test (torture_stdio, eight_to_one_file, .timeout = 60)
{
	goad_stats_t s;

	program_scanned ();
	file = tmpfile ();
	cr_assert_not_null (file);
	cr_assert_eq (run_main (print_all, NULL, 2, 100 * GOAD_US, 0), 0);
	claims_assert ();
	s = stats_now ();
	cr_expect_geq (s.preempt_handed_off, TEST_SOME (500), "%llu",
	               (unsigned long long) s.preempt_handed_off);
	cr_expect_geq (s.preempt_yielded + s.preempt_handed_off, TEST_SOME (2000));
	check_lines ();
	fclose (file);
}
