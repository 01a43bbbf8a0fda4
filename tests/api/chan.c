/* SPDX-License-Identifier: MIT */
/* tests/api/chan.c - channels: every rule, from coroutines and foreign threads */
#include "tests/api/wait_kit.h"
#include "tests/harness.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Alone. */

static void alone (void *arg)
{
	goad_chan_t *ch;
	uint64_t v = 7;

	(void) arg;
	claim_eq (goad_chan_create (NULL, 8, 1), -EINVAL);
	claim_eq (goad_chan_create (&ch, SIZE_MAX / 2, 3), -ENOMEM);
	if (!TEST_SLOW) /* sanitizers end the program instead */
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

	ch = chan_make (8, 3);
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

	ch = chan_make (8, 2);
	claim_eq (goad_chan_send (ch, &v), 0);
	claim_eq (goad_chan_destroy (ch), 0); /* with what is in it */
	ch = chan_make (8, 0);
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
			struct sized s = { chan_make (size[i], cap), size[i], 20 };
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
	goad_chan_t *ch = chan_make (0, SIZE_MAX); /* takes no memory */
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
	line = chan_make (sizeof (int), 0);
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
		line = chan_make (sizeof (int), cap);
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
		line = chan_make (sizeof (uint64_t), 0);
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
	line = chan_make (sizeof v, 1);
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
	goad_chan_t *ch = chan_make (8, 0);

	(void) arg;
	goad_chan_send (ch, &v);
	claim (false);
}

static void child_for_ever (void *arg)
{
	exit (run_main (for_ever, arg, 2, 0, 0) == -EDEADLK ? 0 : 1);
}

/* ThreadSanitizer has a thread of its own, which might wake somebody. */
Test (chan, deadlock_is_found, .timeout = 20, .disabled = TEST_SLOW)
{
	char out[4096];
	int status = child_run (child_for_ever, NULL, 10, out, sizeof out);

	cr_assert (child_exited (status, 0), "%d: %s", status, out);
	cr_assert (strstr (out, "deadlock"), "%s", out);
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
		goad_chan_t *ch = chan_make (8, 0);
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
	goad_chan_t *ch = chan_make (8, 1);
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

/* Calls from coroutines whose P was taken while they were in the kernel, announced or
 * not: they find another before they park. */

static struct away {
	goad_chan_t *to, *from;
	bool announced;
} away;

static void answer_from_the_kernel (void *arg)
{
	uint64_t v;

	(void) arg;
	for (int i = 0; i < 5; i++) {
		if (away.announced)
			goad_block_begin ();
		usleep (30000);
		claim_eq (goad_chan_send (away.to, &(uint64_t){ 5 }), 0);
		if (away.announced) {
			goad_block_end ();
			goad_block_begin ();
			usleep (30000);
		}
		claim_eq (goad_chan_recv (away.from, &v), 0);
		claim_eq (v, 6);
		if (away.announced)
			goad_block_end ();
	}
}

static void without_a_p (void *arg)
{
	_Atomic int stop = 0;
	struct hog hog;
	goad_task_t *t;
	uint64_t v;

	away = (struct away){ chan_make (8, 0), chan_make (8, 0), *(bool *) arg };
	claim_eq (hog_spawn (&hog, NULL, &stop), 0);
	t = start (answer_from_the_kernel, NULL);
	for (int i = 0; i < 5; i++) {
		claim_eq (goad_chan_recv (away.to, &v), 0);
		claim_eq (v, 5);
		v = 6;
		claim_eq (goad_chan_send (away.from, &v), 0);
	}
	claim_eq (goad_join (t), 0);
	atomic_store (&stop, 1);
	claim_eq (goad_join (hog.task), 0);
	claim_eq (goad_chan_destroy (away.to), 0);
	claim_eq (goad_chan_destroy (away.from), 0);
}

Test (chan, from_the_kernel_without_a_p, .timeout = 60)
{
	for (int announced = 0; announced < 2; announced++)
		for (int procs = 1; procs <= 2; procs++)
			cr_assert_eq (run_main (without_a_p, &(bool){ announced }, procs, GOAD_MS, 0), 0);
	claims_assert ();
}
