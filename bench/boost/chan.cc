/* SPDX-License-Identifier: MIT */
/* The twin of chan.c: one fiber sends, another receives.  A buffered channel of Boost's has
 * a power of two of places, of which one stays empty; the next larger one is taken. */
#include "fiber.hh"

template <class Channel> static double transfer (Channel &ch, long n)
{
	long v, got = 0;
	double begin = now_ns ();
	fibers::fiber producer ([&] {
		for (long i = 0; i < n; i++)
			ch.push (i);
		ch.close ();
	});

	while (ch.pop (v) == fibers::channel_op_status::success)
		got++;
	double elapsed = now_ns () - begin;
	producer.join ();
	if (got != n)
		std::exit (1);
	return elapsed;
}

static double round_of (const options &opt, long n)
{
	std::size_t places = 2;

	if (opt.shape == 0) {
		fibers::unbuffered_channel<long> ch;
		return transfer (ch, n);
	}
	while (places < (std::size_t) opt.shape + 1)
		places *= 2;
	fibers::buffered_channel<long> ch (places);
	return transfer (ch, n);
}

int main (int argc, char **argv)
{
	options opt (argc, argv, 1000000);
	double elapsed = 0;

	run_on (opt.procs, [&] {
		round_of (opt, opt.count / 10 + 1);
		elapsed = round_of (opt, opt.count);
	});
	std::printf ("element %.6g ns\n", elapsed / (double) opt.count);
	return 0;
}
