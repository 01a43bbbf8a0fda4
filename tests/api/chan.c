/* SPDX-License-Identifier: MIT */
/* tests/api/chan.c - channels: every rule, from coroutines and foreign threads */
#include "tests/harness.h"
#include "tests/support.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static goad_chan_t *make (size_t size, size_t cap)
{
	goad_chan_t *ch = NULL;

	claim_eq (goad_chan_create (&ch, size, cap), 0);
	return ch;
}

/* How many coroutines wait for something. */
static void until_waiting (goad_task_t *t)
{
	goad_task_stats_t s;

	do {
		goad_yield ();
		claim_eq (goad_task_stats (t, &s), 0);
	} while (s.state != GOAD_STATE_WAITING);
}

static goad_task_t *start (goad_fn fn, void *arg)
{
	goad_task_t *t = NULL;

	claim_eq (goad_spawn (&t, NULL, fn, arg), 0);
	return t;
}

/* Alone. */

static void alone (void *arg)
{
	goad_chan_t *ch;
	uint64_t v = 7;

	(void) arg;
	claim_eq (goad_chan_create (NULL, 8, 1), -EINVAL);
	claim_eq (goad_chan_create (&ch, SIZE_MAX / 2, 3), -ENOMEM);
	claim_eq (goad_chan_create (&ch, SIZE_MAX / 4, 1), -ENOMEM);
	claim_eq (goad_chan_send (NULL, &v), -EINVAL);
	claim_eq (goad_chan_recv (NULL, &v), -EINVAL);
	claim_eq (goad_chan_try_send (NULL, &v), -EINVAL);
	claim_eq (goad_chan_try_recv (NULL, &v), -EINVAL);
	claim_eq (goad_chan_send_until (NULL, &v, 1), -EINVAL);
	claim_eq (goad_chan_recv_until (NULL, &v, 1), -EINVAL);
	claim_eq (goad_chan_close (NULL), -EINVAL);
	claim_eq (goad_chan_destroy (NULL), -EINVAL);
	claim_eq (goad_chan_len (NULL), 0);
	claim_eq (goad_chan_cap (NULL), 0);

	ch = make (8, 3);
	claim_eq (goad_chan_send (ch, NULL), -EINVAL);
	claim_eq (goad_chan_cap (ch), 3);
	claim_eq (goad_chan_try_recv (ch, &v), -EAGAIN);
	claim_eq (goad_chan_recv_until (ch, &v, goad_now ()), -ETIMEDOUT);
	claim_eq (goad_chan_recv_until (ch, &v, 1), -ETIMEDOUT);
	claim_eq (v, 7);
	for (int round = 0; round < 5; round++) { /* around the ring */
		for (v = 0; v < 3; v++) {
			claim_eq (goad_chan_len (ch), v);
			claim_eq (goad_chan_send (ch, &v), 0);
		}
		claim_eq (goad_chan_try_send (ch, &v), -EAGAIN);
		claim_eq (goad_chan_send_until (ch, &v, goad_after (GOAD_MS)), -ETIMEDOUT);
		claim_eq (goad_chan_send_until (ch, &v, 1), -ETIMEDOUT);
		for (uint64_t want = 0; want < 2; want++) {
			claim_eq (goad_chan_recv_until (ch, &v, 1), 0); /* tried before the clock is read */
			claim_eq (v, want);
		}
		claim_eq (goad_chan_recv (ch, NULL), 0); /* thrown away */
		claim_eq (goad_chan_len (ch), 0);
	}
	v = 42;
	claim_eq (goad_chan_try_send (ch, &v), 0);
	claim_eq (goad_chan_close (ch), 0);
	claim_eq (goad_chan_close (ch), -EPIPE);
	claim_eq (goad_chan_send (ch, &v), -EPIPE);
	claim_eq (goad_chan_try_send (ch, &v), -EPIPE);
	v = 1;
	claim_eq (goad_chan_recv (ch, &v), 0); /* what was in it comes out still */
	claim_eq (v, 42);
	claim_eq (goad_chan_recv (ch, &v), -EPIPE);
	claim_eq (v, 0);
	v = 1;
	claim_eq (goad_chan_try_recv (ch, &v), -EPIPE);
	claim_eq (v, 0);
	claim_eq (goad_chan_recv (ch, NULL), -EPIPE);
	claim_eq (goad_chan_destroy (ch), 0);

	ch = make (8, 2);
	claim_eq (goad_chan_send (ch, &v), 0);
	claim_eq (goad_chan_destroy (ch), 0); /* with what is in it */
	ch = make (8, 0);
	claim_eq (goad_chan_try_send (ch, &v), -EAGAIN);
	claim_eq (goad_chan_try_recv (ch, &v), -EAGAIN);
	claim_eq (goad_chan_send_until (ch, &v, goad_after (GOAD_MS)), -ETIMEDOUT);
	claim_eq (goad_chan_recv_until (ch, &v, goad_after (GOAD_MS)), -ETIMEDOUT);
	claim_eq (goad_chan_destroy (ch), 0);
}

Test (chan, alone, .timeout = 20)
{
	cr_assert_eq (run_main (alone, NULL, 1, 0, 0), 0);
	cr_assert_eq (run_main (alone, NULL, 2, 0, 0), 0);
	alone (NULL); /* on a foreign thread, with no runtime */
	claims_assert ();
}

/* Elements of every size, through a buffer and through a meeting. */

enum { BIG = 5000 };

struct sized {
	goad_chan_t *ch;
	size_t size;
	int n;
};

static void send_sized (void *arg)
{
	struct sized *s = arg;
	unsigned char e[BIG];

	for (int i = 0; i < s->n; i++) {
		memset (e, i + 1, s->size);
		claim_eq (goad_chan_send (s->ch, e), 0);
	}
}

static void sizes (void *arg)
{
	static const size_t size[] = { 0, 1, 3, 4, 8, 9, 24, 64, BIG };

	(void) arg;
	for (size_t i = 0; i < sizeof size / sizeof *size; i++)
		for (size_t cap = 0; cap < 6; cap += 5) {
			struct sized s = { make (size[i], cap), size[i], 20 };
			unsigned char e[BIG + 1];
			goad_task_t *t = start (send_sized, &s);

			for (int k = 0; k < s.n; k++) {
				memset (e, 0xee, sizeof e);
				claim_eq (goad_chan_recv (s.ch, e), 0);
				for (size_t b = 0; b < size[i]; b++)
					claim (e[b] == k + 1);
				claim (e[size[i]] == 0xee);
			}
			claim_eq (goad_join (t), 0);
			claim_eq (goad_chan_destroy (s.ch), 0);
		}
	goad_chan_t *ch = make (0, SIZE_MAX); /* takes no memory */
	claim_eq (goad_chan_send (ch, NULL), 0);
	claim_eq (goad_chan_send (ch, NULL), 0);
	claim_eq (goad_chan_len (ch), 2);
	claim_eq (goad_chan_recv (ch, NULL), 0);
	claim_eq (goad_chan_destroy (ch), 0);
}

Test (chan, elements_of_all_sizes, .timeout = 20)
{
	for (int procs = 1; procs <= 2; procs++)
		cr_assert_eq (run_main (sizes, NULL, procs, 0, 0), 0);
	claims_assert ();
}

/* First come, first served. */

enum { WAITERS = 10 };

static goad_chan_t *line;
static int served[WAITERS];

static void recv_in_line (void *arg)
{
	int v = -1;

	claim_eq (goad_chan_recv (line, &v), 0);
	served[(int *) arg - served] = v;
}

static void send_in_line (void *arg)
{
	int v = (int) ((int *) arg - served);

	claim_eq (goad_chan_send (line, &v), 0);
}

static void in_order (void *arg)
{
	goad_task_t *t[WAITERS];
	int v;

	(void) arg;
	line = make (sizeof (int), 0);
	for (int i = 0; i < WAITERS; i++) {
		t[i] = start (recv_in_line, &served[i]);
		until_waiting (t[i]);
	}
	claim_eq (goad_chan_destroy (line), -EBUSY);
	for (v = 0; v < WAITERS; v++)
		claim_eq (goad_chan_send (line, &v), 0);
	for (int i = 0; i < WAITERS; i++) {
		claim_eq (goad_join (t[i]), 0);
		claim_eq (served[i], i);
	}
	claim_eq (goad_chan_destroy (line), 0);
	for (size_t cap = 0; cap < 4; cap++) {
		line = make (sizeof (int), cap);
		for (int i = 0; i < WAITERS; i++) {
			t[i] = start (send_in_line, &served[i]);
			if ((size_t) i >= cap)
				until_waiting (t[i]);
			else
				claim_eq (goad_join (t[i]), 0);
		}
		claim_eq (goad_chan_len (line), cap);
		claim_eq (goad_chan_destroy (line), -EBUSY);
		for (int i = 0; i < WAITERS; i++) {
			claim_eq (goad_chan_recv (line, &v), 0);
			claim_eq (v, i);
		}
		for (int i = (int) cap; i < WAITERS; i++)
			claim_eq (goad_join (t[i]), 0);
		claim_eq (goad_chan_destroy (line), 0);
	}
}

Test (chan, first_come_first_served, .timeout = 20)
{
	for (int procs = 1; procs <= 2; procs++)
		cr_assert_eq (run_main (in_order, NULL, procs, 0, 0), 0);
	claims_assert ();
}

/* Close. */

static void recv_closed (void *arg)
{
	uint64_t v = 99;

	(void) arg;
	claim_eq (goad_chan_recv (line, &v), -EPIPE);
	claim_eq (v, 0);
}

static void send_closed (void *arg)
{
	uint64_t v = 99;

	(void) arg;
	claim_eq (goad_chan_send (line, &v), -EPIPE);
}

static void recv_closed_until (void *arg)
{
	uint64_t v = 99;

	(void) arg;
	claim_eq (goad_chan_recv_until (line, &v, goad_after (100 * GOAD_S)), -EPIPE);
	claim_eq (v, 0);
}

static void close_wakes (void *arg)
{
	static const goad_fn fn[] = { recv_closed, send_closed, recv_closed_until };
	goad_task_t *t[WAITERS];

	(void) arg;
	for (int how = 0; how < 3; how++) {
		line = make (sizeof (uint64_t), 0);
		for (int i = 0; i < WAITERS; i++) {
			t[i] = start (fn[how], NULL);
			until_waiting (t[i]);
		}
		claim_eq (goad_chan_close (line), 0);
		/* Whoever waited has done with it although it has not run yet. */
		claim_eq (goad_chan_destroy (line), 0);
		for (int i = 0; i < WAITERS; i++)
			claim_eq (goad_join (t[i]), 0);
	}
	/* A sender that waits is not in the channel: what is buffered comes, then the end. */
	uint64_t v = 5;
	line = make (sizeof v, 1);
	claim_eq (goad_chan_send (line, &v), 0);
	t[0] = start (send_closed, NULL);
	until_waiting (t[0]);
	claim_eq (goad_chan_close (line), 0);
	claim_eq (goad_chan_recv (line, &v), 0);
	claim_eq (v, 5);
	claim_eq (goad_chan_recv (line, &v), -EPIPE);
	claim_eq (goad_join (t[0]), 0);
	claim_eq (goad_chan_destroy (line), 0);
}

Test (chan, close_wakes_all, .timeout = 20)
{
	for (int procs = 1; procs <= 2; procs++)
		cr_assert_eq (run_main (close_wakes, NULL, procs, 0, 0), 0);
	claims_assert ();
}

/* Waiting for ever is found out. */

static void for_ever (void *arg)
{
	uint64_t v = 0;
	goad_chan_t *ch = make (8, 0);

	(void) arg;
	goad_chan_send (ch, &v);
	claim (false);
}

static void child_for_ever (void *arg)
{
	exit (run_main (for_ever, arg, 2, 0, 0) == -EDEADLK ? 0 : 1);
}

Test (chan, deadlock_is_found, .timeout = 20)
{
	char out[4096];
	int status = child_run (child_for_ever, NULL, 10, out, sizeof out);

	cr_assert (child_exited (status, 0), "%d: %s", status, out);
	cr_assert (strstr (out, "deadlock"), "%s", out);
	claims_assert ();
}

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
	c.ch = make (8, plan->cap);
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
	goad_chan_t *ch[3] = { make (8, 0), make (8, 0), make (0, 0) };
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
	struct race r = { .ch = make (8, 0) };
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

/* The one that is woken destroys, while the one that woke it may be at it still. */

static void give (void *arg)
{
	uint64_t v = 1;

	claim_eq (goad_chan_send (arg, &v), 0);
}

static void destroy_at_once (void *arg)
{
	(void) arg;
	for (int i = 0; i < 3000; i++) {
		goad_chan_t *ch = make (8, 0);
		uint64_t v;
		claim_eq (goad_go (give, ch), 0);
		claim_eq (goad_chan_recv (ch, &v), 0);
		claim_eq (goad_chan_destroy (ch), 0);
	}
}

Test (chan, destroy_after_the_last_word, .timeout = 40)
{
	for (int procs = 1; procs <= 2; procs++)
		cr_assert_eq (run_main (destroy_at_once, NULL, procs, 0, 0), 0);
	claims_assert ();
}

/* In mode COOP a call that need not wait is a place to be preempted all the same. */

static _Atomic int other_ran;

static void other (void *arg)
{
	(void) arg;
	atomic_store (&other_ran, 1);
	goad_yield ();
}

static void coop_main (void *arg)
{
	goad_chan_t *ch = make (8, 1);
	goad_task_t *t;
	uint64_t v = 0, end = goad_after (5 * GOAD_S);

	(void) arg;
	t = start (other, NULL);
	while (!atomic_load (&other_ran) && goad_now () < end) {
		claim_eq (goad_chan_send (ch, &v), 0);
		claim_eq (goad_chan_recv (ch, &v), 0);
	}
	claim (atomic_load (&other_ran));
	claim_eq (goad_join (t), 0);
	claim_eq (goad_chan_destroy (ch), 0);
}

Test (chan, calls_are_places_to_be_preempted, .timeout = 20)
{
	cr_assert_eq (run_main (coop_main, NULL, 1, GOAD_MS, GOAD_PREEMPT_COOP), 0);
	claims_assert ();
}
