/* SPDX-License-Identifier: MIT */
/* The twin of timer.c: timer descriptors of the kernel, and one thread that waits for them with
 * epoll.  As many as the limit of descriptors allows, a thousand by default; a POSIX timer that
 * starts a thread (SIGEV_THREAD) costs as much again as a thread. */
#include "../bench.h"

#include <sys/epoll.h>
#include <sys/timerfd.h>

static int *fd;
static int epoll;
static double start_ns, pair_ns, stop_ns, fire_ns;

static void set (int timer, uint64_t when)
{
	struct itimerspec its = { { 0, 0 },
		                      { (time_t) (when / 1000000000u), (long) (when % 1000000000u) } };
	timerfd_settime (timer, TFD_TIMER_ABSTIME, &its, NULL);
}

static int make (uint64_t when)
{
	int timer = timerfd_create (CLOCK_MONOTONIC, TFD_NONBLOCK);
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = timer };

	if (timer < 0 || epoll_ctl (epoll, EPOLL_CTL_ADD, timer, &ev) < 0) {
		perror ("timerfd");
		exit (1);
	}
	set (timer, when);
	return timer;
}

static uint64_t far_away (void)
{
	return bench_now () + 3600000 * BENCH_MS;
}

static void wait_for (long n)
{
	struct epoll_event ev[64];
	uint64_t times;

	while (n > 0) {
		int got = epoll_wait (epoll, ev, 64, -1);
		for (int i = 0; i < got; i++)
			n -= read (ev[i].data.fd, &times, sizeof times) == sizeof times;
	}
}

static void round_of (long n)
{
	uint64_t t0 = bench_now ();
	for (long i = 0; i < n; i++)
		fd[i] = make (far_away ());
	start_ns = (double) (bench_now () - t0) / (double) n;
	t0 = bench_now ();
	for (int i = 0; i < 10000; i++)
		close (make (far_away ()));
	pair_ns = (double) (bench_now () - t0) / 10000;
	t0 = bench_now ();
	for (long i = 0; i < n; i++)
		close (fd[i]);
	stop_ns = (double) (bench_now () - t0) / (double) n;
	t0 = bench_now ();
	for (long i = 0; i < n; i++)
		fd[i] = make (t0);
	wait_for (n);
	fire_ns = (double) (bench_now () - t0) / (double) n;
	for (long i = 0; i < n; i++)
		close (fd[i]);
}

int main (int argc, char **argv)
{
	opt.count = 1000;
	bench_init (argc, argv);
	bench_use_cpus (opt.procs);
	fd = bench_alloc ((size_t) opt.count * sizeof *fd);
	epoll = epoll_create1 (0);
	round_of (opt.count / 10 + 1);
	round_of (opt.count);
	bench_print ("start", start_ns, "ns");
	bench_print ("start_stop", pair_ns, "ns");
	bench_print ("stop", stop_ns, "ns");
	bench_print ("start_fire", fire_ns, "ns");
	return bench_end ();
}
