/* SPDX-License-Identifier: MIT */
/* producers.c - back pressure: three fast producers, one slow consumer, room for eight
 *
 *	cc producers.c $(pkg-config --cflags --libs goad)
 *	./a.out
 *
 * The channel is full nearly always, so the producers wait for the consumer and not the
 * other way round, and what lies about is bounded.  The last to be done closes the
 * channel; a foreign thread could stand in any of the places. */
#include <goad.h>
#include <stdio.h>

enum { PRODUCERS = 3, EACH = 100, ROOM = 8 };

static goad_chan_t *ch;
static goad_wg_t producing = GOAD_WG_INIT;

static void produce (void *arg)
{
	(void) arg;
	for (int i = 0; i < EACH; i++) {
		uint64_t made = goad_now ();
		goad_chan_send (ch, &made); /* waits while it is full */
	}
	goad_wg_done (&producing);
}

static void close_when_done (void *arg)
{
	(void) arg;
	goad_wg_wait (&producing);
	goad_chan_close (ch);
}

static void consume (void *arg)
{
	uint64_t made, oldest = 0;
	size_t most = 0;
	int n = 0;

	(void) arg;
	if (goad_chan_create (&ch, sizeof made, ROOM) < 0)
		return;
	goad_wg_add (&producing, PRODUCERS);
	for (int i = 0; i < PRODUCERS; i++)
		if (goad_go (produce, NULL) < 0)
			goad_wg_done (&producing);
	goad_go (close_when_done, NULL);
	while (goad_chan_recv (ch, &made) == 0) {
		uint64_t age = goad_now () - made;

		if (age > oldest)
			oldest = age;
		if (goad_chan_len (ch) > most)
			most = goad_chan_len (ch);
		n++;
		goad_sleep (50 * GOAD_US); /* it is slow */
	}
	printf ("%d came, never more than %d waited in the channel\n", n, ROOM);
	fprintf (stderr, "at most %zu, the oldest for %lu us\n", most,
	         (unsigned long) (oldest / GOAD_US));
	goad_chan_destroy (ch);
}

int main (void)
{
	return goad_main (consume, NULL, NULL) < 0;
}
