/* SPDX-License-Identifier: MIT */
/* tests/api/wait_rules.c - what holds for channels, select and locks together: the order of
 * those who wait in different ways, errno, memory, whose lock it is */
#include "tests/api/wait_kit.h"
#include "tests/harness.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/* First come, first served, however they wait; who gave up meanwhile is passed over. */

enum { LINE = 9 };

static goad_chan_t *ch, *never;
static int served[LINE];

static void receive_some_way (void *arg)
{
	int me = (int) (uintptr_t) arg, v = -1, w = -1;
	goad_case_t c[2] = { { never, GOAD_RECV, &w, 0 }, { ch, GOAD_RECV, &v, 0 } };

	if (me % 4 == 3) {
		claim_eq (goad_chan_recv_until (ch, &v, goad_after (20 * GOAD_MS)), -ETIMEDOUT);
		claim_eq (v, -1);
	} else if (me % 4 == 2) {
		claim_eq (goad_chan_recv_until (ch, &v, goad_after (100 * GOAD_S)), 0);
	} else if (me % 4 == 1) {
		claim_eq (goad_select (c, 2), 1);
	} else {
		claim_eq (goad_chan_recv (ch, &v), 0);
	}
	claim_eq (w, -1);
	served[me] = v;
}

static void in_one_line (void *arg)
{
	goad_task_t *t[LINE];
	int next = 0;

	(void) arg;
	ch = chan_make (sizeof (int), 0);
	never = chan_make (sizeof (int), 0);
	for (uintptr_t i = 0; i < LINE; i++) {
		t[i] = start (receive_some_way, (void *) i);
		until_waiting (t[i]);
	}
	for (int i = 3; i < LINE; i += 4)
		claim_eq (goad_join (t[i]), 0);
	for (int i = 0; i < LINE; i++)
		if (i % 4 != 3)
			claim_eq (goad_chan_try_send (ch, &i), 0);
	claim_eq (goad_chan_try_send (ch, &next), -EAGAIN);
	for (int i = 0; i < LINE; i++)
		if (i % 4 != 3) {
			claim_eq (goad_join (t[i]), 0);
			claim_eq (served[i], i);
		}
	claim_eq (goad_chan_destroy (ch), 0);
	claim_eq (goad_chan_destroy (never), 0);
}

Test (wait_rules, one_line_for_all_ways_to_wait, .timeout = 20)
{
	run_both (in_one_line);
	claims_assert ();
}

/* A channel on which a thread waits is not destroyed either. */

static void receive_on_a_thread (void *arg)
{
	int v = 0;

	claim_eq (goad_chan_recv (arg, &v), 0);
	claim_eq (v, 9);
}

Test (wait_rules, a_thread_that_waits_keeps_the_channel, .timeout = 20)
{
	struct threaded th;
	pthread_t id;
	int v = 9;

	ch = chan_make (sizeof (int), 0);
	th = (struct threaded){ receive_on_a_thread, ch };
	pthread_create (&id, NULL, on_thread, &th);
	/* There is no way to ask whether it waits but this. */
	while (goad_chan_try_send (ch, &v) == -EAGAIN)
		usleep (1000);
	pthread_join (id, NULL);
	claim_eq (goad_chan_destroy (ch), 0);
	ch = chan_make (sizeof (int), 0);
	th.arg = ch;
	pthread_create (&id, NULL, on_thread, &th);
	usleep (20000); /* it may wait by now; if not, nothing is asked of the next line */
	while (goad_chan_send_until (ch, &v, goad_after (GOAD_MS)) != 0)
		;
	pthread_join (id, NULL);
	claim_eq (goad_chan_destroy (ch), 0);
	claims_assert ();
}

/* errno is left alone, by what succeeds and what does not, with a wait and without. */

static void pass_the_time (void *arg)
{
	int v = 0;

	for (int i = 0; i < 3; i++) {
		goad_sleep (100 * GOAD_US);
		claim_eq (goad_chan_recv (arg, &v), 0);
	}
}

static void errno_stays (void *arg)
{
	static goad_mutex_t m;
	goad_case_t c = { NULL, GOAD_RECV, NULL, 0 };
	goad_task_t *t;
	goad_sem_t s;
	int v = 1;

	(void) arg;
	ch = chan_make (sizeof (int), 0);
	errno = 42;
	claim_eq (goad_chan_send (NULL, &v), -EINVAL);
	claim_eq (goad_chan_try_send (ch, &v), -EAGAIN); /* before there is one to receive */
	t = start (pass_the_time, ch);
	for (int i = 0; i < 3; i++)
		claim_eq (goad_chan_send (ch, &v), 0);
	claim_eq (goad_chan_recv_until (ch, &v, goad_after (GOAD_MS)), -ETIMEDOUT);
	claim_eq (goad_select_until (&c, 1, goad_after (GOAD_MS)), -ETIMEDOUT);
	claim_eq (goad_chan_close (ch), 0);
	claim_eq (goad_chan_recv (ch, &v), -EPIPE);
	claim_eq (goad_mutex_unlock (&m), -EPERM);
	claim_eq (goad_sem_init (&s, 0), 0);
	claim_eq (goad_sem_acquire_until (&s, goad_after (GOAD_MS)), -ETIMEDOUT);
	claim_eq (goad_join (t), 0);
	claim_eq (errno, 42);
	claim_eq (goad_chan_destroy (ch), 0);
}

Test (wait_rules, errno_is_left_alone, .timeout = 20)
{
	run_both (errno_stays);
	claims_assert ();
}

/* Nothing is allocated after the making of a channel: to wait for one of many, for a time,
 * or for a lock, takes no memory from malloc. */

#if TEST_SLOW
#define COUNTS_MALLOC 0 /* a sanitizer's */
#else
#define COUNTS_MALLOC 1
static _Atomic int counting, mallocs;
extern void *__libc_malloc (size_t size);

void *malloc (size_t size)
{
	if (atomic_load_explicit (&counting, memory_order_relaxed))
		atomic_fetch_add (&mallocs, 1);
	return __libc_malloc (size);
}

static void converse (void *arg)
{
	goad_chan_t **to = arg;
	int v = 0;

	for (int i = 0; i < 300; i++) {
		goad_case_t c[2] = { { to[0], GOAD_RECV, &v, 0 }, { to[1], GOAD_SEND, &i, 0 } };

		claim (goad_select_until (c, 2, goad_after (GOAD_S)) >= 0);
	}
}

static void count_mallocs (void *arg)
{
	goad_chan_t *to[2] = { chan_make (sizeof (int), 0), chan_make (sizeof (int), 2) };
	goad_task_t *t[4];
	goad_case_t many[100];
	int v;

	(void) arg;
	for (int i = 0; i < 4; i++)
		t[i] = start (converse, to);
	for (int i = 0; i < 100; i++)
		many[i] = (goad_case_t){ to[0], GOAD_RECV, &v, 0 };
	atomic_store (&counting, 1);
	for (int left = 4; left > 0;) {
		claim (goad_chan_send_until (to[0], &left, goad_after (100 * GOAD_US)) <= 0);
		claim (goad_chan_recv_until (to[1], &v, goad_after (100 * GOAD_US)) <= 0);
		if (goad_join_until (t[left - 1], 0) == 0)
			left--;
	}
	while (goad_chan_try_recv (to[1], &v) == 0)
		;
	claim_eq (goad_select_until (many, 100, goad_after (GOAD_MS)), -ETIMEDOUT);
	atomic_store (&counting, 0);
	claim_eq (goad_chan_destroy (to[0]), 0);
	claim_eq (goad_chan_destroy (to[1]), 0);
}
#endif

Test (wait_rules, nothing_is_allocated, .timeout = 40, .disabled = !COUNTS_MALLOC)
{
#if COUNTS_MALLOC
	void *volatile p;

	atomic_store (&counting, 1);
	p = malloc (1);
	atomic_store (&counting, 0);
	free (p);
	cr_assert_gt (atomic_exchange (&mallocs, 0), 0, "this program's malloc is not used");
	run_both (count_mallocs);
	claims_assert ();
	cr_assert_eq (mallocs, 0, "%d", mallocs);
#endif
}

/* Who has not locked it for writing does not unlock it. */

static goad_rwlock_t rw;

static void unlock_anothers (void *arg)
{
	*(int *) arg = goad_rwlock_unlock (&rw);
}

static void unlock_for_another (void *arg)
{
	int rc = 1;

	(void) arg;
	claim_eq (goad_rwlock_wrlock (&rw), 0);
	claim_eq (goad_join (start (unlock_anothers, &rc)), 0);
	claim_eq (rc, -EPERM);
	claim_eq (goad_rwlock_tryrdlock (&rw), -EBUSY);
	claim_eq (goad_rwlock_unlock (&rw), 0);
}

static void child_unlocks (void *arg)
{
	run_main (unlock_for_another, arg, 1, 0, 0);
	exit (claims_text ()[0] ? 1 : 0);
}

Test (wait_rules, a_writers_lock_is_his, .timeout = 20)
{
	char out[4096];
	int status = child_run (child_unlocks, NULL, 10, out, sizeof out);

	if (child_signalled (status, SIGABRT)) /* a debug build says so and ends */
		cr_assert (strstr (out, "goad_rwlock_unlock"), "%s", out);
	else
		cr_assert (child_exited (status, 0), "%d: %s", status, out);
}
