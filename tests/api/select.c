/* SPDX-License-Identifier: MIT */
/* tests/api/select.c - waiting for one of several channels: every rule */
#include "tests/api/wait_kit.h"
#include "tests/harness.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* Without waiting. */

static void alone (void *arg)
{
	goad_chan_t *a = chan_make (8, 1), *b = chan_make (8, 1);
	uint64_t v = 3, w = 4;
	goad_case_t c[3] = { { a, GOAD_RECV, &v, 77 },
		                 { NULL, GOAD_RECV, &v, 77 },
		                 { b, GOAD_SEND, &w, 77 } };
	uint64_t t0 = goad_now ();

	(void) arg;
	claim_eq (goad_select (NULL, 1), -EINVAL);
	claim_eq (goad_select (c, (size_t) INT_MAX + 1), -EINVAL);
	c[1].op = 0;
	claim_eq (goad_select (c, 3), -EINVAL);
	c[1].op = 3;
	claim_eq (goad_select_until (c, 3, 0), -EINVAL);
	claim_eq (goad_chan_len (b), 0); /* nothing has happened */
	c[1].op = GOAD_RECV;
	c[2].elem = NULL;
	claim_eq (goad_select (c, 3), -EINVAL);
	c[2].elem = &w;
	for (int i = 0; i < 3; i++)
		claim_eq (c[i].status, 77);

	/* Only the send can happen; then nothing. */
	claim_eq (goad_select (c, 3), 2);
	claim_eq (c[2].status, 0);
	claim_eq (c[0].status, 77);
	claim_eq (goad_chan_len (b), 1);
	c[2].status = 77;
	claim_eq (goad_select_until (c, 3, 0), -EAGAIN);
	claim_eq (goad_select_until (c, 3, 1), -ETIMEDOUT);
	claim_eq (goad_select_until (c, 3, goad_after (2 * GOAD_MS)), -ETIMEDOUT);
	claim (goad_now () - t0 >= 2 * GOAD_MS);
	claim_eq (v, 3);
	claim_eq (c[2].status, 77);

	/* Only the receive. */
	claim_eq (goad_chan_send (a, &w), 0);
	claim_eq (goad_select_until (c, 3, 1), 0); /* tried before the clock is read */
	claim_eq (v, 4);
	claim_eq (c[0].status, 0);

	/* No case at all, or none that ever can. */
	claim_eq (goad_select_until (NULL, 0, 0), -EAGAIN);
	claim_eq (goad_select_until (c, 0, 1), -ETIMEDOUT);
	claim_eq (goad_select_until (NULL, 0, goad_after (GOAD_MS)), -ETIMEDOUT);
	claim_eq (goad_select_until (&c[1], 1, 0), -EAGAIN);
	claim_eq (goad_select_until (&c[1], 1, goad_after (GOAD_MS)), -ETIMEDOUT);
	claim_eq (goad_select_until (&c[1], 1, 1), -ETIMEDOUT);

	/* One case is the plain operation. */
	claim_eq (goad_select_until (c, 1, 0), -EAGAIN);
	claim_eq (goad_select_until (&c[2], 1, goad_after (GOAD_MS)), -ETIMEDOUT);
	claim_eq (goad_chan_recv (b, NULL), 0);
	claim_eq (goad_select (&c[2], 1), 0);

	/* Closed: the send too can happen. */
	claim_eq (goad_chan_close (b), 0);
	claim_eq (goad_select (c, 3), 2);
	claim_eq (c[2].status, -EPIPE);
	claim_eq (goad_select (&c[2], 1), 0);
	claim_eq (c[2].status, -EPIPE);
	c[2].op = GOAD_RECV;
	v = 9;
	claim_eq (goad_select (c, 3), 2); /* what was in it, first */
	claim_eq (c[2].status, 0);
	claim_eq (goad_select (c, 3), 2);
	claim_eq (c[2].status, -EPIPE);
	claim_eq (w, 0);
	c[2].elem = NULL;
	claim_eq (goad_select (&c[1], 2), 1);
	claim_eq (c[2].status, -EPIPE);
	claim_eq (goad_chan_destroy (a), 0);
	claim_eq (goad_chan_destroy (b), 0);
}

Test (select, alone, .timeout = 20)
{
	run_both (alone);
	alone (NULL); /* on a foreign thread, with no runtime */
	claims_assert ();
}

/* Which of those that can happen is chance, and each as likely. */

static void uniform (void *arg)
{
	enum { N = 5, DRAWS = 20000 };
	goad_chan_t *ch[N];
	goad_case_t c[N + 1];
	long count[N + 1] = { 0 };
	double chi = 0;

	(void) arg;
	for (int i = 0; i < N; i++) {
		ch[i] = chan_make (0, 1);
		claim_eq (goad_chan_close (ch[i]), 0);
		c[i + (i > 2)] = (goad_case_t){ ch[i], i & 1 ? GOAD_SEND : GOAD_RECV, NULL, 0 };
	}
	c[3] = (goad_case_t){ NULL, GOAD_RECV, NULL, 0 };
	for (int i = 0; i < DRAWS; i++) {
		int k = goad_select (c, N + 1);
		claim (k >= 0 && k <= N && k != 3);
		count[k]++;
	}
	for (int i = 0; i <= N; i++)
		if (i != 3) {
			double d = (double) count[i] - (double) DRAWS / N;
			chi += d * d / ((double) DRAWS / N);
		}
	claim (chi < 33); /* four degrees of freedom: by chance once in a million */
	for (int i = 0; i < N; i++)
		claim_eq (goad_chan_destroy (ch[i]), 0);
}

Test (select, each_as_likely, .timeout = 20)
{
	run_both (uniform);
	uniform (NULL);
	claims_assert ();
}

/* Waiting, and being woken by the one or the other. */

struct waiting {
	goad_chan_t *ch[4];
	int index, status;
	uint64_t got, give;
	uint64_t deadline;
};

static void select_four (void *arg)
{
	struct waiting *w = arg;
	goad_case_t c[4] = { { w->ch[0], GOAD_RECV, &w->got, 77 },
		                 { w->ch[1], GOAD_SEND, &w->give, 77 },
		                 { w->ch[2], GOAD_RECV, &w->got, 77 },
		                 { w->ch[3], GOAD_SEND, &w->give, 77 } };

	w->index = goad_select_until (c, 4, w->deadline);
	for (int i = 0; i < 4; i++)
		if (i == w->index)
			w->status = c[i].status;
		else
			claim_eq (c[i].status, 77);
}

static void woken (void *arg)
{
	(void) arg;
	for (int how = 0; how < 8; how++) {
		struct waiting w = { .give = 11, .got = 22, .index = -99 };
		uint64_t v = 33;
		goad_task_t *t;

		w.deadline = how & 1 ? GOAD_FOREVER : goad_after (100 * GOAD_S);
		for (int i = 0; i < 4; i++)
			w.ch[i] = chan_make (8, 0);
		t = start (select_four, &w);
		until_waiting (t);
		for (int i = 0; i < 4; i++)
			claim_eq (goad_chan_destroy (w.ch[i]), -EBUSY);
		switch (how / 2) {
		case 0:
			claim_eq (goad_chan_try_send (w.ch[0], &v), 0);
			break;
		case 1:
			claim_eq (goad_chan_try_recv (w.ch[1], &v), 0);
			claim_eq (v, 11);
			break;
		default:
			claim_eq (goad_chan_close (w.ch[how / 2]), 0);
			break;
		}
		/* The one that woke it has done with it; it has not left the others yet. */
		claim_eq (goad_chan_destroy (w.ch[how / 2]), 0);
		/* And it is nobody's any more on those. */
		if (how / 2 != 2)
			claim_eq (goad_chan_try_send (w.ch[2], &v), -EAGAIN);
		if (how / 2 != 3)
			claim_eq (goad_chan_try_recv (w.ch[3], &v), -EAGAIN);
		claim_eq (goad_join (t), 0);
		claim_eq (w.index, how / 2);
		claim_eq (w.status, how / 2 < 2 ? 0 : -EPIPE);
		claim_eq (w.got, how / 2 == 0 ? 33 : how / 2 == 2 ? 0 : 22);
		for (int i = 0; i < 4; i++)
			if (i != how / 2)
				claim_eq (goad_chan_destroy (w.ch[i]), 0);
	}
}

Test (select, woken_by_each, .timeout = 20)
{
	run_both (woken);
	claims_assert ();
}

/* The same channel in several cases, for both directions; it never meets itself. */

static goad_chan_t *twice_chan;

static void select_twice (void *arg)
{
	goad_chan_t *ch = twice_chan;
	int n = *(int *) arg;
	uint64_t in[2] = { 0, 0 }, out[2] = { 5, 6 };
	goad_case_t c[5] = { { ch, GOAD_RECV, &in[0], 0 },
		                 { ch, GOAD_SEND, &out[0], 0 },
		                 { NULL, GOAD_RECV, NULL, 0 },
		                 { ch, GOAD_SEND, &out[1], 0 },
		                 { ch, GOAD_RECV, &in[1], 0 } };

	for (int i = 0; i < n; i++) {
		int k = goad_select (c, 5);
		claim (k == 0 || k == 1 || k == 3 || k == 4);
		claim (k == 1 || k == 3 || in[k / 4] == (uint64_t) i);
	}
}

static void twice (void *arg)
{
	goad_chan_t *ch = twice_chan = chan_make (8, 0);
	int n = 200;
	goad_case_t c[2] = { { ch, GOAD_RECV, NULL, 0 }, { ch, GOAD_SEND, &(uint64_t){ 0 }, 0 } };
	goad_task_t *t;

	(void) arg;
	claim_eq (goad_select_until (c, 2, 0), -EAGAIN);
	claim_eq (goad_select_until (c, 2, goad_after (GOAD_MS)), -ETIMEDOUT);
	t = start (select_twice, &n);
	for (uint64_t i = 0; i < 200; i++) {
		uint64_t v = i;
		if (i & 1)
			claim_eq (goad_chan_send (ch, &v), 0);
		else
			claim (goad_chan_recv (ch, &v) == 0 && (v == 5 || v == 6));
	}
	claim_eq (goad_join (t), 0);
	claim_eq (goad_chan_destroy (ch), 0);
}

Test (select, one_channel_in_many_cases, .timeout = 20)
{
	run_both (twice);
	claims_assert ();
}

/* Any number of cases. */

static void many (void *arg)
{
	static const size_t sizes[] = { 7, 8, 9, 64, 65, 1000, 20000 };

	(void) arg;
	for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
		size_t n = sizes[k];
		goad_chan_t **ch = malloc (n * sizeof *ch);
		goad_case_t *c = malloc (n * sizeof *c);
		uint64_t v = 8;

		for (size_t i = 0; i < n; i++) {
			ch[i] = chan_make (8, 1);
			c[i] = (goad_case_t){ ch[i], GOAD_RECV, &v, 0 };
		}
		claim_eq (goad_select_until (c, n, 0), -EAGAIN);
		claim_eq (goad_select_until (c, n, goad_after (GOAD_MS)), -ETIMEDOUT);
		claim_eq (goad_chan_send (ch[n - 2], &v), 0);
		claim_eq (goad_select (c, n), (int) n - 2);
		claim_eq (goad_chan_close (ch[0]), 0);
		claim_eq (goad_select (c, n), 0);
		claim_eq (c[0].status, -EPIPE);
		for (size_t i = 0; i < n; i++)
			claim_eq (goad_chan_destroy (ch[i]), 0);
		free (c);
		free (ch);
	}
}

Test (select, many_cases, .timeout = 40)
{
	run_both (many);
	claims_assert ();
}

/* For ever. */

static void no_case (void *arg)
{
	(void) arg;
	goad_select (NULL, 0);
	claim (false);
}

static void child_no_case (void *arg)
{
	exit (run_main (no_case, arg, 2, 0, 0) == -EDEADLK ? 0 : 1);
}

Test (select, without_cases_waits_for_ever, .timeout = 20, .disabled = TEST_SLOW)
{
	char out[4096];
	int status = child_run (child_no_case, NULL, 10, out, sizeof out);

	cr_assert (child_exited (status, 0), "%d: %s", status, out);
}

/* Everybody selects, on channels in different orders, sending and receiving: each value
 * that was sent is received once. */

enum { PARTIES = 6, CHANNELS = 3, MOVES = TEST_SLOW ? 500 : 3000 };

static struct mesh {
	goad_chan_t *ch[CHANNELS];
	_Atomic uint64_t sent, received, sent_sum, received_sum;
	bool deadlines;
} mesh;

static void party (void *arg)
{
	uint64_t me = (uint64_t) (uintptr_t) arg;

	for (uint64_t i = 0; i < MOVES; i++) {
		uint64_t out = me << 32 | i, in[CHANNELS];
		goad_case_t c[2 * CHANNELS];
		int k;

		for (uint64_t n = 0; n < CHANNELS; n++) {
			goad_chan_t *ch = mesh.ch[(n * (1 + me % 2) + me) % CHANNELS];
			c[2 * n] = (goad_case_t){ ch, GOAD_SEND, &out, 0 };
			c[2 * n + 1] = (goad_case_t){ ch, GOAD_RECV, &in[n], 0 };
		}
		k = goad_select_until (c, 2 * CHANNELS,
		                       mesh.deadlines ? goad_after ((i % 9 + 1) * GOAD_US) : GOAD_FOREVER);
		if (k < 0) {
			claim_eq (k, -ETIMEDOUT);
			goad_yield ();
		} else if (c[k].status == -EPIPE) {
			break;
		} else if (k & 1) {
			atomic_fetch_add (&mesh.received, 1);
			atomic_fetch_add (&mesh.received_sum, in[k / 2]);
		} else {
			atomic_fetch_add (&mesh.sent, 1);
			atomic_fetch_add (&mesh.sent_sum, out);
		}
	}
	/* The first to end tells the rest, who might wait for ever for a partner. */
	for (int n = 0; n < CHANNELS; n++)
		goad_chan_close (mesh.ch[n]);
}

static void *party_thread (void *arg)
{
	party (arg);
	return NULL;
}

static void mesh_main (void *arg)
{
	int foreign = *(int *) arg;
	goad_task_t *t[PARTIES];
	pthread_t th[PARTIES];

	mesh.sent = mesh.received = mesh.sent_sum = mesh.received_sum = 0;
	for (int i = 0; i < CHANNELS; i++)
		mesh.ch[i] = chan_make (8, i == CHANNELS - 1 ? 2 : 0);
	for (uintptr_t i = 0; i < PARTIES; i++)
		if ((int) i < foreign)
			claim_eq (pthread_create (&th[i], NULL, party_thread, (void *) (i + 1)), 0);
		else
			t[i] = start (party, (void *) (i + 1));
	for (int i = 0; i < PARTIES; i++)
		if (i < foreign)
			pthread_join (th[i], NULL);
		else
			claim_eq (goad_join (t[i]), 0);
	for (int i = 0; i < CHANNELS; i++) { /* what is in there still */
		uint64_t v;
		while (goad_chan_recv (mesh.ch[i], &v) == 0) {
			mesh.received++;
			mesh.received_sum += v;
		}
		claim_eq (goad_chan_destroy (mesh.ch[i]), 0);
	}
	claim_eq (mesh.sent, mesh.received);
	claim_eq (mesh.sent_sum, mesh.received_sum);
	claim (mesh.deadlines || mesh.sent >= MOVES / 2);
}

static void meshes (uint64_t quantum)
{
	for (int foreign = 0; foreign <= 3; foreign += 3)
		for (int deadlines = 0; deadlines < 2; deadlines++)
			for (int procs = 1; procs <= 2; procs++) {
				mesh.deadlines = deadlines;
				cr_assert_eq (run_main (mesh_main, &foreign, procs, quantum, 0), 0);
			}
	claims_assert ();
}

Test (select, everybody_selects, .timeout = 60)
{
	meshes (0);
}

Test (select, everybody_selects_at_a_short_quantum, .timeout = 60)
{
	program_scanned ();
	meshes (100 * GOAD_US);
}

Test (select, everybody_selects_in_chaos, .timeout = 100)
{
	for (int seed = 1; seed <= 4; seed++) {
		char text[32];
		snprintf (text, sizeof text, "chaos=%d", seed);
		setenv ("GOAD_DEBUG", text, 1);
		meshes (0);
	}
	unsetenv ("GOAD_DEBUG");
}
