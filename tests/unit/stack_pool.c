/* SPDX-License-Identifier: MIT */
/* stack_pool.c - getting and putting stacks: who has which, from where it comes back */
#include "tests/harness.h"
#include "tests/unit/stack_kit.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static struct stack_cache cache, other;

static void start (void)
{
	memset (&cache, 0, sizeof cache);
	memset (&other, 0, sizeof other);
	goad__stack_init ();
}

Test (stack_pool, sizes_become_powers_of_two)
{
	cr_assert_eq (goad__stack_class (1), 0);
	cr_assert_eq (goad__stack_class (16 * KIB), 0);
	cr_assert_eq (goad__stack_class (16 * KIB + 1), 1);
	cr_assert_eq (goad__class_size (goad__stack_class (DEFAULT)), DEFAULT);
	cr_assert_eq (goad__class_size (goad__stack_class (DEFAULT + 1)), 2 * DEFAULT);
	cr_assert_eq (goad__stack_class (1024 * MIB), GOAD__STACK_CLASSES - 1);
	cr_assert_eq (goad__stack_class (1024 * MIB + 1), GOAD__STACK_CLASSES);
	cr_assert_eq (goad__stack_class (SIZE_MAX), GOAD__STACK_CLASSES);
}

Test (stack_pool, each_size_can_be_had)
{
	int err = 0;

	start ();
	for (unsigned c = 0; c < GOAD__STACK_CLASSES; c++) {
		struct stack *s = get (c % 2 ? &cache : NULL, goad__class_size (c));
		cr_assert_eq ((size_t) (s->hi - s->lo), goad__class_size (c));
		s->lo[0] = 1;
		memset (goad__stack_room (s), 1, GOAD__G_ROOM);
		goad__stack_put (c % 3 ? &cache : NULL, s);
	}
	cr_assert_null (goad__stack_get (&cache, 1024 * MIB + 1, &err));
	cr_assert_eq (err, -EINVAL);
	cr_assert_null (goad__stack_get (NULL, SIZE_MAX, &err));
	cr_assert_eq (err, -EINVAL);
	goad__stack_fini ();
}

Test (stack_pool, the_descriptor_and_the_first_frames_share_the_top_page)
{
	start ();
	for (int i = 0; i < 500; i++) {
		struct stack *s = get (&cache, i % 2 ? DEFAULT : 16 * KIB);
		char *page = s->hi - GOAD__PAGE, *room = goad__stack_room (s), *top = goad__stack_top (s);

		cr_assert_eq ((uintptr_t) s->hi % GOAD__PAGE, 0);
		cr_assert_eq ((uintptr_t) room % 64, 0);
		cr_assert_eq ((uintptr_t) top % 16, 0);
		cr_assert (top <= room && room + GOAD__G_ROOM <= (char *) s);
		cr_assert ((char *) (s + 1) <= s->hi);
		cr_assert (top - page >= 1536, "room for frames: %td", top - page);
	}
	goad__stack_fini ();
}

Test (stack_pool, the_last_one_put_is_the_first_one_got)
{
	struct stack *s[300];

	start ();
	for (int i = 0; i < 300; i++)
		s[i] = get (&cache, DEFAULT);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 300; i++)
			goad__stack_put (&cache, s[i]);
		for (int i = 300; i-- > 0;)
			cr_assert_eq (get (&cache, DEFAULT), s[i]);
	}
	for (int i = 0; i < 300; i++)
		goad__stack_put (NULL, s[i]);
	for (int i = 300; i-- > 0;)
		cr_assert_eq (get (NULL, DEFAULT), s[i]);
	goad__stack_fini ();
}

Test (stack_pool, nothing_is_cleared_in_between)
{
	start ();
	struct stack *s = get (&cache, DEFAULT);
	char *p = (char *) goad__stack_top (s) - 100;
	*p = 77;
	goad__stack_put (&cache, s);
	cr_assert_eq (get (&cache, DEFAULT), s);
	cr_assert_eq (*p, 77);
	goad__stack_fini ();
}

/* ---- against a model -------------------------------------------------------------------- */

#define LIVE 400

static struct {
	struct stack *s;
	size_t size;
	uint64_t tag;
} live[LIVE];

static bool overlaps (const struct stack *s, int but)
{
	for (int i = 0; i < LIVE; i++)
		if (i != but && live[i].s && s->lo < live[i].s->hi && live[i].s->lo < s->hi)
			return true;
	return false;
}

static uint64_t *last_word (struct stack *s)
{
	return (uint64_t *) goad__stack_top (s) - 1;
}

static void model_get (int i, struct stack_cache *from, uint64_t tag)
{
	live[i].size = 16 * KIB << rand () % 6;
	live[i].s = get (from, live[i].size - (size_t) (rand () % 100));
	live[i].tag = tag;
	cr_assert (!overlaps (live[i].s, i));
	cr_assert ((size_t) (live[i].s->hi - live[i].s->lo) >= live[i].size);
	*(uint64_t *) (void *) live[i].s->lo = *last_word (live[i].s) = tag;
	memset (goad__stack_room (live[i].s), (int) tag, GOAD__G_ROOM);
}

static void model_put (int i, struct stack_cache *to)
{
	char room[GOAD__G_ROOM];

	memset (room, (int) live[i].tag, sizeof room);
	cr_assert_eq (*(uint64_t *) (void *) live[i].s->lo, live[i].tag);
	cr_assert_eq (*last_word (live[i].s), live[i].tag);
	cr_assert_arr_eq (goad__stack_room (live[i].s), room, sizeof room);
	goad__stack_put (to, live[i].s);
	live[i].s = NULL;
}

Test (stack_pool, no_two_live_stacks_overlap, .timeout = 60)
{
	struct stack_cache *from[3] = { &cache, &other, NULL };
	uint64_t now = SEC;

	start ();
	srand (42);
	memset (live, 0, sizeof live);
	for (uint64_t step = 1; step < (SANITIZED ? 20000 : 100000); step++) {
		int i = rand () % LIVE;
		if (!live[i].s)
			model_get (i, from[rand () % 3], step);
		else
			model_put (i, from[rand () % 3]);
		if (rand () % 64 == 0)
			goad__stack_trim (now += SEC / 4);
		if (rand () % 1000 == 0)
			goad__stack_cache_flush (&other);
	}
	for (int i = 0; i < LIVE; i++)
		if (live[i].s)
			model_put (i, NULL);
	goad__stack_fini ();
}

/* ---- batches ------------------------------------------------------------------------------ */

#define MANY 5000

static struct stack *many[MANY];

static bool is_in_many (const struct stack *s)
{
	for (int i = 0; i < MANY; i++)
		if (many[i] == s)
			return true;
	return false;
}

Test (stack_pool, a_batch_larger_than_the_cache_comes_back_whole)
{
	size_t cached, before, after;

	start ();
	for (int i = 0; i < MANY; i++)
		many[i] = get (&cache, DEFAULT);
	goad__stack_totals (&cached, &before);
	for (int round = 0; round < 4; round++) {
		for (int i = 0; i < MANY; i++)
			goad__stack_put (&cache, many[i]);
		goad__stack_totals (&cached, &after);
		cr_assert_geq (cached + goad__stack_cached (&cache), MANY);
		cr_assert_leq (goad__stack_cached (&cache), 2 * (GOAD__STACK_HOT + GOAD__STACK_TICK));
		/* Half of them through another P, a few without one. */
		for (int i = 0; i < MANY; i++)
			many[i] = get (i < 100 ? NULL : i % 2 ? &cache : &other, DEFAULT);
		goad__stack_totals (&cached, &after);
		/* A cache takes a list whole, so another may have to make new ones. */
		cr_assert_leq (after, before + 8 * GOAD__SLAB_SIZE);
		goad__stack_cache_flush (&other);
		cr_assert_eq (goad__stack_cached (&other), 0);
	}
	for (int i = 1; i < MANY; i++)
		cr_assert_neq (many[i], many[i - 1]);
	for (int i = 0; i < MANY; i++)
		goad__stack_put (NULL, many[i]);
	cr_assert (is_in_many (get (&other, DEFAULT)));
	goad__stack_fini ();
}

Test (stack_pool, many_stacks_spread_over_the_sets_of_cache_and_tlb)
{
	unsigned lines[64] = { 0 }, pages[64] = { 0 }, used = 0;

	start ();
	for (int i = 0; i < 4096; i++) {
		struct stack *s = get (&cache, DEFAULT);
		lines[(uintptr_t) goad__stack_room (s) / 64 % 64]++;
		pages[(uintptr_t) s / GOAD__PAGE % 64]++;
	}
	for (int i = 0; i < 64; i++) {
		used += lines[i] > 0;
		cr_assert_leq (lines[i], 4096 / 32 * 5 / 4);
		cr_assert_leq (pages[i], 4096 / 64 * 3 / 2);
	}
	cr_assert_eq (used, GOAD__STACK_COLOURS);
	goad__stack_fini ();
}

/* ---- threads ------------------------------------------------------------------------------ */

#define THREADS 3

static void *churn (void *arg)
{
	struct stack_cache mine;
	struct stack *have[64] = { NULL };
	unsigned seed = (unsigned) (uintptr_t) arg;
	uintptr_t bad = 0;

	memset (&mine, 0, sizeof mine);
	for (int i = 0; i < (SANITIZED ? 20000 : 100000); i++) {
		int k = rand_r (&seed) % 64;
		struct stack_cache *c = rand_r (&seed) % 8 ? &mine : NULL;
		if (have[k]) {
			bad += *last_word (have[k]) != (uint64_t) (uintptr_t) &have[k];
			goad__stack_put (c, have[k]);
			have[k] = NULL;
		} else {
			have[k] = get (c, k % 3 ? DEFAULT : 32 * KIB);
			*last_word (have[k]) = (uint64_t) (uintptr_t) &have[k];
		}
		if (rand_r (&seed) % 500 == 0)
			goad__stack_cache_flush (&mine);
	}
	goad__stack_cache_flush (&mine);
	return (void *) bad;
}

static _Atomic bool churned;

/* As sysmon does, with seconds that pass quickly. */
static void *trims (void *arg)
{
	uint64_t now = SEC;

	(void) arg;
	while (!atomic_load (&churned))
		goad__stack_trim (now += SEC / 2);
	return NULL;
}

Test (stack_pool, threads_and_the_trimmer_at_once, .timeout = 60)
{
	pthread_t t[THREADS], sysmon;
	void *bad;

	start ();
	atomic_store (&churned, false);
	pthread_create (&sysmon, NULL, trims, NULL);
	for (uintptr_t i = 0; i < THREADS; i++)
		pthread_create (&t[i], NULL, churn, (void *) (i + 1));
	for (int i = 0; i < THREADS; i++) {
		pthread_join (t[i], &bad);
		cr_expect_null (bad);
	}
	atomic_store (&churned, true);
	pthread_join (sysmon, NULL);
	goad__stack_fini ();
}

/* ---- beginning and end ---------------------------------------------------------------------- */

/* Lets TSan and libc make their own mappings first. */
static void one_life (void)
{
	start ();
	for (int i = 0; i < 1000; i++)
		many[i] = get (i % 2 ? &cache : NULL, 16 * KIB << i % 8);
	for (int i = 0; i < 1000; i += 3)
		goad__stack_put (i % 2 ? &cache : NULL, many[i]);
	for (uint64_t t = 1; t < 10; t++)
		goad__stack_trim (t * SEC);
	goad__stack_fini ();
}

Test (stack_pool, the_end_leaves_no_mapping)
{
	static char before[1 << 18], after[1 << 18];

	one_life ();
	maps_text (before, sizeof before);
	for (int i = 0; i < 50; i++)
		one_life ();
	maps_text (after, sizeof after);
	if (!SANITIZED)
		cr_assert_str_eq (before, after);
}
