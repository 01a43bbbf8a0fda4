/* SPDX-License-Identifier: MIT */
/* skynet.c - a tree of coroutines, ten below each, that add up their numbers
 *
 *	cc skynet.c $(pkg-config --cflags --libs goad)
 *	./a.out 1000000
 *
 * Each starts ten, which start ten; the leaves send their number up a channel, and each
 * node the sum of its ten.  (github.com/atemerev/skynet) */
#include <goad.h>
#include <stdio.h>
#include <stdlib.h>

struct node {
	goad_chan_t *up;
	uint64_t num, size; /* the leaves num .. num + size - 1 */
};

static void node (void *arg)
{
	struct node me = *(struct node *) arg; /* the caller's frame stays until all ten answered */
	struct node child[10];
	goad_chan_t *answers;
	uint64_t sum = 0, one;

	if (me.size == 1) {
		goad_chan_send (me.up, &me.num);
		return;
	}
	if (goad_chan_create (&answers, sizeof sum, 10) < 0)
		abort ();
	for (uint64_t i = 0; i < 10; i++) {
		child[i] = (struct node){ answers, me.num + i * (me.size / 10), me.size / 10 };
		if (goad_go (node, &child[i]) < 0)
			abort ();
	}
	for (int i = 0; i < 10; i++) {
		goad_chan_recv (answers, &one);
		sum += one;
	}
	goad_chan_destroy (answers);
	goad_chan_send (me.up, &sum);
}

static void first (void *arg)
{
	struct node root = { NULL, 0, *(uint64_t *) arg };
	uint64_t sum, begin = goad_now ();

	if (goad_chan_create (&root.up, sizeof sum, 1) < 0 || goad_go (node, &root) < 0)
		return;
	goad_chan_recv (root.up, &sum);
	printf ("%lu leaves, sum %lu\n", (unsigned long) root.size, (unsigned long) sum);
	fprintf (stderr, "%lu ms\n", (unsigned long) ((goad_now () - begin) / GOAD_MS));
	goad_chan_destroy (root.up);
}

int main (int argc, char **argv)
{
	uint64_t leaves = 1, want = argc > 1 ? strtoull (argv[1], NULL, 10) : 10000;

	while (leaves < want)
		leaves *= 10;
	return goad_main (first, &leaves, NULL) < 0;
}
