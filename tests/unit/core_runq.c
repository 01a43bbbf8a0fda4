/* SPDX-License-Identifier: MIT */
/* A P's queue: order, overflow, and that owner and thieves share out each coroutine
 * exactly once. */
#include "tests/harness.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/runq.h"

#define MANY 400000u
#define THIEVES 2

static struct runq q;
static struct g *pool;
static _Atomic uint32_t *taken;

static void make (uint32_t n)
{
	memset (&q, 0, sizeof q);
	pool = calloc (n, sizeof *pool);
	taken = calloc (n, sizeof *taken);
	for (uint32_t i = 0; i < n; i++)
		pool[i].id = i;
}

Test (runq, first_in_first_out)
{
	make (RUNQ_SIZE);
	for (uint32_t round = 0; round < 5; round++) {
		for (uint32_t i = 0; i < 100; i++)
			cr_assert (goad__runq_put (&q, &pool[i]));
		for (uint32_t i = 0; i < 100; i++)
			cr_assert_eq (goad__runq_get (&q), &pool[i]);
		cr_assert_eq (goad__runq_get (&q), NULL);
	}
}

Test (runq, holds_256_and_sheds_the_older_half)
{
	struct gbatch b = { 0 };

	make (RUNQ_SIZE + 1);
	for (uint32_t i = 0; i < RUNQ_SIZE; i++)
		cr_assert (goad__runq_put (&q, &pool[i]));
	cr_assert (!goad__runq_put (&q, &pool[RUNQ_SIZE]), "full");
	cr_assert (goad__runq_shed (&q, &b));
	cr_assert_eq (b.n, RUNQ_SIZE / 2);
	for (uint32_t i = 0; i < RUNQ_SIZE / 2; i++)
		cr_assert_eq (gbatch_take (&b), &pool[i]);
	cr_assert_eq (gbatch_take (&b), NULL);
	cr_assert_eq (goad__runq_len (&q), RUNQ_SIZE / 2);
	cr_assert_eq (goad__runq_get (&q), &pool[RUNQ_SIZE / 2]);
}

Test (runq, a_thief_takes_half_rounded_up)
{
	make (RUNQ_SIZE);
	for (uint32_t n = 0; n <= RUNQ_SIZE; n++) {
		struct gbatch b = { 0 };
		memset (&q, 0, sizeof q);
		for (uint32_t i = 0; i < n; i++)
			goad__runq_put (&q, &pool[i]);
		cr_assert_eq (goad__runq_grab (&q, &b, RUNQ_SIZE), n - n / 2, "of %u", n);
		cr_assert_eq (b.n, n - n / 2);
		if (n)
			cr_assert_eq (b.first, &pool[0], "the oldest");
	}
}

Test (runq, counters_wrap)
{
	make (3);
	q.tail = UINT32_MAX - 1;
	q.head = q.tail * RUNQ_ONE;
	for (uint32_t i = 0; i < 3; i++)
		cr_assert (goad__runq_put (&q, &pool[i]));
	cr_assert_eq (goad__runq_len (&q), 3);
	for (uint32_t i = 0; i < 3; i++)
		cr_assert_eq (goad__runq_get (&q), &pool[i]);
}

Test (runq, the_count_of_pulls_wraps)
{
	make (3);
	q.head = 7 * RUNQ_ONE + RUNQ_COUNT - 1;
	q.tail = 7;
	for (uint32_t i = 0; i < 3; i++)
		cr_assert (goad__runq_put (&q, &pool[i]));
	cr_assert (goad__runq_pull (&q, &pool[1], false));
	cr_assert_eq (q.head, 7 * RUNQ_ONE);
	cr_assert (goad__runq_pull (&q, &pool[2], false));
	cr_assert_eq (q.head, 7 * RUNQ_ONE + 2);
	cr_assert_eq (goad__runq_get (&q), &pool[0]);
	cr_assert_eq (goad__runq_get (&q), NULL);
}

static struct g *turn (struct g *in)
{
	uint64_t head;
	struct g *out = goad__runq_first_alone (&q, &head);

	if (out)
		goad__runq_turn_alone (&q, head, in);
	return out;
}

Test (runq, alone_a_turn_is_one_out_and_one_in)
{
	make (RUNQ_SIZE + 2);
	cr_assert_eq (turn (&pool[0]), NULL, "empty");
	cr_assert_eq (goad__runq_len (&q), 0);
	for (uint32_t i = 0; i < RUNQ_SIZE; i++)
		cr_assert (goad__runq_put (&q, &pool[i]));
	cr_assert_eq (turn (&pool[RUNQ_SIZE]), &pool[0], "full");
	cr_assert_eq (turn (&pool[RUNQ_SIZE + 1]), &pool[1]);
	cr_assert_eq (goad__runq_len (&q), RUNQ_SIZE);
	for (uint32_t i = 2; i < RUNQ_SIZE + 2; i++)
		cr_assert_eq (goad__runq_get_alone (&q), &pool[i]);
	cr_assert_eq (goad__runq_get_alone (&q), NULL);
}

Test (runq, one_is_pulled_out_from_anywhere)
{
	make (RUNQ_SIZE);
	for (int alone = 0; alone <= 1; alone++) {
		for (uint32_t i = 0; i < RUNQ_SIZE; i++)
			cr_assert (goad__runq_put (&q, &pool[i]));
		for (uint32_t i = 1; i < RUNQ_SIZE; i += 2)
			cr_assert (goad__runq_pull (&q, &pool[i], alone), "%u", i);
		cr_assert (!goad__runq_pull (&q, &pool[1], alone), "it is not there any more");
		for (uint32_t i = 0; i < RUNQ_SIZE; i += 2)
			cr_assert_eq (alone ? goad__runq_get_alone (&q) : goad__runq_get (&q), &pool[i]);
		cr_assert_eq (goad__runq_get (&q), NULL);
		cr_assert (!goad__runq_pull (&q, &pool[2], alone), "it was taken");
		cr_assert_eq (goad__runq_len (&q), 0);
	}
}

Test (runq, pulling_the_last_gives_room_back)
{
	make (RUNQ_SIZE);
	for (int alone = 0; alone <= 1; alone++) {
		for (uint32_t i = 0; i < RUNQ_SIZE; i++)
			cr_assert (goad__runq_put (&q, &pool[i]));
		for (uint32_t i = 10; i < RUNQ_SIZE - 1; i++)
			cr_assert (goad__runq_pull (&q, &pool[i], alone));
		cr_assert_eq (goad__runq_len (&q), RUNQ_SIZE, "holes count");
		cr_assert (goad__runq_pull (&q, &pool[RUNQ_SIZE - 1], alone));
		cr_assert_eq (goad__runq_len (&q), 10);
		for (uint32_t i = 10; i-- > 0;)
			cr_assert (goad__runq_pull (&q, &pool[i], alone));
		cr_assert_eq (goad__runq_len (&q), 0);
	}
}

Test (runq, thieves_pass_over_holes)
{
	struct gbatch b = { 0 };

	make (8);
	for (uint32_t i = 0; i < 8; i++)
		cr_assert (goad__runq_put (&q, &pool[i]));
	for (uint32_t i = 0; i < 6; i++)
		cr_assert (goad__runq_pull (&q, &pool[i], false));
	cr_assert_eq (goad__runq_grab (&q, &b, RUNQ_SIZE), 1);
	cr_assert_eq (gbatch_take (&b), &pool[6]);
	cr_assert_eq (goad__runq_get (&q), &pool[7]);
}

static _Atomic bool over;

static void note (struct g *g)
{
	atomic_fetch_add (&taken[g->id], 1);
}

static void *thief (void *arg)
{
	(void) arg;
	while (!atomic_load (&over)) {
		struct gbatch b = { 0 };
		goad__runq_grab (&q, &b, RUNQ_SIZE / 2);
		for (struct g *g; (g = gbatch_take (&b));)
			note (g);
	}
	return NULL;
}

Test (runq, each_is_taken_once, .timeout = 60)
{
	pthread_t t[THIEVES];
	uint32_t next = 0;

	make (MANY);
	atomic_store (&over, false);
	for (int i = 0; i < THIEVES; i++)
		pthread_create (&t[i], NULL, thief, NULL);
	while (next < MANY) {
		for (int i = 0; i < 7 && next < MANY; i++) {
			struct gbatch b = { 0 };
			if (goad__runq_put (&q, &pool[next]))
				next++;
			else if (goad__runq_shed (&q, &b))
				for (struct g *g; (g = gbatch_take (&b));)
					note (g);
		}
		for (int i = 0; i < 3; i++) {
			struct g *g = goad__runq_get (&q);
			if (g)
				note (g);
		}
		for (uint32_t back = 1; back < 6; back += 2)
			if (next > back && goad__runq_pull (&q, &pool[next - back], false))
				note (&pool[next - back]);
	}
	for (struct g *g; (g = goad__runq_get (&q));)
		note (g);
	atomic_store (&over, true);
	for (int i = 0; i < THIEVES; i++)
		pthread_join (t[i], NULL);
	for (uint32_t i = 0; i < MANY; i++)
		cr_assert_eq (taken[i], 1, "coroutine %u was taken %u times", i, (unsigned) taken[i]);
}
