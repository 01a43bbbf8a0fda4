/* SPDX-License-Identifier: MIT */
/* sieve.c - the prime sieve: a chain of coroutines, one for each prime
 *
 *	cc sieve.c $(pkg-config --cflags --libs goad)
 *	./a.out 100
 *
 * One counts; each prime that comes out at the end adds a filter, which lets through what
 * it does not divide.  (Hoare's "Communicating sequential processes", 1978, after
 * McIlroy; it is the example that every language with channels has.) */
#include <goad.h>
#include <stdio.h>
#include <stdlib.h>

struct filter {
	goad_chan_t *in, *out;
	int prime;
};

static goad_wg_t alive = GOAD_WG_INIT;
static int wanted = 25;

static void count (void *arg)
{
	goad_chan_t *out = arg;

	for (int i = 2; goad_chan_send (out, &i) == 0; i++)
		;
	goad_wg_done (&alive);
}

static void filter (void *arg)
{
	struct filter *f = arg;
	int i;

	while (goad_chan_recv (f->in, &i) == 0)
		if (i % f->prime != 0 && goad_chan_send (f->out, &i) < 0)
			break;
	goad_chan_close (f->in); /* who sends there has no more to do */
	goad_wg_done (&alive);
}

static int start (goad_fn fn, void *arg)
{
	int err;

	goad_wg_add (&alive, 1);
	err = goad_go (fn, arg);
	if (err < 0)
		goad_wg_done (&alive);
	return err;
}

static void first (void *arg)
{
	struct filter *chain = calloc ((size_t) wanted, sizeof *chain);
	goad_chan_t *last;
	int i, n, *failed = arg;

	*failed = !chain || goad_chan_create (&last, sizeof i, 0) < 0 || start (count, last) < 0;
	for (n = 0; !*failed && n < wanted && goad_chan_recv (last, &i) == 0; n++) {
		printf ("%d%c", i, n % 10 == 9 || n + 1 == wanted ? '\n' : ' ');
		chain[n] = (struct filter){ last, NULL, i };
		*failed = goad_chan_create (&chain[n].out, sizeof i, 0) < 0 ||
		          start (filter, &chain[n]) < 0;
		last = chain[n].out;
	}
	if (*failed)
		return;
	goad_chan_close (last); /* from here to the beginning they end, one after the other */
	goad_wg_wait (&alive);
	for (int k = 0; k < n; k++)
		goad_chan_destroy (chain[k].in);
	goad_chan_destroy (last);
	free (chain);
}

int main (int argc, char **argv)
{
	int failed = 0;

	if (argc > 1)
		wanted = atoi (argv[1]);
	return goad_main (first, &failed, NULL) < 0 || failed;
}
