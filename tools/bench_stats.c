/* SPDX-License-Identifier: MIT */
/* bench_stats.c - medians, spreads, ratios, and whether a bound is met
 *
 * A ratio is taken within a repetition, in which both programs met the same machine; what is
 * reported is the median of the ratios, not the ratio of the medians.  Noisy repetitions are
 * left out where at least half of them were quiet. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

const struct bench_value *bench_value (const struct bench_run *run, const char *name)
{
	for (unsigned i = 0; i < run->values_n; i++)
		if (strcmp (run->values[i].name, name) == 0)
			return &run->values[i];
	return NULL;
}

bool bench_is_noisy (const struct bench_runs *runs, enum side side)
{
	unsigned noisy = 0;

	for (unsigned i = 0; i < runs->n[side]; i++)
		noisy += runs->run[side][i].noisy[0] != '\0';
	return 2 * noisy > runs->n[side];
}

static int compare (const void *a, const void *b)
{
	double x = *(const double *) a, y = *(const double *) b;

	return (x > y) - (x < y);
}

/* Takes the samples over, in the order in which they came. */
static struct bench_summary summary (double *samples, unsigned n)
{
	struct bench_summary s = { .n = n, .samples = samples };
	double *sorted = n > 0 ? malloc (n * sizeof *sorted) : NULL;

	if (sorted == NULL) {
		free (samples);
		return (struct bench_summary){ .n = 0 };
	}
	memcpy (sorted, samples, n * sizeof *sorted);
	qsort (sorted, n, sizeof *sorted, compare);
	s.min = sorted[0];
	s.max = sorted[n - 1];
	s.median = n % 2 == 1 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
	free (sorted);
	return s;
}

struct bench_summary bench_figure (const struct bench_runs *runs, enum side side, const char *name)
{
	bool all = runs->keep_noisy || bench_is_noisy (runs, side);
	double *v = calloc (runs->n[side] + 1, sizeof *v);
	unsigned n = 0;

	for (unsigned i = 0; v != NULL && i < runs->n[side]; i++) {
		const struct bench_run *run = &runs->run[side][i];
		const struct bench_value *value = bench_value (run, name);

		if (value != NULL && (all || run->noisy[0] == '\0'))
			v[n++] = value->value;
	}
	return summary (v, n);
}

/* goad's figure over the peer's.  Pairs of which one was noisy go the way of noisy runs. */
struct bench_summary bench_ratio (const struct bench_runs *runs, enum side peer, const char *name)
{
	unsigned pairs = runs->n[SIDE_GOAD] == runs->n[peer] ? runs->n[peer] : 0;
	double *quiet = calloc (pairs + 1, sizeof *quiet), *all = calloc (pairs + 1, sizeof *all);
	unsigned quiet_n = 0, all_n = 0;

	for (unsigned i = 0; quiet != NULL && all != NULL && i < pairs; i++) {
		const struct bench_run *a = &runs->run[SIDE_GOAD][i], *b = &runs->run[peer][i];
		const struct bench_value *x = bench_value (a, name), *y = bench_value (b, name);

		if (x == NULL || y == NULL || !(y->value > 0))
			continue;
		all[all_n++] = x->value / y->value;
		if (runs->keep_noisy || (a->noisy[0] == '\0' && b->noisy[0] == '\0'))
			quiet[quiet_n++] = x->value / y->value;
	}
	if (2 * quiet_n >= all_n) {
		free (all);
		return summary (quiet, quiet_n);
	}
	free (quiet);
	return summary (all, all_n);
}

/* A bound is a list of terms, as "<=0.15go <=12". */
struct term {
	bool there, least;
	double limit;
};

static void read_terms (const char *bound, struct term *go, struct term *own)
{
	char *end;

	for (const char *p = bound; (p[0] == '<' || p[0] == '>') && p[1] == '='; p = end) {
		struct term t = { true, p[0] == '>', strtod (p + 2, &end) };

		if (strncmp (end, "go", 2) == 0) {
			*go = t;
			end += 2;
		} else {
			*own = t;
		}
		end += strspn (end, " ");
	}
}

int bench_judge (const char *bound, const struct bench_summary *figure,
                 const struct bench_summary *ratio, bool go_ran, char text[48], bool *both)
{
	struct term go = { .there = false }, own = { .there = false };

	read_terms (bound, &go, &own);
	bool by_go = go.there && (go_ran || !own.there);
	struct term t = by_go ? go : own;
	const struct bench_summary *s = by_go ? ratio : figure;
	snprintf (text, 48, "%s %g%s", t.least ? ">=" : "<=", t.limit, by_go ? " of Go" : "");
	*both = s->n > 0 && s->min < s->max && s->min <= t.limit && t.limit <= s->max;
	if (!t.there || s->n == 0)
		return -1;
	return t.least ? s->median >= t.limit : s->median <= t.limit;
}
