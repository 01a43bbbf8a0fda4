/* SPDX-License-Identifier: MIT */
/* tests/preempt/blocked.c - threads that block in the kernel without a word: their Ps are
 * taken, nobody is interrupted, and who comes back is taken in again */
#include "tests/preempt/stuck.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SLEEPS = 3000 };

static int fds[PS][2];
static sem_t sem;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static _Atomic int inside, stop, done;

/* What blocks, and what lets one of them go. */
struct way {
	const char *name;
	void (*block) (int i);
	void (*let_go) (int i);
	void (*begin) (void);
};

static void read_block (int i)
{
	char c = 0;

	claim_eq (read (fds[i][0], &c, 1), 1);
	claim_eq (c, 'x');
}

static void read_let_go (int i)
{
	claim_eq (write (fds[i][1], "x", 1), 1);
}

static void poll_block (int i)
{
	struct pollfd p = { .fd = fds[i][0], .events = POLLIN };

	claim_eq (poll (&p, 1, -1), 1);
	read_block (i);
}

static void sem_block (int i)
{
	(void) i;
	claim_eq (sem_wait (&sem), 0);
}

static void sem_let_go (int i)
{
	(void) i;
	claim_eq (sem_post (&sem), 0);
}

static void mutex_begin (void)
{
	claim_eq (pthread_mutex_lock (&mutex), 0);
}

static void mutex_block (int i)
{
	(void) i;
	claim_eq (pthread_mutex_lock (&mutex), 0);
	claim_eq (pthread_mutex_unlock (&mutex), 0);
}

static void mutex_let_go (int i)
{
	if (i == 0)
		claim_eq (pthread_mutex_unlock (&mutex), 0);
}

static void sleep_block (int i)
{
	struct timespec ts = { 0, 300 * 1000000 };

	(void) i;
	claim_eq (nanosleep (&ts, NULL), 0);
}

static void wait_block (int i)
{
	pid_t pid = fork ();
	int status;
	char c;

	if (pid == 0)
		_exit (read (fds[i][0], &c, 1) == 1 ? 7 : 1);
	claim_eq (waitpid (pid, &status, 0), pid);
	claim_eq (WEXITSTATUS (status), 7);
}

static void nothing (int i)
{
	(void) i;
}

static void no_begin (void)
{
}

static const struct way ways[] = {
	{ "read", read_block, read_let_go, no_begin },
	{ "poll", poll_block, read_let_go, no_begin },
	{ "sem_wait", sem_block, sem_let_go, no_begin },
	{ "pthread_mutex_lock", mutex_block, mutex_let_go, mutex_begin },
	{ "nanosleep", sleep_block, nothing, no_begin },
	{ "waitpid", wait_block, read_let_go, no_begin },
};

struct blocker {
	const struct way *way;
	goad_task_t *task;
	int i;
};

static void block_once (void *arg)
{
	const struct blocker *b = arg;

	atomic_fetch_add (&inside, 1);
	b->way->block (b->i);
	atomic_fetch_add (&done, 1);
}

struct scene {
	const struct way *way;
	int ps, preempt;
	uint64_t took;
};

static void open_all (void)
{
	for (int i = 0; i < PS; i++)
		claim_eq (pipe (fds[i]), 0);
	claim_eq (sem_init (&sem, 0, 0), 0);
	atomic_store (&inside, 0);
	atomic_store (&done, 0);
	atomic_store (&stop, 0);
}

static void close_all (void)
{
	for (int i = 0; i < PS; i++) {
		close (fds[i][0]);
		close (fds[i][1]);
	}
	sem_destroy (&sem);
}

/* As many as Ps are in the kernel: the rest, that is this one, goes on. */
static void all_ps (void *arg)
{
	struct scene *s = arg;
	struct blocker b[PS];
	goad_stats_t before = stats_now (), after;

	open_all ();
	s->way->begin ();
	for (int i = 0; i < s->ps; i++) {
		b[i] = (struct blocker){ s->way, NULL, i };
		claim_eq (goad_spawn (&b[i].task, NULL, block_once, &b[i]), 0);
	}
	s->took = stuck_go_on (&inside, s->ps);
	claim_eq (atomic_load (&done), 0);
	for (int i = 0; i < s->ps; i++)
		s->way->let_go (i);
	for (int i = 0; i < s->ps; i++)
		claim_eq (goad_join (b[i].task), 0);
	after = stats_now ();
	claim (after.blocked_detected > before.blocked_detected);
	close_all ();
}

static void try_all_ways (int ps, int preempt)
{
	program_scanned ();
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		struct scene s = { .way = &ways[i], .ps = ps, .preempt = preempt };
		const char *broken;

		cr_assert_eq (run_main (all_ps, &s, ps, 0, preempt), 0);
		broken = claims_text ();
		cr_assert (broken[0] == '\0', "%s: %s", ways[i].name, broken);
		stuck_assert_short (s.took, "%s: %d us", ways[i].name, (int) (s.took / GOAD_US));
	}
}

Test (blocked, as_many_as_ps_hold_up_nobody, .timeout = 60)
{
	stuck_on_all_ps (try_all_ways);
}

Test (blocked, in_every_mode, .timeout = 60)
{
	stuck_in_every_mode (try_all_ways);
}

Test (blocked, without_the_syscall_file, .timeout = 60)
{
	stuck_without_syscall_file (try_all_ways);
}

Test (blocked, without_membarrier, .timeout = 60)
{
	stuck_without_membarrier (try_all_ways);
}

/* On one P, a holder that is preempted and one that waits for it in the kernel. */
static void locks_and_computes (void *arg)
{
	int *turns = arg;

	for (int i = 0; i < 20; i++) {
		claim_eq (pthread_mutex_lock (&mutex), 0);
		++*turns;
		spin_for (3 * GOAD_MS);
		claim_eq (pthread_mutex_unlock (&mutex), 0);
	}
}

static void shared_mutex (void *arg)
{
	goad_task_t *t[4];
	int turns = 0;

	(void) arg;
	for (int i = 0; i < 4; i++)
		claim_eq (goad_spawn (&t[i], NULL, locks_and_computes, &turns), 0);
	for (int i = 0; i < 4; i++)
		claim_eq (goad_join (t[i]), 0);
	claim_eq (turns, 80);
}

Test (blocked, a_mutex_of_one_that_is_preempted_is_no_deadlock, .timeout = 60)
{
	for (int ps = 1; ps <= PS; ps++) {
		cr_assert_eq (run_main (shared_mutex, NULL, ps, GOAD_MS, 0), 0);
		claims_assert ();
	}
}

/* Calls that Linux never restarts, beside hogs: the preemption signal does not meet them. */
struct eintr {
	int calls, seen;
};

static void sleep_often (void *arg)
{
	struct eintr *e = arg;

	for (; e->calls < SLEEPS; e->calls++) {
		struct timespec ts = { 0, e->calls % 2 ? 50000 : 300000 };
		e->seen += (e->calls % 3 ? nanosleep (&ts, NULL) : poll (NULL, 0, 1)) < 0;
	}
}

static void sleepers_and_hogs (void *arg)
{
	struct eintr *e = arg;
	struct hog hogs[PS];
	goad_task_t *t[4];

	hogs_begin (hogs, PS, &stop);
	for (int i = 0; i < 4; i++)
		claim_eq (goad_spawn (&t[i], NULL, sleep_often, &e[i]), 0);
	for (int i = 0; i < 4; i++)
		claim_eq (goad_join (t[i]), 0);
	hogs_end (hogs, PS, &stop);
}

Test (blocked, calls_that_are_never_restarted_see_no_eintr, .timeout = 120)
{
	struct eintr e[4] = { { 0, 0 } };
	int calls = 0, seen = 0;

	program_scanned ();
	cr_assert_eq (run_main (sleepers_and_hogs, e, PS, GOAD_MS, 0), 0);
	claims_assert ();
	for (int i = 0; i < 4; i++) {
		calls += e[i].calls;
		seen += e[i].seen;
	}
	cr_assert_leq (seen * 1000, calls, "%d of %d", seen, calls);
}

/* Back from the call it computes, without a call into goad: it is taken in again. */
static void come_back (bool disable, int mode)
{
	struct stuck_back way = { read_block, read_let_go, disable };

	open_all ();
	cr_assert_eq (run_main (stuck_comes_back, &way, 1, 2 * GOAD_MS, mode), 0);
	claims_assert ();
	close_all ();
}

Test (blocked, one_that_computes_on_is_taken_in_again, .timeout = 60)
{
	program_scanned ();
	for (int mode = GOAD_PREEMPT_AUTO; mode <= GOAD_PREEMPT_OFF; mode++)
		come_back (false, mode);
}

Test (blocked, not_while_it_holds_preemption_off, .timeout = 60)
{
	come_back (true, GOAD_PREEMPT_AUTO);
}

/* Nobody else is left: sysmon does not wake up for one that sleeps for ever. */
static void alone (void *arg)
{
	struct blocker b = { &ways[0], NULL, 0 };
	goad_stats_t before, after;
	uint64_t cpu;

	(void) arg;
	open_all ();
	claim_eq (goad_spawn (&b.task, NULL, block_once, &b), 0);
	await (&inside, 1);
	goad_sleep (100 * GOAD_MS);
	before = stats_now ();
	cpu = process_cpu_ns ();
	goad_sleep (500 * GOAD_MS);
	cpu = process_cpu_ns () - cpu;
	after = stats_now ();
	claim (cpu < 20 * GOAD_MS);
	claim (after.sysmon_ticks - before.sysmon_ticks < 10);
	read_let_go (0);
	claim_eq (goad_join (b.task), 0);
	close_all ();
}

Test (blocked, a_lone_sleeper_costs_nothing, .timeout = 20)
{
	for (int ps = 1; ps <= PS; ps++) {
		cr_assert_eq (run_main (alone, NULL, ps, 0, 0), 0);
		claims_assert ();
	}
}

static void look_up (void *arg)
{
	struct addrinfo *found = NULL;

	(void) arg;
	for (int i = 0; i < 50; i++)
		if (getaddrinfo ("localhost", "80", NULL, &found) == 0)
			freeaddrinfo (found);
	atomic_fetch_add (&done, 1);
}

static void look_ups (void *arg)
{
	struct hog hogs[PS];

	(void) arg;
	atomic_store (&done, 0);
	hogs_begin (hogs, PS, &stop);
	for (int i = 0; i < 4; i++)
		claim_eq (goad_go (look_up, NULL), 0);
	await (&done, 4);
	hogs_end (hogs, PS, &stop);
}

Test (blocked, getaddrinfo_beside_hogs, .timeout = 60)
{
	program_scanned ();
	cr_assert_eq (run_main (look_ups, NULL, PS, GOAD_MS, 0), 0);
	claims_assert ();
}

/* A program that is called scanned is yielded in place: with a lock of its thread it may
 * not be called so. */
static bool no_locks;
static int rounds = 400;

/* Everything at once: blocks of both kinds, of all lengths, calls, hogs, short slices. */
static void all_kinds (void *arg)
{
	uint64_t *sum = arg;
	unsigned r = (unsigned) (uintptr_t) arg / 64;

	for (int i = 0; i < rounds; i++) {
		r = r * 1103515245 + 12345;
		switch (r >> 16 & 7) {
		case 0:
			usleep (r >> 20 & 1023);
			break;
		case 1:
			goad_block_begin ();
			usleep (r >> 20 & 255);
			goad_block_end ();
			break;
		case 2:
			if (no_locks)
				break;
			claim_eq (pthread_mutex_lock (&mutex), 0);
			spin_for (20 * GOAD_US);
			claim_eq (pthread_mutex_unlock (&mutex), 0);
			break;
		case 3:
			goad_yield ();
			break;
		case 4:
			goad_sleep (50 * GOAD_US);
			break;
		case 5:
			goad_preempt_disable ();
			usleep (100);
			spin_for (50 * GOAD_US);
			goad_preempt_enable ();
			break;
		case 6:
			free (malloc (r >> 18 & 4095));
			usleep (1);
			break;
		default:
			spin_for (100 * GOAD_US);
		}
		*sum += (uint64_t) i;
	}
}

static void everything (void *arg)
{
	enum { N = 12 };
	static uint64_t sum[N][8];
	struct hog hogs[PS];
	goad_task_t *t[N];

	(void) arg;
	hogs_begin (hogs, PS, &stop);
	for (int i = 0; i < N; i++) {
		sum[i][0] = 0;
		claim_eq (goad_spawn (&t[i], NULL, all_kinds, sum[i]), 0);
	}
	for (int i = 0; i < N; i++) {
		claim_eq (goad_join (t[i]), 0);
		claim_eq (sum[i][0], rounds * (rounds - 1) / 2);
	}
	hogs_end (hogs, PS, &stop);
}

static void run_everything (void)
{
	for (int ps = 1; ps <= 2 * PS; ps *= 2) {
		cr_assert_eq (run_main (everything, NULL, ps, 100 * GOAD_US, 0), 0);
		claims_assert ();
	}
}

Test (blocked, everything_at_once, .timeout = 120)
{
	run_everything ();
}

Test (blocked, everything_at_once_in_place, .timeout = 120)
{
	no_locks = true;
	program_scanned ();
	run_everything ();
}

Test (blocked, everything_at_once_under_chaos, .timeout = 120)
{
	setenv ("GOAD_DEBUG", "chaos=11", 1);
	run_everything ();
}

Test (blocked, everything_at_once_without_membarrier, .timeout = 120)
{
	setenv ("GOAD_NO_MEMBARRIER", "1", 1);
	run_everything ();
}

Test (blocked, at_the_limit_of_threads, .timeout = 120)
{
	goad_config_t cfg = config_of (PS, GOAD_MS, 0);

	rounds = 60;
	for (int spare = 1; spare <= 4; spare *= 2) {
		cfg.max_threads = PS + spare;
		cr_assert_eq (goad_main (everything, NULL, &cfg), 0);
		claims_assert ();
	}
}
