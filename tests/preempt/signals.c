/* SPDX-License-Identifier: MIT */
/* tests/preempt/signals.c - signals that are not ours reach whom they always reached, and any
 * signal will do for preempting */
#include "tests/harness.h"
#include "tests/support.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static _Atomic int plain_seen, info_seen, last_signo, last_code, last_pid, last_value;
static _Atomic int stop;

static void plain_handler (int signo)
{
	atomic_store (&last_signo, signo);
	atomic_fetch_add (&plain_seen, 1);
}

static void info_handler (int signo, siginfo_t *info, void *context)
{
	atomic_store (&last_signo, signo);
	atomic_store (&last_code, info->si_code);
	atomic_store (&last_pid, info->si_pid);
	atomic_store (&last_value, info->si_value.sival_int);
	claim (context != NULL);
	atomic_fetch_add (&info_seen, 1);
}

static void spin (void *arg)
{
	(void) arg;
	while (!atomic_load_explicit (&stop, memory_order_relaxed))
		loop_apart ();
}

static void send_kill (int signo)
{
	claim_eq (kill (getpid (), signo), 0);
}

static void send_raise (int signo)
{
	claim_eq (raise (signo), 0);
}

static void send_tgkill (int signo)
{
	claim_eq (syscall (SYS_tgkill, getpid (), gettid (), signo), 0);
}

static void send_queue (int signo)
{
	claim_eq (sigqueue (getpid (), signo, (union sigval){ .sival_int = 4711 }), 0);
}

struct post {
	int signo;
	_Atomic int *seen;
	bool info;
	bool to_process; /* to no thread: goad's own block all but its signal */
};

/* One signal at a time, since equal ones that wait together become one. */
static void send_all (const struct post *p)
{
	static void (*const how[]) (int) = { send_kill, send_raise, send_tgkill, send_queue };
	static const int code[] = { SI_USER, SI_TKILL, SI_TKILL, SI_QUEUE };

	for (int i = 0; i < 40; i++) {
		int before = atomic_load (p->seen), k = p->to_process ? i % 2 * 3 : i % 4;
		uint64_t limit = goad_after (5 * GOAD_S);

		how[k](p->signo);
		while (atomic_load (p->seen) == before && goad_now () < limit)
			goad_sleep (50 * GOAD_US);
		claim_eq (atomic_load (p->seen), before + 1);
		claim_eq (atomic_load (&last_signo), p->signo);
		if (p->info) {
			claim_eq (atomic_load (&last_code), code[k]);
			claim_eq (atomic_load (&last_pid), getpid ());
			claim (code[k] != SI_QUEUE || atomic_load (&last_value) == 4711);
		}
	}
}

static void *send_from_outside (void *arg)
{
	send_all (arg);
	return NULL;
}

static uint64_t preemptions (void)
{
	goad_stats_t s = stats_now ();

	return s.preempt_yielded + s.preempt_handed_off;
}

/* Three hogs keep both Ps under preemption while a coroutine sends, and then a thread. */
static void send_under_preemption (void *arg)
{
	uint64_t limit = goad_after (10 * GOAD_S);
	goad_task_t *hog[3];
	pthread_t thread;

	for (int i = 0; i < 3; i++)
		claim_eq (goad_spawn (&hog[i], NULL, spin, NULL), 0);
	send_all (arg);
	claim_eq (pthread_create (&thread, NULL, send_from_outside, arg), 0);
	claim_eq (pthread_join (thread, NULL), 0);
	while (preemptions () < 20 && goad_now () < limit)
		goad_sleep (GOAD_MS);
	atomic_store (&stop, 1);
	for (int i = 0; i < 3; i++)
		claim_eq (goad_join (hog[i]), 0);
}

static void install (int signo, bool info)
{
	struct sigaction sa = { .sa_flags = SA_RESTART | (info ? SA_SIGINFO : 0) };

	if (info)
		sa.sa_sigaction = info_handler;
	else
		sa.sa_handler = plain_handler;
	cr_assert_eq (sigaction (signo, &sa, NULL), 0);
}

static uint64_t run_posts (struct post *p, int own_signo, int mode)
{
	goad_config_t cfg = config_of (2, 500 * GOAD_US, mode);
	int before = atomic_load (p->seen);

	program_scanned ();
	cfg.signo = own_signo;
	atomic_store (&stop, 0);
	cr_assert_eq (goad_main (send_under_preemption, p, &cfg), 0);
	claims_assert ();
	/* Each once, and none of ours. */
	cr_assert_eq (atomic_load (p->seen) - before, 80);
	return preemptions ();
}

Test (signals, foreign_ones_reach_the_old_handler, .timeout = 30)
{
	struct post p = { SIGURG, &info_seen, true, false };

	install (SIGURG, true);
	cr_assert_geq (run_posts (&p, 0, 0), 10);
	cr_assert_geq (run_posts (&p, 0, GOAD_PREEMPT_HANDOFF), 10);
}

Test (signals, handler_without_siginfo, .timeout = 30)
{
	struct post p = { SIGURG, &plain_seen, false, false };

	install (SIGURG, false);
	cr_assert_geq (run_posts (&p, SIGURG, 0), 10);
}

Test (signals, others_are_left_alone, .timeout = 30)
{
	struct post p = { SIGUSR2, &info_seen, true, true };

	install (SIGUSR2, true);
	cr_assert_geq (run_posts (&p, 0, 0), 10);
}

Test (signals, any_signal_will_do, .timeout = 60)
{
	const int own[] = { SIGUSR1, SIGALRM, SIGRTMIN + 3, SIGRTMAX };
	struct post p = { SIGURG, &info_seen, true, true };

	install (SIGURG, true);
	for (int i = 0; i < 4; i++) {
		struct post mine = { own[i], &info_seen, true, false };

		/* SIGURG belongs to the program then, ... */
		cr_assert_geq (run_posts (&p, own[i], 0), 10, "signal %d", own[i]);
		/* ... and a foreign one of our own number goes where it went. */
		install (own[i], true);
		cr_assert_geq (run_posts (&mine, own[i], 0), 10, "signal %d", own[i]);
		signal (own[i], SIG_DFL);
	}
}

/* SIGURG is ignored by default; it stays so. */
static void send_many (void *arg)
{
	goad_task_t *hog[3];

	for (int i = 0; i < 3; i++)
		claim_eq (goad_spawn (&hog[i], NULL, spin, NULL), 0);
	for (int i = 0; i < 200; i++) {
		send_kill (SIGURG);
		send_raise (SIGURG);
		send_queue (SIGURG);
		goad_sleep (100 * GOAD_US);
	}
	(void) arg;
	atomic_store (&stop, 1);
	for (int i = 0; i < 3; i++)
		claim_eq (goad_join (hog[i]), 0);
}

Test (signals, default_and_ignored_stay_so, .timeout = 30)
{
	program_scanned ();
	for (int i = 0; i < 2; i++) {
		signal (SIGURG, i ? SIG_IGN : SIG_DFL);
		atomic_store (&stop, 0);
		cr_assert_eq (run_main (send_many, NULL, 2, 500 * GOAD_US, 0), 0);
		claims_assert ();
		cr_assert_geq (preemptions (), 10);
	}
}

/* A call that SA_RESTART restarts never shows that a signal came. */
static void read_pipe (void *arg)
{
	int fd = *(int *) arg;
	char c;

	for (int i = 0; i < 20; i++)
		claim_eq (read (fd, &c, 1), 1);
}

static void *write_pipe (void *arg)
{
	for (int i = 0; i < 20; i++) {
		usleep (5000);
		claim_eq (write (*(int *) arg, "x", 1), 1);
	}
	return NULL;
}

static void read_beside_hogs (void *arg)
{
	goad_task_t *hog[2], *reader;

	for (int i = 0; i < 2; i++)
		claim_eq (goad_spawn (&hog[i], NULL, spin, NULL), 0);
	claim_eq (goad_spawn (&reader, NULL, read_pipe, arg), 0);
	claim_eq (goad_join (reader), 0);
	atomic_store (&stop, 1);
	for (int i = 0; i < 2; i++)
		claim_eq (goad_join (hog[i]), 0);
}

Test (signals, reads_are_restarted, .timeout = 30)
{
	pthread_t thread;
	int fds[2];

	atomic_store (&stop, 0);
	cr_assert_eq (pipe (fds), 0);
	cr_assert_eq (pthread_create (&thread, NULL, write_pipe, &fds[1]), 0);
	cr_assert_eq (run_main (read_beside_hogs, &fds[0], 2, GOAD_MS, 0), 0);
	cr_assert_eq (pthread_join (thread, NULL), 0);
	claims_assert ();
}

/* No room in the queue of signals: they arrive without what tells that they are ours. */

static void spin_a_while (void *arg)
{
	(void) arg;
	spin_for (100 * GOAD_MS);
}

static void two_spin (void *arg)
{
	(void) arg;
	if (goad_go (spin_a_while, NULL) != 0)
		_exit (2);
	spin_for (100 * GOAD_MS);
}

static void signals_without_room (void *arg)
{
	struct rlimit none = { 0, 0 };

	(void) arg;
	if (setrlimit (RLIMIT_SIGPENDING, &none) != 0)
		_exit (77);
	if (run_main (two_spin, NULL, 1, GOAD_MS, 0) != 0)
		_exit (3);
	_exit (preemptions () > 0 ? 0 : 4);
}

Test (signals, no_room_for_pending_ones, .timeout = 30)
{
	char out[4096];
	int status = child_run (signals_without_room, NULL, 20, out, sizeof out);

	if (child_exited (status, 77))
		cr_skip ("no such limit here");
	cr_assert (child_exited (status, 0), "status %#x: %s", status, out);
}

/* A start that fails early leaves the handler alone that is there now. */

static void another_handler (int signo)
{
	(void) signo;
}

static void fail_to_start (void *arg)
{
	struct sigaction mine = { .sa_handler = another_handler }, now;
	struct rlimit none = { 0, 0 };

	(void) arg;
	if (run_main (spin_a_while, NULL, 1, 0, 0) != 0)
		_exit (2);
	sigaction (SIGURG, &mine, NULL);
	/* Nothing can be opened, so nobody knows what is loaded. */
	if (setrlimit (RLIMIT_NOFILE, &none) != 0 || run_main (spin_a_while, NULL, 1, 0, 0) == 0)
		_exit (77);
	sigaction (SIGURG, NULL, &now);
	_exit (now.sa_handler == another_handler ? 0 : 3);
}

Test (signals, failed_start_keeps_the_handler, .timeout = 30)
{
	char out[4096];
	int status = child_run (fail_to_start, NULL, 20, out, sizeof out);

	if (child_exited (status, 77))
		cr_skip ("it starts without /proc");
	cr_assert (child_exited (status, 0), "status %#x: %s", status, out);
}

/* The frame that the kernel makes holds all extended registers, which with AVX-512 or more do
 * not fit into the MINSIGSTKSZ that a program was compiled with. */
#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

static void look_at_the_stack (void *arg)
{
	stack_t *ss = arg;

	claim_eq (sigaltstack (NULL, ss), 0);
}

Test (signals, the_stack_holds_the_frame, .timeout = 30)
{
	stack_t ss = { .ss_flags = SS_DISABLE };
	unsigned long frame = getauxval (AT_MINSIGSTKSZ);

	cr_assert_eq (run_main (look_at_the_stack, &ss, 1, 0, GOAD_PREEMPT_AUTO), 0);
	claims_assert ();
	cr_expect_eq (ss.ss_flags & SS_DISABLE, 0);
	cr_expect_geq (ss.ss_size, (frame > 2048 ? frame : 2048) + 16384,
	               "%zu bytes, and the kernel's frame has %lu", ss.ss_size, frame);
}
