/* SPDX-License-Identifier: MIT */
/* select.c - receiving from one of several channels
 *
 * --shape alone: the only coroutine; of four channels with a buffer one has an element, which
 * it sends before.  --shape crowd: four senders, each with a rendezvous channel of its own, and
 * four receivers that select among all four. */
#include "bench.h"
#include "runtime.h"

#define WAYS 4

static goad_chan_t *ch[WAYS];
static _Atomic long got;
static uint64_t elapsed;

static void make (size_t capacity)
{
	for (int i = 0; i < WAYS; i++)
		bench_must (goad_chan_create (&ch[i], sizeof (long), capacity), "goad_chan_create");
}

static void unmake (void)
{
	for (int i = 0; i < WAYS; i++)
		goad_chan_destroy (ch[i]);
}

static long select_one (void)
{
	long v[WAYS];
	goad_case_t c[WAYS];

	for (int i = 0; i < WAYS; i++)
		c[i] = (goad_case_t){ ch[i], GOAD_RECV, &v[i], 0 };
	int i = goad_select (c, WAYS);
	return c[i].status == 0 ? v[i] : -1;
}

static void alone (long n)
{
	make (1);
	uint64_t t0 = bench_now ();
	for (long i = 0; i < n; i++) {
		goad_chan_send (ch[i % WAYS], &i);
		bench_must (select_one () == i ? 0 : -1, "goad_select");
	}
	elapsed = bench_now () - t0;
	unmake ();
}

struct sender {
	goad_chan_t *to;
	long n;
};

static void sender (void *arg)
{
	struct sender *s = arg;

	for (long i = 0; i < s->n; i++)
		goad_chan_send (s->to, &i);
}

static void receiver (void *arg)
{
	long n = 0;

	(void) arg;
	while (select_one () >= 0)
		n++;
	got += n;
}

static void crowd (long n)
{
	struct sender s[WAYS];
	goad_task_t *from[WAYS], *to[WAYS];

	make (0);
	got = 0;
	uint64_t t0 = bench_now ();
	for (int i = 0; i < WAYS; i++) {
		s[i] = (struct sender){ ch[i], n / WAYS };
		bench_must (goad_spawn (&from[i], NULL, sender, &s[i]), "goad_spawn");
		bench_must (goad_spawn (&to[i], NULL, receiver, NULL), "goad_spawn");
	}
	for (int i = 0; i < WAYS; i++)
		goad_join (from[i]);
	elapsed = bench_now () - t0;
	goad_chan_close (ch[0]);
	for (int i = 0; i < WAYS; i++)
		goad_join (to[i]);
	bench_must (got == n / WAYS * WAYS ? 0 : -1, "goad_select");
	unmake ();
}

static void first (void *arg)
{
	void (*round) (long) = strcmp (opt.shape, "crowd") == 0 ? crowd : alone;

	(void) arg;
	round (opt.count / 10 + 1); /* warm up */
	round (opt.count);
}

int main (int argc, char **argv)
{
	opt.count = 1000000;
	opt.shape = "alone";
	bench_init (argc, argv);
	bench_run (first, NULL, bench_preempt (opt.preempt));
	bench_print ("select", (double) elapsed / (double) opt.count, "ns");
	return bench_end ();
}
