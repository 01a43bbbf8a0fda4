/* SPDX-License-Identifier: MIT */
/* tests/unit/arch_restart.c - calls that a signal broke off begin again, where they may */
#include "tests/harness.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

#include "arch.h"

enum { SIGNALS = 20 };

static _Atomic int seen, restarted;
static uint64_t computed_for = UINT64_MAX; /* ago, as the handler is told */
static int fds[2], epfd;

static void on_signal (int signo, siginfo_t *info, void *uc)
{
	(void) signo, (void) info;
	restarted += goad__arch_restart (uc, computed_for);
	seen++;
}

static int in_poll (void)
{
	struct pollfd p = { .fd = fds[0], .events = POLLIN };

	return poll (&p, 1, -1);
}

static int in_ppoll (void)
{
	struct pollfd p = { .fd = fds[0], .events = POLLIN };
	struct timespec ts = { .tv_sec = 60 };

	return ppoll (&p, 1, &ts, NULL);
}

static int in_select (void)
{
	fd_set set;

	FD_ZERO (&set);
	FD_SET (fds[0], &set);
	return select (fds[0] + 1, &set, NULL, NULL, NULL);
}

static int in_epoll_wait (void)
{
	struct epoll_event e;

	return epoll_wait (epfd, &e, 1, -1);
}

static int in_short_poll (void)
{
	struct pollfd p = { .fd = fds[0], .events = POLLIN };

	return poll (&p, 1, 60000);
}

static int in_short_epoll_wait (void)
{
	struct epoll_event e;

	return epoll_wait (epfd, &e, 1, 60000);
}

static int in_open_ppoll (void)
{
	struct pollfd p = { .fd = fds[0], .events = POLLIN };
	sigset_t none;

	sigemptyset (&none);
	return ppoll (&p, 1, NULL, &none);
}

struct sleeper {
	int (*call) (void);
	_Atomic int tid, done;
	int result, error;
};

static void *sleeper_run (void *arg)
{
	struct sleeper *s = arg;

	s->tid = gettid ();
	errno = 0;
	s->result = s->call ();
	s->error = errno;
	s->done = 1;
	return NULL;
}

static bool asleep (int tid)
{
	char path[64], text[256] = "";
	FILE *f;

	snprintf (path, sizeof path, "/proc/self/task/%d/stat", tid);
	f = fopen (path, "r");
	if (!f)
		return true; /* it is gone */
	if (!fgets (text, sizeof text, f))
		text[0] = '\0';
	fclose (f);
	return strstr (text, ") S") != NULL;
}

/* Calls, is signalled so many times while it sleeps, and then let go. */
static struct sleeper try_call (int (*call) (void), int signals)
{
	struct sigaction sa = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART };
	struct epoll_event e = { .events = EPOLLIN };
	struct sleeper s = { .call = call };
	pthread_t t;

	seen = restarted = 0;
	sigaction (SIGURG, &sa, NULL);
	cr_assert_eq (pipe (fds), 0);
	epfd = epoll_create1 (0);
	epoll_ctl (epfd, EPOLL_CTL_ADD, fds[0], &e);
	cr_assert_eq (pthread_create (&t, NULL, sleeper_run, &s), 0);
	while (s.tid == 0)
		sched_yield ();
	for (int i = 0; i < signals; i++) {
		while (!asleep (s.tid))
			sched_yield ();
		pthread_kill (t, SIGURG);
		while (seen <= i && !s.done)
			sched_yield ();
	}
	cr_assert_eq (write (fds[1], "x", 1), 1);
	pthread_join (t, NULL);
	close (fds[0]), close (fds[1]), close (epfd);
	return s;
}

Test (arch_restart, what_waits_without_limit_goes_on)
{
	int (*calls[]) (void) = { in_poll, in_ppoll, in_select, in_epoll_wait };

	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
		struct sleeper s = try_call (calls[i], SIGNALS);
		cr_expect_eq (s.result, 1, "call %zu: %d, %s", i, s.result, strerror (s.error));
		cr_expect_eq (restarted, SIGNALS);
	}
}

/* A limit that counts from the call would begin again; and who opens his mask waits for signals. */
Test (arch_restart, what_has_a_limit_or_a_mask_does_not)
{
	int (*calls[]) (void) = { in_short_poll, in_open_ppoll };

	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
		struct sleeper s = try_call (calls[i], 1);
		cr_expect_eq (s.result, -1);
		cr_expect_eq (s.error, EINTR);
		cr_expect_eq (restarted, 0);
	}
}

/* ... and so it does, where the first wait has hardly begun. */
Test (arch_restart, what_has_a_limit_goes_on_if_it_just_began)
{
	int (*calls[]) (void) = { in_short_poll, in_short_epoll_wait };
	const uint64_t ago[] = { 0, 200000, 3000000000 };

	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
		for (size_t k = 0; k < sizeof ago / sizeof *ago; k++) {
			struct sleeper s;

			computed_for = ago[k];
			s = try_call (calls[i], SIGNALS);
			cr_expect_eq (s.result, 1, "call %zu: %d, %s", i, s.result, strerror (s.error));
			cr_expect_eq (restarted, SIGNALS);
		}
	computed_for = 4000000000; /* more than a 16th of its limit */
	cr_expect_eq (try_call (in_short_poll, 1).error, EINTR);
	computed_for = 0;
	cr_expect_eq (try_call (in_open_ppoll, 1).error, EINTR);
	computed_for = UINT64_MAX;
}

static int sleep_in_place (void)
{
	struct timespec ts = { .tv_nsec = 300000000 };

	return nanosleep (&ts, &ts);
}

static int sleep_until (void)
{
	struct timespec ts;

	clock_gettime (CLOCK_MONOTONIC, &ts);
	ts.tv_nsec += 300000000;
	ts.tv_sec += ts.tv_nsec / 1000000000;
	ts.tv_nsec %= 1000000000;
	return clock_nanosleep (CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

static int sleep_for (void)
{
	struct timespec ts = { .tv_sec = 60 };

	return nanosleep (&ts, NULL);
}

static uint64_t now_ns (void)
{
	struct timespec ts;

	clock_gettime (CLOCK_MONOTONIC, &ts);
	return (uint64_t) ts.tv_sec * 1000000000u + (uint64_t) ts.tv_nsec;
}

Test (arch_restart, sleeps_whose_end_is_known_last_as_long_as_asked)
{
	int (*calls[]) (void) = { sleep_in_place, sleep_until };

	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
		uint64_t start = now_ns ();
		struct sleeper s = try_call (calls[i], 3);

		cr_expect_eq (s.result, 0, "call %zu: %d, %s", i, s.result, strerror (s.error));
		cr_expect_geq (now_ns () - start, 300000000u);
	}
	cr_expect_eq (try_call (sleep_for, 1).error, EINTR);
}

static int sleep_a_little (void)
{
	struct timespec ts = { .tv_nsec = 50000000 };

	return nanosleep (&ts, NULL);
}

Test (arch_restart, a_sleep_that_just_began_begins_again)
{
	uint64_t start = now_ns ();
	struct sleeper s;

	computed_for = 200000;
	s = try_call (sleep_a_little, 3);
	computed_for = UINT64_MAX;
	cr_expect_eq (s.result, 0, "%d, %s", s.result, strerror (s.error));
	cr_expect_geq (now_ns () - start, 50000000u);
	cr_expect_eq (restarted, 3);
}

/* Nothing but a call that was broken off is touched. */
Test (arch_restart, other_code_is_left_alone)
{
	static const unsigned char code[] = { 0xb8, 7, 0, 0, 0, 0x0f, 0x05, 0x90 };
	ucontext_t uc = { 0 };
	greg_t *r = uc.uc_mcontext.gregs;
	const greg_t end = (greg_t) (uintptr_t) (code + 7);

	r[REG_RIP] = end;
	r[REG_RDX] = -1;
	r[REG_RAX] = 1;
	cr_expect_not (goad__arch_restart (&uc, 0));
	r[REG_RAX] = -EINTR;
	r[REG_RIP] = end + 1;
	cr_expect_not (goad__arch_restart (&uc, 0));
	r[REG_RIP] = end & -4096;
	cr_expect_not (goad__arch_restart (&uc, 0));
	cr_expect_eq (r[REG_RIP], end & -4096);
}
