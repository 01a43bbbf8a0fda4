/* SPDX-License-Identifier: MIT */
/* tests/api/mutex.c - mutual exclusion */
#include "tests/api/wait_kit.h"
#include "tests/harness.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

/* Mutex. */

static goad_mutex_t lock = GOAD_MUTEX_INIT;

static void lock_other (void *arg)
{
	uint64_t t0 = goad_now ();

	(void) arg;
	claim_eq (goad_mutex_trylock (&lock), -EBUSY);
	claim_eq (goad_mutex_lock_until (&lock, 0), -EAGAIN);
	claim_eq (goad_mutex_lock_until (&lock, 1), -ETIMEDOUT);
	claim_eq (goad_mutex_lock_until (&lock, goad_after (2 * GOAD_MS)), -ETIMEDOUT);
	claim (goad_now () - t0 >= 2 * GOAD_MS);
}

static void mutex_alone (void *arg)
{
	struct threaded th = { lock_other, NULL };
	pthread_t id;

	(void) arg;
	claim_eq (goad_mutex_lock (NULL), -EINVAL);
	claim_eq (goad_mutex_trylock (NULL), -EINVAL);
	claim_eq (goad_mutex_unlock (NULL), -EINVAL);
	claim_eq (goad_mutex_lock_until (NULL, 1), -EINVAL);
	claim_eq (goad_mutex_unlock (&lock), -EPERM);
	claim_eq (goad_mutex_lock (&lock), 0);
	claim_eq (goad_mutex_trylock (&lock), -EBUSY);
	if (goad_id ())
		claim_eq (goad_join (start (lock_other, NULL)), 0);
	pthread_create (&id, NULL, on_thread, &th);
	pthread_join (id, NULL);
	claim_eq (goad_mutex_unlock (&lock), 0);
	claim_eq (goad_mutex_unlock (&lock), -EPERM);
	claim_eq (goad_mutex_trylock (&lock), 0);
	claim_eq (goad_mutex_unlock (&lock), 0);
	claim_eq (goad_mutex_lock_until (&lock, 0), 0);
	claim_eq (goad_mutex_unlock (&lock), 0);
	claim_eq (goad_mutex_lock_until (&lock, 1), 0); /* tried before the clock is read */
	claim_eq (goad_mutex_unlock (&lock), 0);
}

Test (mutex, alone, .timeout = 20)
{
	run_both (mutex_alone);
	mutex_alone (NULL); /* on a foreign thread, with no runtime */
	claims_assert ();
}

static void unlock_anothers (void *arg)
{
	*(int *) arg = goad_mutex_unlock (&lock);
}

static void steal_unlock (void *arg)
{
	int rc[2] = { 1, 1 };
	struct threaded th = { unlock_anothers, &rc[1] };
	pthread_t id;

	(void) arg;
	claim_eq (goad_mutex_lock (&lock), 0);
	claim_eq (goad_join (start (unlock_anothers, &rc[0])), 0);
	pthread_create (&id, NULL, on_thread, &th);
	pthread_join (id, NULL);
	claim_eq (rc[0], -EPERM);
	claim_eq (rc[1], -EPERM);
	claim_eq (goad_mutex_unlock (&lock), 0);
}

static void child_steal (void *arg)
{
	run_main (steal_unlock, arg, 1, 0, 0);
	exit (claims_text ()[0] ? 1 : 0);
}

Test (mutex, of_another, .timeout = 20)
{
	char out[4096];
	int status = child_run (child_steal, NULL, 10, out, sizeof out);

	if (child_signalled (status, SIGABRT)) /* a debug build says so and ends */
		cr_assert (strstr (out, "goad_mutex_unlock"), "%s", out);
	else
		cr_assert (child_exited (status, 0), "%d: %s", status, out);
}

/* Mutual exclusion among coroutines and threads, with and without deadlines. */

enum { PARTIES = 6, ROUNDS = TEST_SLOW ? 2000 : 10000 };

static struct ring {
	goad_mutex_t m;
	long inside, total, failed;
	int rounds;
	bool deadlines;
} ring;

static void contend (void *arg)
{
	uintptr_t me = (uintptr_t) arg;

	for (int i = 0; i < ring.rounds; i++) {
		if (ring.deadlines && i % 3) {
			int rc = goad_mutex_lock_until (&ring.m, goad_after ((me + 1) * (i % 5 + 1) * 500));
			if (rc != 0) {
				claim_eq (rc, -ETIMEDOUT);
				continue;
			}
		} else {
			claim_eq (goad_mutex_lock (&ring.m), 0);
		}
		claim_eq (ring.inside++, 0);
		if (i % 64 == 0 && goad_id ())
			goad_yield ();
		if (i % 512 == 0)
			spin_for (20 * GOAD_US);
		ring.total++;
		ring.inside--;
		claim_eq (goad_mutex_unlock (&ring.m), 0);
	}
}

static void ring_main (void *arg)
{
	int foreign = *(int *) arg;
	goad_task_t *t[PARTIES];
	struct threaded th[PARTIES];
	pthread_t id[PARTIES];

	memset (&ring.m, 0, sizeof ring.m);
	ring.inside = ring.total = 0;
	for (uintptr_t i = 0; i < PARTIES; i++) {
		th[i] = (struct threaded){ contend, (void *) i };
		if ((int) i < foreign)
			pthread_create (&id[i], NULL, on_thread, &th[i]);
		else
			t[i] = start (contend, (void *) i);
	}
	for (int i = 0; i < PARTIES; i++)
		if (i < foreign)
			pthread_join (id[i], NULL);
		else
			claim_eq (goad_join (t[i]), 0);
	if (!ring.deadlines)
		claim_eq (ring.total, (long) PARTIES * ring.rounds);
	claim_eq (goad_mutex_trylock (&ring.m), 0);
	claim_eq (goad_mutex_unlock (&ring.m), 0);
	for (size_t i = 0; i < sizeof ring.m.goad_ / sizeof ring.m.goad_[0]; i++)
		claim_eq (ring.m.goad_[i], 0); /* nobody has left anything behind */
}

static void rings (uint64_t quantum)
{
	for (int foreign = 0; foreign <= PARTIES; foreign += PARTIES / 2)
		for (int deadlines = 0; deadlines < 2; deadlines++)
			for (int procs = 1; procs <= 2; procs++) {
				ring.deadlines = deadlines;
				ring.rounds = quantum ? ROUNDS / 4 : ROUNDS;
				cr_assert_eq (run_main (ring_main, &foreign, procs, quantum, 0), 0);
			}
	claims_assert ();
}

Test (mutex, excludes, .timeout = 60)
{
	rings (0);
}

Test (mutex, excludes_at_a_short_quantum, .timeout = 60)
{
	program_scanned ();
	rings (100 * GOAD_US);
}

Test (mutex, excludes_in_chaos, .timeout = 100)
{
	for (int seed = 1; seed <= 3; seed++) {
		char text[32];
		snprintf (text, sizeof text, "chaos=%d", seed);
		setenv ("GOAD_DEBUG", text, 1);
		rings (GOAD_MS);
	}
	unsetenv ("GOAD_DEBUG");
}

/* One that holds it nearly always does not keep the other out: after 1 ms it is its turn. */

static _Atomic int greedy_over;

static void greedy (void *arg)
{
	(void) arg;
	while (!atomic_load (&greedy_over)) {
		claim_eq (goad_mutex_lock (&ring.m), 0);
		spin_for (100 * GOAD_US);
		claim_eq (goad_mutex_unlock (&ring.m), 0);
	}
}

static void starving (void *arg)
{
	goad_task_t *t[2];

	(void) arg;
	atomic_store (&greedy_over, 0);
	for (int i = 0; i < 2; i++)
		t[i] = start (greedy, NULL);
	for (int i = 0; i < 30; i++) {
		goad_sleep (GOAD_MS);
		claim_eq (goad_mutex_lock_until (&ring.m, goad_after (10 * GOAD_S)), 0);
		claim_eq (goad_mutex_unlock (&ring.m), 0);
	}
	atomic_store (&greedy_over, 1);
	for (int i = 0; i < 2; i++)
		claim_eq (goad_join (t[i]), 0);
}

Test (mutex, starves_nobody, .timeout = 60)
{
	run_both (starving);
	claims_assert ();
}

/* Who gets the mutex last may free it at once. */

struct counted {
	goad_mutex_t m;
	int refs;
};

static void put (void *arg)
{
	struct counted *c = arg;
	int left;

	claim_eq (goad_mutex_lock (&c->m), 0);
	left = --c->refs;
	claim_eq (goad_mutex_unlock (&c->m), 0);
	if (left == 0) {
		memset (c, 0xff, sizeof *c);
		free (c);
	}
}

static void freed_at_once (void *arg)
{
	(void) arg;
	for (int i = 0; i < 3000; i++) {
		struct counted *c = calloc (1, sizeof *c);
		goad_task_t *t[3];
		c->refs = 3;
		for (int k = 0; k < 3; k++)
			t[k] = start (put, c);
		for (int k = 0; k < 3; k++)
			claim_eq (goad_join (t[k]), 0);
	}
}

Test (mutex, freed_by_the_last, .timeout = 60)
{
	run_both (freed_at_once);
	claims_assert ();
}
