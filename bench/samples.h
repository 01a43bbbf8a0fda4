/* SPDX-License-Identifier: MIT */
/* samples.h - a list of measurements and its quantiles; included by bench.h */
#ifndef BENCH_SAMPLES_H
#define BENCH_SAMPLES_H

#include "work.h"

struct bench_samples {
	double *v;
	size_t n, cap;
	bool sorted;
};

BENCH_UNUSED static void bench_samples_init (struct bench_samples *s, size_t cap)
{
	*s = (struct bench_samples){ .v = bench_alloc (cap * sizeof (double)), .cap = cap };
}

/* One writer; what does not fit is dropped, and the first samples are kept. */
static inline void bench_add (struct bench_samples *s, double v)
{
	if (s->n < s->cap)
		s->v[s->n++] = v;
	s->sorted = false;
}

static inline int bench_compare (const void *a, const void *b)
{
	double x = *(const double *) a, y = *(const double *) b;
	return (x > y) - (x < y);
}

/* q in 0..1: the smallest sample that at least that share of them does not exceed. */
BENCH_UNUSED static double bench_quantile (struct bench_samples *s, double q)
{
	if (s->n == 0)
		return 0;
	if (!s->sorted)
		qsort (s->v, s->n, sizeof *s->v, bench_compare);
	s->sorted = true;
	size_t rank = (size_t) (q * (double) s->n + 0.999999);
	return s->v[rank == 0 ? 0 : rank > s->n ? s->n - 1 : rank - 1];
}

static inline double bench_median (struct bench_samples *s)
{
	return bench_quantile (s, 0.5);
}

BENCH_UNUSED static double bench_mean (const struct bench_samples *s)
{
	double sum = 0;
	for (size_t i = 0; i < s->n; i++)
		sum += s->v[i];
	return s->n ? sum / (double) s->n : 0;
}

/* Jain's index of fairness, 1/n..1, and the smallest part as a share of the mean one. */
BENCH_UNUSED static void bench_fairness (const struct bench_line *line, long n, double *jain,
                                         double *min_share)
{
	double sum = 0, squares = 0, min = (double) line[0].n;
	for (long i = 0; i < n; i++) {
		double v = (double) line[i].n;
		sum += v;
		squares += v * v;
		min = v < min ? v : min;
	}
	*jain = squares > 0 ? sum * sum / ((double) n * squares) : 0;
	*min_share = sum > 0 ? min * (double) n / sum : 0;
}

#endif /* BENCH_SAMPLES_H */
