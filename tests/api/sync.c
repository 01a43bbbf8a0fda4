/* SPDX-License-Identifier: MIT */
/* tests/api/sync.c - condition, semaphore, wait group, once: every rule */
#include "tests/api/wait_kit.h"
#include "tests/harness.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

/* Condition. */

static struct bell {
	goad_mutex_t m;
	goad_cond_t c;
	int next, order[10];
	_Atomic int waiting;
	int go;
} bell;

static void wait_for_bell (void *arg)
{
	int me = (int) (uintptr_t) arg;

	claim_eq (goad_mutex_lock (&bell.m), 0);
	atomic_fetch_add (&bell.waiting, 1);
	if (me % 2)
		claim_eq (goad_cond_wait (&bell.c, &bell.m), 0);
	else
		claim_eq (goad_cond_wait_until (&bell.c, &bell.m, goad_after (100 * GOAD_S)), 0);
	bell.order[bell.next++] = me;
	claim_eq (goad_mutex_unlock (&bell.m), 0);
}

static int bell_next (void)
{
	int n;

	goad_mutex_lock (&bell.m);
	n = bell.next;
	goad_mutex_unlock (&bell.m);
	return n;
}

static void ring_the_bell (void *arg)
{
	goad_task_t *t[10];

	(void) arg;
	memset (&bell, 0, sizeof bell);
	claim_eq (goad_cond_wait (NULL, &bell.m), -EINVAL);
	claim_eq (goad_cond_wait (&bell.c, NULL), -EINVAL);
	claim_eq (goad_cond_signal (NULL), -EINVAL);
	claim_eq (goad_cond_broadcast (NULL), -EINVAL);
	claim_eq (goad_cond_wait (&bell.c, &bell.m), -EPERM); /* not locked */
	claim_eq (goad_cond_signal (&bell.c), 0);             /* nobody is there: it is lost */
	claim_eq (goad_cond_broadcast (&bell.c), 0);
	claim_eq (goad_mutex_lock (&bell.m), 0);
	claim_eq (goad_cond_wait_until (&bell.c, &bell.m, 0), -EAGAIN);
	claim_eq (goad_cond_wait_until (&bell.c, &bell.m, 1), -ETIMEDOUT);
	claim_eq (goad_cond_wait_until (&bell.c, &bell.m, goad_after (GOAD_MS)), -ETIMEDOUT);
	claim_eq (goad_mutex_trylock (&bell.m), -EBUSY); /* it is locked again */
	claim_eq (goad_mutex_unlock (&bell.m), 0);
	for (uintptr_t i = 0; i < 10; i++) {
		t[i] = start (wait_for_bell, (void *) i);
		until_waiting (t[i]);
	}
	for (int i = 0; i < 5; i++) { /* one at a time, in order */
		claim_eq (goad_cond_signal (&bell.c), 0);
		while (bell_next () <= i)
			goad_yield ();
	}
	claim_eq (bell_next (), 5);
	for (int i = 0; i < 5; i++)
		claim_eq (bell.order[i], i);
	claim_eq (goad_cond_broadcast (&bell.c), 0);
	for (int i = 0; i < 10; i++)
		claim_eq (goad_join (t[i]), 0);
	claim_eq (bell.next, 10);
}

Test (sync, condition, .timeout = 20)
{
	run_both (ring_the_bell);
	claims_assert ();
}

/* A bounded buffer by conditions, with threads: nothing is lost. */

static struct bounded {
	goad_mutex_t m;
	goad_cond_t room, some;
	int n, made, eaten, total;
} bounded;

static void make_some (void *arg)
{
	struct bounded *b = arg;

	for (;;) {
		goad_mutex_lock (&b->m);
		while (b->n == 3 && b->made < b->total)
			if (goad_cond_wait_until (&b->room, &b->m, goad_after (50 * GOAD_US)) != 0)
				claim (b->n >= 0 && b->n <= 3);
		if (b->made == b->total) {
			goad_cond_broadcast (&b->room);
			goad_mutex_unlock (&b->m);
			return;
		}
		b->made++, b->n++;
		goad_cond_signal (&b->some);
		goad_mutex_unlock (&b->m);
	}
}

static void eat_some (void *arg)
{
	struct bounded *b = arg;

	for (;;) {
		goad_mutex_lock (&b->m);
		while (b->n == 0 && b->eaten < b->total)
			claim_eq (goad_cond_wait (&b->some, &b->m), 0);
		if (b->eaten == b->total) {
			goad_mutex_unlock (&b->m);
			return;
		}
		b->n--;
		if (++b->eaten == b->total)
			goad_cond_broadcast (&b->some);
		goad_mutex_unlock (&b->m);
		goad_cond_signal (&b->room); /* without the mutex, which is allowed */
	}
}

static void bounded_main (void *arg)
{
	struct threaded th[2] = { { make_some, &bounded }, { eat_some, &bounded } };
	goad_task_t *t[4];
	pthread_t id[2];

	(void) arg;
	memset (&bounded, 0, sizeof bounded);
	bounded.total = 20000;
	for (int i = 0; i < 4; i++)
		t[i] = start (i & 1 ? make_some : eat_some, &bounded);
	for (int i = 0; i < 2; i++)
		pthread_create (&id[i], NULL, on_thread, &th[i]);
	for (int i = 0; i < 4; i++)
		claim_eq (goad_join (t[i]), 0);
	for (int i = 0; i < 2; i++)
		pthread_join (id[i], NULL);
	claim_eq (bounded.made, bounded.total);
	claim_eq (bounded.eaten, bounded.total);
	claim_eq (bounded.n, 0);
}

Test (sync, bounded_buffer, .timeout = 60)
{
	run_both (bounded_main);
	claims_assert ();
}

/* Semaphore. */

static goad_sem_t sem;
static int sem_order[10], sem_next;

static void acquire_in_line (void *arg)
{
	int me = (int) (uintptr_t) arg;

	claim_eq (me % 2 ? goad_sem_acquire (&sem)
	                 : goad_sem_acquire_until (&sem, goad_after (100 * GOAD_S)),
	          0);
	sem_order[__atomic_fetch_add (&sem_next, 1, __ATOMIC_SEQ_CST)] = me;
}

static void semaphores (void *arg)
{
	goad_task_t *t[10];

	(void) arg;
	claim_eq (goad_sem_init (NULL, 1), -EINVAL);
	claim_eq (goad_sem_acquire (NULL), -EINVAL);
	claim_eq (goad_sem_tryacquire (NULL), -EINVAL);
	claim_eq (goad_sem_release (NULL), -EINVAL);
	claim_eq (goad_sem_init (&sem, 2), 0);
	claim_eq (goad_sem_acquire (&sem), 0);
	claim_eq (goad_sem_tryacquire (&sem), 0);
	claim_eq (goad_sem_tryacquire (&sem), -EAGAIN);
	claim_eq (goad_sem_acquire_until (&sem, 0), -EAGAIN);
	claim_eq (goad_sem_acquire_until (&sem, 1), -ETIMEDOUT);
	claim_eq (goad_sem_acquire_until (&sem, goad_after (GOAD_MS)), -ETIMEDOUT);
	claim_eq (goad_sem_release (&sem), 0);
	claim_eq (goad_sem_acquire_until (&sem, 1), 0);
	claim_eq (goad_sem_init (&sem, UINT_MAX), 0);
	claim_eq (goad_sem_release (&sem), -EOVERFLOW);
	memset (&sem, 0, sizeof sem);
	sem_next = 0;
	if (!goad_id ())
		return;
	for (uintptr_t i = 0; i < 10; i++) {
		t[i] = start (acquire_in_line, (void *) i);
		until_waiting (t[i]);
	}
	for (int i = 0; i < 10; i++) {
		claim_eq (goad_sem_release (&sem), 0);
		claim_eq (goad_sem_tryacquire (&sem), -EAGAIN); /* it was handed over */
		claim_eq (goad_join (t[i]), 0);
	}
	for (int i = 0; i < 10; i++)
		claim_eq (sem_order[i], i);
}

Test (sync, semaphore, .timeout = 20)
{
	run_both (semaphores);
	semaphores (NULL);
	claims_assert ();
}

static _Atomic int sem_inside;

static void sem_user (void *arg)
{
	(void) arg;
	for (int i = 0; i < 2000; i++) {
		while (goad_sem_acquire_until (&sem, goad_after (i % 7 * 10 * GOAD_US)) != 0)
			goad_yield ();
		claim (atomic_fetch_add (&sem_inside, 1) < 3);
		if (i % 16 == 0)
			goad_yield ();
		atomic_fetch_sub (&sem_inside, 1);
		claim_eq (goad_sem_release (&sem), 0);
	}
}

static void sem_crowd (void *arg)
{
	struct threaded th = { sem_user, NULL };
	goad_task_t *t[6];
	pthread_t id[2];

	(void) arg;
	goad_sem_init (&sem, 3);
	for (int i = 0; i < 2; i++)
		pthread_create (&id[i], NULL, on_thread, &th);
	for (int i = 0; i < 6; i++)
		t[i] = start (sem_user, NULL);
	for (int i = 0; i < 6; i++)
		claim_eq (goad_join (t[i]), 0);
	for (int i = 0; i < 2; i++)
		pthread_join (id[i], NULL);
	for (int i = 0; i < 3; i++)
		claim_eq (goad_sem_tryacquire (&sem), 0);
	claim_eq (goad_sem_tryacquire (&sem), -EAGAIN);
}

Test (sync, semaphore_crowd, .timeout = 60)
{
	run_both (sem_crowd);
	claims_assert ();
}

/* Wait group. */

static void wg_wait_for (void *arg)
{
	claim_eq (goad_wg_wait (arg), 0);
}

static void wg_done_for (void *arg)
{
	claim_eq (goad_wg_done (arg), 0);
}

static void groups (void *arg)
{
	goad_wg_t wg = GOAD_WG_INIT;
	goad_task_t *t[5];

	(void) arg;
	claim_eq (goad_wg_add (NULL, 1), -EINVAL);
	claim_eq (goad_wg_done (NULL), -EINVAL);
	claim_eq (goad_wg_wait (NULL), -EINVAL);
	claim_eq (goad_wg_wait (&wg), 0);
	claim_eq (goad_wg_wait_until (&wg, 0), 0);
	claim_eq (goad_wg_done (&wg), -EINVAL);
	claim_eq (goad_wg_add (&wg, 3), 0);
	claim_eq (goad_wg_add (&wg, -4), -EINVAL);
	claim_eq (goad_wg_add (&wg, INT_MAX), -EOVERFLOW);
	claim_eq (goad_wg_wait_until (&wg, 0), -EAGAIN);
	claim_eq (goad_wg_wait_until (&wg, 1), -ETIMEDOUT);
	claim_eq (goad_wg_wait_until (&wg, goad_after (GOAD_MS)), -ETIMEDOUT);
	claim_eq (goad_wg_add (&wg, -2), 0);
	if (goad_id ()) {
		for (int i = 0; i < 5; i++) {
			t[i] = start (wg_wait_for, &wg);
			until_waiting (t[i]);
		}
		claim_eq (goad_wg_done (&wg), 0);
		for (int i = 0; i < 5; i++)
			claim_eq (goad_join (t[i]), 0);
	} else {
		claim_eq (goad_wg_done (&wg), 0);
	}
	claim_eq (goad_wg_wait_until (&wg, 1), 0);
}

Test (sync, wait_group, .timeout = 20)
{
	run_both (groups);
	groups (NULL);
	claims_assert ();
}

/* In a frame that the waiter leaves at once. */
__attribute__ ((noinline)) static void one_group (void)
{
	goad_wg_t wg = GOAD_WG_INIT;

	claim_eq (goad_wg_add (&wg, 3), 0);
	for (int i = 0; i < 3; i++)
		claim_eq (goad_go (wg_done_for, &wg), 0);
	claim_eq (goad_wg_wait (&wg), 0);
	memset (&wg, 0xff, sizeof wg);
}

static void groups_on_the_stack (void *arg)
{
	(void) arg;
	for (int i = 0; i < 5000; i++)
		one_group ();
}

Test (sync, wait_group_on_the_stack, .timeout = 60)
{
	run_both (groups_on_the_stack);
	claims_assert ();
}

/* Once. */

static goad_once_t once;
static int calls;

static void init (void *arg)
{
	claim_eq (goad_once (&once, init, arg), -EDEADLK);
	if (goad_id ())
		goad_sleep (GOAD_MS);
	calls++;
}

static void call_once (void *arg)
{
	(void) arg;
	claim_eq (goad_once (&once, init, NULL), 0);
	claim_eq (calls, 1);
}

static void once_main (void *arg)
{
	struct threaded th = { call_once, NULL };
	goad_task_t *t[8];
	pthread_t id[2];

	(void) arg;
	memset (&once, 0, sizeof once);
	calls = 0;
	claim_eq (goad_once (NULL, init, NULL), -EINVAL);
	claim_eq (goad_once (&once, NULL, NULL), -EINVAL);
	for (int i = 0; i < 8; i++)
		t[i] = start (call_once, NULL);
	for (int i = 0; i < 2; i++)
		pthread_create (&id[i], NULL, on_thread, &th);
	for (int i = 0; i < 8; i++)
		claim_eq (goad_join (t[i]), 0);
	for (int i = 0; i < 2; i++)
		pthread_join (id[i], NULL);
	claim_eq (calls, 1);
}

Test (sync, once, .timeout = 20)
{
	run_both (once_main);
	claims_assert ();
}
