/* SPDX-License-Identifier: MIT */
/* The heap of deadlines: against a model, what is put off, and that it forgets nobody. */
#include "tests/harness.h"

#include <stdlib.h>

#include "base/rng.h"
#include "wait/heap.h"

#define MANY 300

/* The model: one that is in it is live, or dead and not gone yet. */
struct item {
	struct sleeper s;
	bool live, buried;
};

static struct heap h;
static struct item item[MANY];
static uint64_t rng;

static uint32_t below (uint32_t n)
{
	return goad__random_below (&rng, n);
}

/* Every entry where its sleeper thinks, not after its children, not after its sleeper. */
static void check_shape (void)
{
	uint32_t dead = 0;

	for (uint32_t i = 0; i < h.n; i++) {
		const struct sleeper *s = h.at[i].s;
		cr_assert_eq (s->index, i + 1);
		cr_assert_leq (h.at[i].when, s->when);
		cr_assert (i == 0 || h.at[(i - 1) / 4].when <= h.at[i].when);
		dead += s->dead;
	}
	cr_assert_eq (h.dead, dead);
}

static void reap (void)
{
	struct sleeper *s;

	while ((s = h.gone)) {
		struct item *it = container_of (s, struct item, s);
		h.gone = s->arg;
		cr_assert (it->buried, "only who was stopped goes this way, and once");
		it->buried = false;
		s->dead = false;
		cr_assert_eq (s->index, 0);
	}
}

static struct item *first_of_model (void)
{
	struct item *best = NULL;

	for (int i = 0; i < MANY; i++)
		if (item[i].live && (!best || item[i].s.when < best->s.when))
			best = &item[i];
	return best;
}

static void check_top (void)
{
	const struct sleeper *top = goad__heap_top (&h);
	const struct item *first = first_of_model ();

	cr_assert_eq (top == NULL, first == NULL);
	if (top)
		cr_assert_eq (top->when, first->s.when);
}

static void put (struct item *it)
{
	it->s.when = below (1000);
	cr_assert (goad__heap_put (&h, &it->s));
	it->live = true;
}

static void change (struct item *it)
{
	switch (below (4)) {
	case 0:
		goad__heap_take (&h, &it->s);
		cr_assert_eq (it->s.index, 0);
		it->live = false;
		break;
	case 1:
	case 2:
		it->s.when = below (1000);
		goad__heap_moved (&h, &it->s);
		break;
	case 3:
		goad__heap_kill (&h, &it->s);
		it->live = false;
		it->buried = true;
		cr_assert (!it->s.dead || h.dead * 4 <= h.n, "%u of %u are dead", h.dead, h.n);
		break;
	}
}

static void step (uint32_t fill)
{
	struct item *it = &item[below (MANY)];

	if (it->live)
		change (it);
	else if (!it->buried && below (100) < fill)
		put (it);
	if (below (8) == 0) {
		struct sleeper *s = goad__heap_top (&h);
		if (s) {
			goad__heap_take (&h, s);
			container_of (s, struct item, s)->live = false;
		}
	}
	reap ();
	check_shape ();
	check_top ();
	reap ();
}

Test (timer_heap, as_the_model_says, .timeout = 60)
{
	for (uint64_t seed = 1; seed <= 20; seed++) {
		memset (item, 0, sizeof item);
		rng = seed;
		for (int i = 0; i < 4000; i++)
			step (i / 500 % 2 ? 10 : 90);
		while (goad__heap_take_last (&h))
			;
		reap ();
		for (int i = 0; i < MANY; i++)
			cr_assert (!item[i].buried, "all that was stopped has been given back");
		goad__heap_free (&h);
	}
}

/* Grows to a million, comes out in order, and gives the memory back on the way. */
Test (timer_heap, a_million, .timeout = 60)
{
	enum { N = 1000000 };
	struct sleeper *s = calloc (N, sizeof *s);
	uint64_t last = 0;
	uint32_t room;

	rng = 7;
	for (int i = 0; i < N; i++) {
		s[i].when = goad__random (&rng) >> 1;
		cr_assert (goad__heap_put (&h, &s[i]));
	}
	room = h.room;
	for (int i = 0; i < N; i++) {
		struct sleeper *top = goad__heap_top (&h);
		if (top->when < last)
			cr_assert_fail ("out of order");
		last = top->when;
		goad__heap_take (&h, top);
	}
	cr_assert_null (goad__heap_top (&h));
	cr_assert_lt (h.room, room / 100);
	goad__heap_free (&h);
	free (s);
}

Test (timer_heap, children_share_a_cache_line)
{
	struct sleeper s[40] = { 0 };

	for (int i = 0; i < 40; i++)
		cr_assert (goad__heap_put (&h, &s[i]));
	for (uint32_t i = 1; i < 40; i += 4)
		cr_assert_eq ((uintptr_t) &h.at[i] % 64, 0);
	goad__heap_free (&h);
}

/* The last leaves at once, one in the middle stays while few are dead. */
Test (timer_heap, stopping_is_put_off)
{
	struct sleeper s[64] = { 0 };

	for (uint64_t i = 0; i < 64; i++) {
		s[i].when = i;
		goad__heap_put (&h, &s[i]);
	}
	goad__heap_kill (&h, &s[63]);
	cr_assert_eq (h.n, 63);
	cr_assert_eq (h.dead, 0);
	goad__heap_kill (&h, &s[30]);
	cr_assert_eq (h.n, 63);
	cr_assert_eq (h.dead, 1);
	goad__heap_kill (&h, &s[62]);
	cr_assert_eq (h.n, 62);
	for (int i = 31; i < 62; i++) /* the dead one is then at the end, and leaves too */
		goad__heap_take (&h, &s[i]);
	cr_assert_eq (h.n, 30);
	cr_assert_eq (h.dead, 0);
	goad__heap_kill (&h, &s[0]);
	cr_assert_eq (goad__heap_top (&h), &s[1], "the first is not put off");
	cr_assert_eq (h.n, 29);
	goad__heap_free (&h);
}

Test (timer_heap, later_is_put_off_and_earlier_is_not)
{
	struct sleeper s[20] = { 0 };

	for (uint64_t i = 0; i < 20; i++) {
		s[i].when = 100 + i;
		goad__heap_put (&h, &s[i]);
	}
	s[0].when = 1000;
	goad__heap_moved (&h, &s[0]);
	cr_assert_eq (h.at[0].s, &s[0]);
	cr_assert_eq (goad__heap_top (&h), &s[1]);
	s[19].when = 5;
	goad__heap_moved (&h, &s[19]);
	cr_assert_eq (goad__heap_top (&h), &s[19]);
	goad__heap_free (&h);
}
