/* SPDX-License-Identifier: MIT */
/* tests/api/chan_crowd.c - many on one channel: coroutines and threads, deadlines, hogs, chaos */
#include "tests/api/wait_kit.h"
#include "tests/harness.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* Many senders, many receivers: each element arrives once, and those of one sender in
 * its order.  Some are foreign threads, some have deadlines. */

enum { SIDES = 4, EACH = TEST_SLOW ? 1000 : 4000 };

struct crowd {
	goad_chan_t *ch;
	_Atomic int senders;
	uint8_t seen[SIDES][EACH];
	bool impatient;
	int each;
};

struct side {
	struct crowd *c;
	int i;
};

static int send_patiently (struct crowd *c, const uint64_t *v)
{
	int rc;

	if (!c->impatient)
		return goad_chan_send (c->ch, v);
	while ((rc = goad_chan_send_until (c->ch, v, goad_after ((*v % 7 + 1) * 3 * GOAD_US))) ==
	       -ETIMEDOUT)
		goad_yield ();
	return rc;
}

static int recv_patiently (struct crowd *c, uint64_t *v)
{
	int rc;

	if (!c->impatient)
		return goad_chan_recv (c->ch, v);
	do {
		*v = 12345;
		rc = goad_chan_recv_until (c->ch, v, goad_after (5 * GOAD_US));
		if (rc == -ETIMEDOUT)
			claim_eq (*v, 12345), goad_yield ();
	} while (rc == -ETIMEDOUT);
	return rc;
}

static void crowd_send (void *arg)
{
	struct side *s = arg;

	for (int i = 0; i < s->c->each; i++) {
		uint64_t v = (uint64_t) s->i << 32 | (uint64_t) i;
		claim_eq (send_patiently (s->c, &v), 0);
	}
	if (atomic_fetch_sub (&s->c->senders, 1) == 1)
		claim_eq (goad_chan_close (s->c->ch), 0);
}

static void crowd_recv (void *arg)
{
	struct side *s = arg;
	uint64_t v, last[SIDES] = { 0 };
	int rc;

	while ((rc = recv_patiently (s->c, &v)) == 0) {
		uint64_t from = v >> 32, i = (uint32_t) v + 1;
		claim (from < SIDES && i <= EACH);
		claim (i > last[from]); /* in order, for each receiver */
		last[from] = i;
		claim_eq (__atomic_fetch_add (&s->c->seen[from][i - 1], 1, __ATOMIC_RELAXED), 0);
	}
	claim_eq (rc, -EPIPE);
}

static void *thread_send (void *arg)
{
	crowd_send (arg);
	return NULL;
}

static void *thread_recv (void *arg)
{
	crowd_recv (arg);
	return NULL;
}

struct plan {
	size_t cap;
	int foreign; /* of each side's SIDES */
	bool impatient;
	bool hogs;
};

static void crowd_main (void *arg)
{
	const struct plan *plan = arg;
	static struct crowd c;
	struct side s[SIDES];
	goad_task_t *t[2 * SIDES];
	pthread_t th[2 * SIDES];
	struct hog hog[2];
	_Atomic int stop = 0;

	memset (&c, 0, sizeof c);
	c.ch = chan_make (8, plan->cap);
	c.senders = SIDES;
	c.impatient = plan->impatient;
	c.each = plan->hogs ? EACH / 10 : EACH;
	for (int i = 0; plan->hogs && i < 2; i++)
		claim_eq (hog_spawn (&hog[i], NULL, &stop), 0);
	for (int i = 0; i < SIDES; i++) {
		s[i] = (struct side){ &c, i };
		if (i < plan->foreign) {
			claim_eq (pthread_create (&th[2 * i], NULL, thread_send, &s[i]), 0);
			claim_eq (pthread_create (&th[2 * i + 1], NULL, thread_recv, &s[i]), 0);
		} else {
			t[2 * i] = start (crowd_send, &s[i]);
			t[2 * i + 1] = start (crowd_recv, &s[i]);
		}
	}
	for (int i = 2 * plan->foreign; i < 2 * SIDES; i++)
		claim_eq (goad_join (t[i]), 0);
	for (int i = 0; i < 2 * plan->foreign; i++)
		pthread_join (th[i], NULL);
	atomic_store (&stop, 1);
	for (int i = 0; plan->hogs && i < 2; i++)
		claim_eq (goad_join (hog[i].task), 0);
	for (int i = 0; i < SIDES; i++)
		for (int k = 0; k < c.each; k++)
			claim_eq (c.seen[i][k], 1);
	claim_eq (goad_chan_destroy (c.ch), 0);
}

static void crowds (int foreign, bool impatient, bool hogs)
{
	for (size_t cap = 0; cap <= 10; cap += cap ? 9 : 1)
		for (int procs = 1; procs <= 2; procs++) {
			struct plan plan = { cap, foreign, impatient, hogs };
			cr_assert_eq (run_main (crowd_main, &plan, procs, hogs ? 100 * GOAD_US : 0, 0), 0);
		}
	claims_assert ();
}

Test (chan, crowd, .timeout = 60)
{
	crowds (0, false, false);
}

Test (chan, crowd_with_foreign_threads, .timeout = 100)
{
	crowds (2, false, false);
}

Test (chan, crowd_of_foreign_threads, .timeout = 100)
{
	crowds (SIDES, false, false);
}

Test (chan, crowd_with_deadlines, .timeout = 100)
{
	crowds (0, true, false);
}

Test (chan, crowd_with_deadlines_and_foreign_threads, .timeout = 100)
{
	crowds (1, true, false);
}

Test (chan, crowd_beside_hogs, .timeout = 100)
{
	program_scanned ();
	crowds (0, false, true);
	crowds (1, true, true);
}

Test (chan, crowd_in_chaos, .timeout = 100)
{
	for (int seed = 1; seed <= 3; seed++) {
		char text[32];
		snprintf (text, sizeof text, "chaos=%d", seed);
		setenv ("GOAD_DEBUG", text, 1);
		crowds (1, true, false);
	}
	unsetenv ("GOAD_DEBUG");
}

/* A foreign thread waits, a coroutine wakes it, and the other way round; with
 * deadlines. */

static void *foreign_echo (void *arg)
{
	goad_chan_t **ch = arg;
	uint64_t v;

	claim_eq (goad_chan_recv_until (ch[0], &v, goad_after (GOAD_MS)), -ETIMEDOUT);
	claim_eq (goad_chan_send_until (ch[1], &v, goad_after (GOAD_MS)), -ETIMEDOUT);
	claim_eq (goad_chan_send (ch[2], NULL), 0);
	while (goad_chan_recv (ch[0], &v) == 0)
		claim_eq (goad_chan_send (ch[1], &v), 0);
	claim_eq (goad_chan_close (ch[1]), 0);
	return NULL;
}

static void echo_main (void *arg)
{
	goad_chan_t *ch[3] = { chan_make (8, 0), chan_make (8, 0), chan_make (0, 0) };
	pthread_t th;
	uint64_t v;

	(void) arg;
	claim_eq (pthread_create (&th, NULL, foreign_echo, ch), 0);
	claim_eq (goad_chan_recv (ch[2], NULL), 0);
	for (uint64_t i = 0; i < 500; i++) {
		claim_eq (goad_chan_send (ch[0], &i), 0);
		claim_eq (goad_chan_recv (ch[1], &v), 0);
		claim_eq (v, i);
	}
	claim_eq (goad_chan_close (ch[0]), 0);
	claim_eq (goad_chan_recv (ch[1], &v), -EPIPE);
	pthread_join (th, NULL);
	for (int i = 0; i < 3; i++)
		claim_eq (goad_chan_destroy (ch[i]), 0);
}

Test (chan, foreign_echo, .timeout = 40)
{
	for (int procs = 1; procs <= 2; procs++)
		cr_assert_eq (run_main (echo_main, NULL, procs, 0, 0), 0);
	claims_assert ();
}

/* A waiter whose deadline comes while it is served: one or the other, and no element is
 * lost or comes twice. */

struct race {
	goad_chan_t *ch;
	uint64_t got, sent;
	_Atomic int over;
};

static void race_recv (void *arg)
{
	struct race *r = arg;

	for (uint64_t n = 0; !atomic_load (&r->over); n++) {
		uint64_t v = UINT64_MAX;
		int rc = goad_chan_recv_until (r->ch, &v, goad_after (n % 60 * 500));
		if (rc == 0)
			claim_eq (v, r->got++);
		else
			claim (rc == -ETIMEDOUT && v == UINT64_MAX);
	}
}

static void race_main (void *arg)
{
	struct race r = { .ch = chan_make (8, 0) };
	goad_task_t *t = start (race_recv, &r);
	uint64_t end = goad_after (300 * GOAD_MS);

	(void) arg;
	for (uint64_t n = 0; goad_now () < end; n++) {
		int rc = goad_chan_send_until (r.ch, &r.sent, goad_after (n % 50 * 600));
		if (rc == 0)
			r.sent++;
		else
			claim_eq (rc, -ETIMEDOUT);
	}
	atomic_store (&r.over, 1);
	claim_eq (goad_join (t), 0);
	claim_eq (r.got, r.sent);
	claim (r.sent > 0);
	claim_eq (goad_chan_destroy (r.ch), 0);
}

Test (chan, deadlines_race_with_peers, .timeout = 40)
{
	for (int procs = 1; procs <= 2; procs++)
		cr_assert_eq (run_main (race_main, NULL, procs, 0, 0), 0);
	claims_assert ();
}
