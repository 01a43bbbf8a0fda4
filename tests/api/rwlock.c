/* SPDX-License-Identifier: MIT */
/* tests/api/rwlock.c - readers and writers */
#include "tests/api/wait_kit.h"
#include "tests/harness.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

static goad_rwlock_t lock;

static void alone (void *arg)
{
	(void) arg;
	claim_eq (goad_rwlock_rdlock (NULL), -EINVAL);
	claim_eq (goad_rwlock_wrlock (NULL), -EINVAL);
	claim_eq (goad_rwlock_tryrdlock (NULL), -EINVAL);
	claim_eq (goad_rwlock_trywrlock (NULL), -EINVAL);
	claim_eq (goad_rwlock_unlock (NULL), -EINVAL);
	claim_eq (goad_rwlock_unlock (&lock), -EPERM);
	for (int i = 0; i < 2; i++) {
		claim_eq (goad_rwlock_rdlock (&lock), 0);
		claim_eq (goad_rwlock_rdlock_until (&lock, 1), 0);
		claim_eq (goad_rwlock_tryrdlock (&lock), 0);
		claim_eq (goad_rwlock_trywrlock (&lock), -EBUSY);
		claim_eq (goad_rwlock_wrlock_until (&lock, 0), -EAGAIN);
		claim_eq (goad_rwlock_wrlock_until (&lock, 1), -ETIMEDOUT);
		claim_eq (goad_rwlock_wrlock_until (&lock, goad_after (GOAD_MS)), -ETIMEDOUT);
		/* The writer has given up: readers go in again. */
		claim_eq (goad_rwlock_tryrdlock (&lock), 0);
		for (int k = 0; k < 4; k++)
			claim_eq (goad_rwlock_unlock (&lock), 0);
		claim_eq (goad_rwlock_unlock (&lock), -EPERM);
		claim_eq (goad_rwlock_wrlock (&lock), 0);
		claim_eq (goad_rwlock_tryrdlock (&lock), -EBUSY);
		claim_eq (goad_rwlock_trywrlock (&lock), -EBUSY);
		claim_eq (goad_rwlock_rdlock_until (&lock, 0), -EAGAIN);
		claim_eq (goad_rwlock_rdlock_until (&lock, 1), -ETIMEDOUT);
		claim_eq (goad_rwlock_rdlock_until (&lock, goad_after (GOAD_MS)), -ETIMEDOUT);
		claim_eq (goad_rwlock_unlock (&lock), 0);
	}
}

Test (rwlock, alone, .timeout = 20)
{
	run_both (alone);
	alone (NULL);
	claims_assert ();
}

/* Who goes in when. */

static _Atomic int in, order[8];

static void reader (void *arg)
{
	claim_eq (goad_rwlock_rdlock (&lock), 0);
	order[(uintptr_t) arg] = ++in;
	goad_yield ();
	claim_eq (goad_rwlock_unlock (&lock), 0);
}

static void writer (void *arg)
{
	claim_eq (goad_rwlock_wrlock (&lock), 0);
	order[(uintptr_t) arg] = ++in;
	goad_yield ();
	claim_eq (goad_rwlock_unlock (&lock), 0);
}

static void writer_gives_up (void *arg)
{
	(void) arg;
	claim_eq (goad_rwlock_wrlock_until (&lock, goad_after (20 * GOAD_MS)), -ETIMEDOUT);
}

static void turns (void *arg)
{
	static const goad_fn who[6] = { writer, reader, reader, writer, writer, reader };
	goad_task_t *t[6], *late;

	(void) arg;
	in = 0;
	claim_eq (goad_rwlock_rdlock (&lock), 0);
	for (uintptr_t i = 0; i < 6; i++) {
		t[i] = start (who[i], (void *) i);
		until_waiting (t[i]);
	}
	claim_eq (goad_rwlock_tryrdlock (&lock), -EBUSY); /* a writer waits */
	claim_eq (goad_rwlock_unlock (&lock), 0);
	for (int i = 0; i < 6; i++)
		claim_eq (goad_join (t[i]), 0);
	claim_eq (order[0], 1); /* the first writer, then all the readers, then the writers */
	claim (order[1] >= 2 && order[1] <= 4 && order[2] >= 2 && order[2] <= 4);
	claim (order[5] >= 2 && order[5] <= 4);
	claim_eq (order[3], 5);
	claim_eq (order[4], 6);

	/* A reader behind a writer that gives up does not wait for the readers before it. */
	claim_eq (goad_rwlock_rdlock (&lock), 0);
	t[0] = start (writer_gives_up, NULL);
	until_waiting (t[0]);
	late = start (reader, (void *) 7);
	claim_eq (goad_join_until (late, goad_after (30 * GOAD_S)), 0);
	claim_eq (goad_join (t[0]), 0);
	claim_eq (goad_rwlock_unlock (&lock), 0);
}

Test (rwlock, readers_and_writers_take_turns, .timeout = 40)
{
	run_both (turns);
	claims_assert ();
}

/* A crowd. */

enum { PARTIES = 6, ROUNDS = TEST_SLOW ? 500 : 3000 };

static struct shared {
	int readers, writers;
	long value, copy;
} shared;

static void user (void *arg)
{
	uintptr_t me = (uintptr_t) arg;

	for (int i = 0; i < ROUNDS; i++) {
		uint64_t deadline = i % 4 ? GOAD_FOREVER : goad_after (i % 5 * 5 * GOAD_US);
		int rc;

		if ((i + (int) me) % 4 == 0) {
			rc = goad_rwlock_wrlock_until (&lock, deadline);
			if (rc == 0) {
				claim_eq (__atomic_add_fetch (&shared.writers, 1, __ATOMIC_RELAXED), 1);
				claim_eq (__atomic_load_n (&shared.readers, __ATOMIC_RELAXED), 0);
				shared.value++;
				if (i % 8 == 0 && goad_id ())
					goad_yield ();
				shared.copy++;
				__atomic_sub_fetch (&shared.writers, 1, __ATOMIC_RELAXED);
			}
		} else {
			rc = goad_rwlock_rdlock_until (&lock, deadline);
			if (rc == 0) {
				__atomic_add_fetch (&shared.readers, 1, __ATOMIC_RELAXED);
				claim_eq (__atomic_load_n (&shared.writers, __ATOMIC_RELAXED), 0);
				if (i % 8 == 0 && goad_id ())
					goad_yield ();
				claim_eq (shared.value, shared.copy);
				__atomic_sub_fetch (&shared.readers, 1, __ATOMIC_RELAXED);
			}
		}
		claim (rc == 0 || (rc == -ETIMEDOUT && deadline != GOAD_FOREVER));
		if (rc == 0)
			claim_eq (goad_rwlock_unlock (&lock), 0);
	}
}

static void *user_thread (void *arg)
{
	user (arg);
	return NULL;
}

static void crowd (void *arg)
{
	goad_task_t *t[PARTIES];
	pthread_t id[PARTIES];

	(void) arg;
	for (uintptr_t i = 0; i < PARTIES; i++)
		if (i < 2)
			pthread_create (&id[i], NULL, user_thread, (void *) i);
		else
			t[i] = start (user, (void *) i);
	for (int i = 0; i < PARTIES; i++)
		if (i < 2)
			pthread_join (id[i], NULL);
		else
			claim_eq (goad_join (t[i]), 0);
	claim_eq (goad_rwlock_trywrlock (&lock), 0);
	claim_eq (goad_rwlock_unlock (&lock), 0);
}

Test (rwlock, crowd, .timeout = 60)
{
	run_both (crowd);
	claims_assert ();
}

Test (rwlock, crowd_at_a_short_quantum, .timeout = 60)
{
	program_scanned ();
	cr_assert_eq (run_main (crowd, NULL, 2, 100 * GOAD_US, 0), 0);
	claims_assert ();
}

Test (rwlock, crowd_in_chaos, .timeout = 60)
{
	setenv ("GOAD_DEBUG", "chaos=5", 1);
	run_both (crowd);
	unsetenv ("GOAD_DEBUG");
}
