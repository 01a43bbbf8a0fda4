/* SPDX-License-Identifier: MIT */
/* fiber.hh - what the Boost.Fiber twins share: options, the clock, and threads to run on
 *
 * On one thread fibers are scheduled round robin.  On more, by shared_work: one queue for
 * all, the faster of the two ways to share that Boost has for so few threads. */
#ifndef BENCH_BOOST_FIBER_HH
#define BENCH_BOOST_FIBER_HH

#include <boost/fiber/all.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

namespace fibers = boost::fibers;

struct options {
	int procs = 1;
	long count = 0, shape = 0;

	options (int argc, char **argv, long count_) : count (count_)
	{
		for (int i = 1; i + 1 < argc; i += 2) {
			if (std::strcmp (argv[i], "--procs") == 0)
				procs = std::atoi (argv[i + 1]);
			else if (std::strcmp (argv[i], "--count") == 0)
				count = std::atol (argv[i + 1]);
			else if (std::strcmp (argv[i], "--shape") == 0)
				shape = std::atol (argv[i + 1]);
		}
	}
};

inline double now_ns ()
{
	return std::chrono::duration<double, std::nano> (
	           std::chrono::steady_clock::now ().time_since_epoch ())
	    .count ();
}

/* Runs fn as a fiber of this thread, beside which others serve the same queue. */
template <class Fn> void run_on (int procs, Fn fn)
{
	std::vector<std::thread> others;
	fibers::mutex lock;
	fibers::condition_variable_any over;
	bool done = false;

	if (procs == 1) {
		fn ();
		return;
	}
	for (int i = 1; i < procs; i++)
		others.emplace_back ([&] {
			fibers::use_scheduling_algorithm<fibers::algo::shared_work> (true);
			std::unique_lock<fibers::mutex> hold (lock);
			over.wait (hold, [&] { return done; });
		});
	fibers::use_scheduling_algorithm<fibers::algo::shared_work> (true);
	fn ();
	{
		std::unique_lock<fibers::mutex> hold (lock);
		done = true;
	}
	over.notify_all ();
	for (auto &t : others)
		t.join ();
}

#endif
