/* SPDX-License-Identifier: MIT */
/* The twin of yield.c: two fibers on one thread that yield in turn. */
#include "fiber.hh"

static double round_of (long n)
{
	auto yielder = [n] {
		for (long i = 0; i < n; i++)
			boost::this_fiber::yield ();
	};
	double begin = now_ns ();
	fibers::fiber a (yielder), b (yielder);
	a.join ();
	b.join ();
	return now_ns () - begin;
}

int main (int argc, char **argv)
{
	options opt (argc, argv, 2000000);
	round_of (opt.count / 10 + 1);
	std::printf ("yield %.6g ns\n", round_of (opt.count) / (2.0 * (double) opt.count));
	return 0;
}
