/* SPDX-License-Identifier: MIT */
/* bench.h - what every benchmark and its pthread twin includes
 *
 *	int main (int argc, char **argv)
 *	{
 *		bench_init (argc, argv);
 *		...
 *		bench_print ("yield", nanoseconds, "ns");
 *		return bench_end ();
 *	}
 *
 * A program prints lines "name value unit" and nothing else; goad bench repeats it and its
 * twins in turn and does the statistics between runs. */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include "work.h"

#include "options.h"
#include "samples.h"

#endif /* BENCH_BENCH_H */
