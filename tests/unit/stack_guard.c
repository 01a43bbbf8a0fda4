/* SPDX-License-Identifier: MIT */
/* stack_guard.c - guards of both kinds, and the limits: mappings, address space */
#include "tests/harness.h"
#include "tests/unit/stack_kit.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static struct stack_cache cache;
static struct stack *s[30000];

static void start (void)
{
	memset (&cache, 0, sizeof cache);
	goad__stack_init ();
}

static void start_fallback (void)
{
	setenv ("GOAD_NO_GUARD_INSTALL", "1", 1);
	start ();
}

static void step_over (struct stack *st)
{
	st->lo[0] = 1;
	dprintf (2, "in range\n");
	((volatile char *) st->lo)[-1] = 1;
}

static void overflow_first (void)
{
	start ();
	step_over (get (&cache, DEFAULT));
}

static void overflow_hundredth (void)
{
	start ();
	for (int i = 0; i < 100; i++)
		s[i] = get (i % 2 ? &cache : NULL, DEFAULT);
	step_over (s[99]);
}

static void overflow_large (void)
{
	start ();
	step_over (get (NULL, 256 * MIB));
}

/* The guard outlives the memory of its stack. */
static void overflow_after_trim (void)
{
	struct stack *keep;

	start ();
	keep = get (&cache, DEFAULT);
	for (int i = 0; i < 200; i++)
		s[i] = get (&cache, DEFAULT);
	for (int i = 0; i < 200; i++)
		goad__stack_put (NULL, s[i]);
	for (uint64_t t = 1; t < 8; t++)
		while (goad__stack_trim (t * SEC))
			;
	must (keep->slab->ncold >= 200);
	for (int i = 0; i < 200; i++)
		must (get (NULL, DEFAULT)->lo[0] == 0);
	step_over (s[150]);
}

static void overflow_fallback (void)
{
	start_fallback ();
	for (int i = 0; i < 1000; i++)
		s[i] = get (&cache, DEFAULT);
	step_over (s[777]);
}

Test (stack_guard, an_overflow_faults)
{
	void (*fn[]) (void) = { overflow_first, overflow_hundredth, overflow_large, overflow_after_trim,
		                    overflow_fallback };

	for (size_t i = 0; i < sizeof fn / sizeof *fn; i++) {
		cr_assert (child_dies_of (fn[i], SIGSEGV) || SANITIZED, "%zu: %s", i, child_output);
		cr_assert_not_null (strstr (child_output, "in range\n"), "%zu: %s", i, child_output);
	}
}

/* ---- too many for the mapping limit -------------------------------------------------------- */

static void fill_fallback (void)
{
	size_t before = mappings ();

	start_fallback ();
	for (size_t i = 0; i < sizeof s / sizeof *s; i++) {
		s[i] = get (&cache, DEFAULT);
		must (goad__stack_intact (s[i]));
	}
	must (mappings () - before < 50000);
	must (goad__slab_sparse ());
}

Test (stack_guard, the_fallback_stays_under_the_limit, .timeout = 60)
{
	if (ON_VALGRIND)
		cr_skip ("valgrind itself gives up at 30000 mappings");
	cr_assert (child_succeeds (fill_fallback), "%s", child_output);
	if (strstr (child_output, "vm.max_map_count=65530"))
		cr_assert_not_null (strstr (child_output, "most stacks have no guard"), "%s", child_output);
}

/* A stack without a guard overflows into the top page of the one below. */
static void smash_neighbour (void)
{
	struct stack *above = NULL, *below = NULL;

	fill_fallback ();
	for (size_t i = 0; i < sizeof s / sizeof *s && !above; i++)
		if (s[i]->index % s[i]->slab->spacing == 1)
			above = s[i];
	for (size_t i = 0; above && i < sizeof s / sizeof *s; i++)
		if (s[i]->slab == above->slab && s[i]->index == above->index - 1)
			below = s[i];
	must (above && below && below->hi + GOAD__GUARD == above->lo);
	must (goad__stack_intact (below));
	for (char *p = above->lo; p >= below->hi - GOAD__PAGE; p--)
		*p = 0x55;
	must (!goad__stack_intact (below));
	goad__stack_put (&cache, below);
}

Test (stack_guard, an_overflow_without_a_guard_is_found, .timeout = 60)
{
	if (ON_VALGRIND)
		cr_skip ("valgrind itself gives up at 30000 mappings");
	cr_assert (child_dies_of (smash_neighbour, SIGABRT), "%s", child_output);
	cr_assert_not_null (strstr (child_output, "stack overflow into the stack below"), "%s",
	                    child_output);
}

/* ---- address space --------------------------------------------------------------------------- */

static size_t address_space (void)
{
	static char buf[1 << 16];
	size_t total = 0;

	maps_text (buf, sizeof buf);
	for (char *line = buf; line && *line; line = strchr (line, '\n'), line += !!line) {
		char *end;
		size_t lo = strtoul (line, &end, 16);
		total += strtoul (end + 1, NULL, 16) - lo;
	}
	return total;
}

static void exhaust (void)
{
	struct rlimit l = { 0, 0 };
	int n = 0, err = 0;

	start ();
	l.rlim_cur = l.rlim_max = address_space () + 100 * MIB;
	must (setrlimit (RLIMIT_AS, &l) == 0);
	while ((s[n] = goad__stack_get (n % 2 ? &cache : NULL, DEFAULT, &err))) {
		memset (goad__stack_room (s[n]), n, GOAD__G_ROOM);
		n++;
	}
	must (err == -ENOMEM);
	must (n > 300 && n < 400); /* a last slab smaller than the others */
	must (goad__stack_get (NULL, DEFAULT, &err) == NULL);
	must (goad__stack_get (&cache, 32 * MIB, &err) == NULL && err == -ENOMEM);
	for (int i = 0; i < n; i++)
		must (*(char *) goad__stack_room (s[i]) == (char) i);
	/* What is given back serves again. */
	for (int i = 0; i < n; i++)
		goad__stack_put (&cache, s[i]);
	for (int i = 0; i < n; i++)
		must (goad__stack_get (&cache, DEFAULT, &err));
	goad__stack_fini ();
	must (address_space () + 90 * MIB < l.rlim_cur);
}

Test (stack_guard, no_more_address_space_is_an_error_and_no_more)
{
	char *line;

	if (SANITIZED)
		cr_skip ("a sanitizer's shadow needs more address space than the limit leaves");
	cr_assert (child_succeeds (exhaust), "%s", child_output);
	line = strstr (child_output, "goad: no memory for another stack");
	cr_assert_not_null (line, "%s", child_output);
	cr_assert_not_null (strstr (line, "RLIMIT_AS is "), "%s", line);
	cr_assert_null (strstr (line + 1, "goad:"), "said once: %s", child_output);
}
