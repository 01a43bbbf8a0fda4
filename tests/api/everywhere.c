/* SPDX-License-Identifier: MIT */
/* tests/api/everywhere.c - all that one can wait for, between coroutines and threads that
 * goad did not make, in every direction; and such a thread ends the last wait of all, so
 * that the runtime ends while the thread is in the call */
#include "tests/harness.h"
#include "tests/support.h"

#include <errno.h>
#include <pthread.h>

/* The objects; hold and wake are one side, wait the other.  Whoever comes first. */
static goad_chan_t *ch, *other;
static goad_mutex_t mutex;
static goad_rwlock_t rwlock;
static goad_cond_t cond;
static goad_sem_t sem;
static goad_wg_t wg;
static goad_once_t once;
static _Atomic int held, flag;

static void hold_nothing (void)
{
}

static void send_one (void)
{
	int v = 42;
	claim_eq (goad_chan_send (ch, &v), 0);
}

static void receive (void)
{
	int v = 0;
	claim_eq (goad_chan_recv (ch, &v), 0);
	claim_eq (v, 42);
}

static void select_receive (void)
{
	int v[2] = { 0, 0 };
	goad_case_t c[2] = { { other, GOAD_RECV, &v[0], 1 }, { ch, GOAD_RECV, &v[1], 1 } };

	claim_eq (goad_select (c, 2), 1);
	claim_eq (c[1].status, 0);
	claim_eq (v[1], 42);
}

static void select_send (void)
{
	int v = 42;
	goad_case_t c[2] = { { other, GOAD_SEND, &v, 1 }, { ch, GOAD_SEND, &v, 1 } };

	claim_eq (goad_select (c, 2), 1);
	claim_eq (c[1].status, 0);
}

static void close_it (void)
{
	claim_eq (goad_chan_close (ch), 0);
}

static void receive_end (void)
{
	int v = 1;
	claim_eq (goad_chan_recv_until (ch, &v, goad_after (60 * GOAD_S)), -EPIPE);
	claim_eq (v, 0);
}

static void lock (void)
{
	claim_eq (goad_mutex_lock (&mutex), 0);
}

static void unlock (void)
{
	claim_eq (goad_mutex_unlock (&mutex), 0);
}

static void lock_and_unlock (void)
{
	lock ();
	unlock ();
}

static void write_lock (void)
{
	claim_eq (goad_rwlock_wrlock (&rwlock), 0);
}

static void rw_unlock (void)
{
	claim_eq (goad_rwlock_unlock (&rwlock), 0);
}

static void read_and_write (void)
{
	claim_eq (goad_rwlock_rdlock (&rwlock), 0);
	rw_unlock ();
	write_lock ();
	rw_unlock ();
}

static void signal_it (void)
{
	lock ();
	atomic_store (&flag, 1);
	claim_eq (goad_cond_signal (&cond), 0);
	unlock ();
}

static void broadcast (void)
{
	lock ();
	atomic_store (&flag, 1);
	unlock ();
	claim_eq (goad_cond_broadcast (&cond), 0);
}

static void wait_for_flag (void)
{
	lock ();
	while (!atomic_load (&flag))
		claim_eq (goad_cond_wait (&cond, &mutex), 0);
	unlock ();
}

static void release (void)
{
	claim_eq (goad_sem_release (&sem), 0);
}

static void acquire (void)
{
	claim_eq (goad_sem_acquire (&sem), 0);
}

static void add (void)
{
	claim_eq (goad_wg_add (&wg, 2), 0);
}

static void done_twice (void)
{
	claim_eq (goad_wg_done (&wg), 0);
	claim_eq (goad_wg_done (&wg), 0);
}

static void wait_group (void)
{
	claim_eq (goad_wg_wait (&wg), 0);
}

static void note_once (void *arg)
{
	atomic_store ((_Atomic int *) arg, 1);
	spin_for (5 * GOAD_US);
}

static void run_once (void)
{
	claim_eq (goad_once (&once, note_once, (void *) &flag), 0);
	claim_eq (flag, 1);
}

static const struct kind {
	const char *name;
	void (*hold) (void); /* before the other side may begin */
	void (*wake) (void);
	void (*wait) (void);
} kinds[] = {
	{ "send", hold_nothing, send_one, receive },
	{ "receive", hold_nothing, receive, send_one },
	{ "send to a select", hold_nothing, send_one, select_receive },
	{ "receive from a select", hold_nothing, receive, select_send },
	{ "close", hold_nothing, close_it, receive_end },
	{ "mutex", lock, unlock, lock_and_unlock },
	{ "readers and writers", write_lock, rw_unlock, read_and_write },
	{ "signal", hold_nothing, signal_it, wait_for_flag },
	{ "broadcast", hold_nothing, broadcast, wait_for_flag },
	{ "semaphore", hold_nothing, release, acquire },
	{ "wait group", add, done_twice, wait_group },
	{ "once", hold_nothing, run_once, run_once },
};
#define KINDS (sizeof kinds / sizeof *kinds)

static void make (size_t capacity)
{
	claim_eq (goad_chan_create (&ch, sizeof (int), capacity), 0);
	claim_eq (goad_chan_create (&other, sizeof (int), 0), 0);
	mutex = (goad_mutex_t) GOAD_MUTEX_INIT;
	rwlock = (goad_rwlock_t) GOAD_RWLOCK_INIT;
	cond = (goad_cond_t) GOAD_COND_INIT;
	wg = (goad_wg_t) GOAD_WG_INIT;
	once = (goad_once_t) GOAD_ONCE_INIT;
	claim_eq (goad_sem_init (&sem, 0), 0);
	atomic_store (&held, 0);
	atomic_store (&flag, 0);
}

static void unmake (void)
{
	claim_eq (goad_chan_destroy (ch), 0);
	claim_eq (goad_chan_destroy (other), 0);
}

/* The two sides.  Sometimes the one that wakes comes first, sometimes the other. */

struct pair {
	const struct kind *kind;
	int round;
	goad_task_t *task[2];
	pthread_t thread[2];
};

static void waking_side (void *arg)
{
	const struct pair *p = arg;

	p->kind->hold ();
	atomic_store (&held, 1);
	spin_for ((uint64_t) (p->round % 5) * 4 * GOAD_US);
	p->kind->wake ();
}

static void waiting_side (void *arg)
{
	const struct pair *p = arg;

	await (&held, 1);
	p->kind->wait ();
}

static void *waking_thread (void *arg)
{
	waking_side (arg);
	return NULL;
}

static void *waiting_thread (void *arg)
{
	waiting_side (arg);
	return NULL;
}

static void join_thread (void *arg)
{
	claim_eq (pthread_join (*(pthread_t *) arg, NULL), 0);
}

static void meet (struct pair *p, bool thread_wakes, bool thread_waits)
{
	make ((size_t) (p->round & 1));
	if (thread_wakes)
		claim_eq (pthread_create (&p->thread[0], NULL, waking_thread, p), 0);
	else
		claim_eq (goad_spawn (&p->task[0], NULL, waking_side, p), 0);
	if (thread_waits)
		claim_eq (pthread_create (&p->thread[1], NULL, waiting_thread, p), 0);
	else
		claim_eq (goad_spawn (&p->task[1], NULL, waiting_side, p), 0);
	for (int i = 0; i < 2; i++)
		if (i ? thread_waits : thread_wakes)
			claim_eq (goad_block (join_thread, &p->thread[i]), 0);
		else
			claim_eq (goad_join (p->task[i]), 0);
	unmake ();
}

enum { ROUNDS = TEST_SLOW ? 5 : 8 };

static void all_directions (void *arg)
{
	(void) arg;
	for (size_t k = 0; k < KINDS; k++)
		for (int round = 0; round < ROUNDS; round++)
			for (int way = 0; way < 4; way++) {
				struct pair p = { .kind = &kinds[k], .round = round };
				meet (&p, way & 1, way & 2);
			}
}

Test (everywhere, in_every_direction, .timeout = 60)
{
	for (int procs = 1; procs <= 2; procs++)
		cr_assert_eq (run_main (all_directions, NULL, procs, 0, 0), 0);
	claims_assert ();
}

/* The last coroutine waits for a thread, and ends; the thread may be still in the call, in
 * the scheduler, when the runtime goes. */

static void last_wait (void *arg)
{
	waiting_side (arg);
}

static void end_under_the_thread (int procs)
{
	for (size_t k = 0; k < KINDS; k++)
		for (int round = 0; round < ROUNDS; round++) {
			struct pair p = { .kind = &kinds[k], .round = round };

			make (0);
			cr_assert_eq (pthread_create (&p.thread[0], NULL, waking_thread, &p), 0);
			cr_assert_eq (run_main (last_wait, &p, procs, 0, 0), 0, "%s", kinds[k].name);
			cr_assert_eq (pthread_join (p.thread[0], NULL), 0);
			unmake ();
		}
	claims_assert ();
}

Test (everywhere, the_end_does_not_overtake_who_wakes_the_last, .timeout = 100)
{
	end_under_the_thread (1);
	end_under_the_thread (2);
}

/* Without a runtime threads among themselves. */
Test (everywhere, without_a_runtime, .timeout = 60)
{
	for (size_t k = 0; k < KINDS; k++)
		for (int round = 0; round < ROUNDS; round++) {
			struct pair p = { .kind = &kinds[k], .round = round };
			meet (&p, true, true);
		}
	claims_assert ();
}
