/* SPDX-License-Identifier: MIT */
/* The twin of spawn.c: fibers from their making to their join, in batches of 1000.  Their
 * stacks come from a pool, as goad's do. */
#include "fiber.hh"

static double batches (long n)
{
	enum { BATCH = 1000 };
	fibers::pooled_fixedsize_stack stacks (64 * 1024);
	std::vector<fibers::fiber> fiber (BATCH);
	static char ran[BATCH];
	double begin = now_ns ();

	for (; n > 0; n--) {
		for (int i = 0; i < BATCH; i++)
			fiber[i] = fibers::fiber (std::allocator_arg, stacks, [i] { ran[i]++; });
		for (int i = 0; i < BATCH; i++)
			fiber[i].join ();
	}
	return (now_ns () - begin) / BATCH;
}

int main (int argc, char **argv)
{
	options opt (argc, argv, 300);
	/* The pool of stacks knows no other thread. */
	if (opt.procs != 1)
		return 77;
	batches (opt.count / 10 + 1);
	std::printf ("spawn_join %.6g ns\n", batches (opt.count) / (double) opt.count);
	return 0;
}
