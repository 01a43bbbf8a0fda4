/* SPDX-License-Identifier: MIT */
/* skynet.c - a tree of coroutines, ten to a node, with a million leaves (--count)
 *
 * Each leaf has a number, each node the sum of its ten; known from
 * github.com/atemerev/skynet.  --shape chan: the sum comes through a channel that a node
 * makes for its children.  --shape join: children leave theirs behind, and are joined. */
#include "bench.h"
#include "runtime.h"

struct node {
	long num, size;
	union {
		goad_chan_t *up;
		long sum;
	};
};
static uint64_t elapsed;

static void by_chan (void *arg)
{
	struct node n = *(struct node *) arg, kid[10];
	goad_chan_t *ch;
	long sum = 0, v;

	if (n.size == 1) {
		goad_chan_send (n.up, &n.num);
		return;
	}
	bench_must (goad_chan_create (&ch, sizeof (long), 0), "goad_chan_create");
	for (int i = 0; i < 10; i++) {
		kid[i] = (struct node){ n.num + i * (n.size / 10), n.size / 10, { ch } };
		bench_must (goad_go (by_chan, &kid[i]), "goad_go");
	}
	for (int i = 0; i < 10; i++) {
		goad_chan_recv (ch, &v);
		sum += v;
	}
	goad_chan_destroy (ch);
	goad_chan_send (n.up, &sum);
}

static void by_join (void *arg)
{
	struct node *n = arg, kid[10];
	goad_task_t *task[10];

	n->sum = n->num;
	if (n->size == 1)
		return;
	for (int i = 0; i < 10; i++) {
		kid[i] = (struct node){ n->num + i * (n->size / 10), n->size / 10, { NULL } };
		bench_must (goad_spawn (&task[i], NULL, by_join, &kid[i]), "goad_spawn");
	}
	n->sum = 0;
	for (int i = 0; i < 10; i++) {
		goad_join (task[i]);
		n->sum += kid[i].sum;
	}
}

static long tree (long leaves)
{
	struct node top = { 0, leaves, { NULL } };
	goad_chan_t *ch;
	long sum;

	if (strcmp (opt.shape, "join") == 0) {
		by_join (&top);
		return top.sum;
	}
	bench_must (goad_chan_create (&ch, sizeof (long), 0), "goad_chan_create");
	top.up = ch;
	bench_must (goad_go (by_chan, &top), "goad_go");
	goad_chan_recv (ch, &sum);
	goad_chan_destroy (ch);
	return sum;
}

static void first (void *arg)
{
	bool *right = arg;

	*right = tree (opt.count) == opt.count * (opt.count - 1) / 2; /* and warm */
	uint64_t t0 = bench_now ();
	*right &= tree (opt.count) == opt.count * (opt.count - 1) / 2;
	elapsed = bench_now () - t0;
}

int main (int argc, char **argv)
{
	bool right = false;

	opt.count = 1000000;
	opt.shape = "chan";
	bench_init (argc, argv);
	bench_run (first, &right, bench_preempt (opt.preempt));
	if (!right) {
		fprintf (stderr, "the wrong sum\n");
		return 1;
	}
	bench_print ("skynet", (double) elapsed / 1e6, "ms");
	return bench_end ();
}
