/* SPDX-License-Identifier: MIT */
/* The twin of pingpong.c: two fibers throw a value to and fro through unbuffered channels. */
#include "fiber.hh"

static double round_of (long n)
{
	fibers::unbuffered_channel<long> ping, pong;
	fibers::fiber partner ([&] {
		long v;
		while (ping.pop (v) == fibers::channel_op_status::success)
			pong.push (v);
	});
	double begin = now_ns ();

	for (long i = 0, v; i < n; i++) {
		ping.push (i);
		pong.pop (v);
	}
	double elapsed = now_ns () - begin;
	ping.close ();
	partner.join ();
	return elapsed;
}

int main (int argc, char **argv)
{
	options opt (argc, argv, 300000);
	double elapsed = 0;

	run_on (opt.procs, [&] {
		round_of (opt.count / 10 + 1);
		elapsed = round_of (opt.count);
	});
	std::printf ("round_trip %.6g ns\n", elapsed / (double) opt.count);
	return 0;
}
