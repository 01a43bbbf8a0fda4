/* SPDX-License-Identifier: MIT */
/* tests/api/sync.c - mutex, condition, semaphore, wait group, once: every rule */
#include "tests/harness.h"
#include "tests/support.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

static goad_task_t *start (goad_fn fn, void *arg)
{
	goad_task_t *t = NULL;

	claim_eq (goad_spawn (&t, NULL, fn, arg), 0);
	return t;
}

static void until_waiting (goad_task_t *t)
{
	goad_task_stats_t s;

	do {
		goad_yield ();
		claim_eq (goad_task_stats (t, &s), 0);
	} while (s.state != GOAD_STATE_WAITING);
}

static void run_both (goad_fn fn)
{
	for (int procs = 1; procs <= 2; procs++)
		cr_assert_eq (run_main (fn, NULL, procs, 0, 0), 0);
	claims_assert ();
}

struct threaded {
	goad_fn fn;
	void *arg;
};

static void *on_thread (void *arg)
{
	struct threaded *t = arg;

	t->fn (t->arg);
	return NULL;
}

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

Test (sync, mutex_alone, .timeout = 20)
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

Test (sync, mutex_of_another, .timeout = 20)
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

Test (sync, mutex_excludes, .timeout = 60)
{
	rings (0);
}

Test (sync, mutex_excludes_at_a_short_quantum, .timeout = 60)
{
	program_scanned ();
	rings (100 * GOAD_US);
}

Test (sync, mutex_excludes_in_chaos, .timeout = 100)
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

Test (sync, mutex_starves_nobody, .timeout = 60)
{
	run_both (starving);
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

Test (sync, mutex_freed_by_the_last, .timeout = 60)
{
	run_both (freed_at_once);
}

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
}
