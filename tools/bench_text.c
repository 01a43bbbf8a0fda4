/* SPDX-License-Identifier: MIT */
/* bench_text.c - the report for people: a block for each case, as soon as it is measured */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

static const char *figure (char buf[16], double v)
{
	double a = fabs (v);

	/* Near 1 live the indices of fairness, which differ in the fourth digit. */
	snprintf (buf, 16,
	          a >= 99.5    ? "%.0f"
	          : a >= 9.95  ? "%.1f"
	          : a >= 1.005 ? "%.2f"
	          : a >= 0.9   ? "%.4f"
	                       : "%.2g",
	          v);
	return buf;
}

static const char *ratio_of (char buf[16], double v)
{
	snprintf (buf, 16, v >= 99.5 ? "%.0f" : v >= 9.95 ? "%.1f" : v >= 0.095 ? "%.2f" : "%.2g", v);
	return buf;
}

static void spread (char buf[64], const struct bench_summary *s,
                    const char *(*number) (char *, double) )
{
	char a[16], b[16], c[16];

	if (s->n == 0)
		buf[0] = '\0';
	else if (s->n == 1)
		snprintf (buf, 64, "%s", number (a, s->median));
	else
		snprintf (buf, 64, "%s (%s..%s)", number (a, s->median), number (b, s->min),
		          number (c, s->max));
}

static void print_line (const struct bench *b, const char *name, const char *unit,
                        const char *const cell[2 * SIDES], const char *end)
{
	char line[320];
	int n = snprintf (line, sizeof line, "  %-18s %-5s %-22s", name, unit, cell[0]);

	for (unsigned side = SIDE_GO; side < SIDES; side++)
		if (b->peer[side])
			n += snprintf (line + n, sizeof line - (size_t) n, " %9s  %-20s", cell[2 * side],
			               cell[2 * side + 1]);
	while (n > 0 && line[n - 1] == ' ' && *end == '\0')
		line[--n] = '\0';
	printf ("%s%s\n", line, end);
}

void bench_text_head (const struct bench *b)
{
	struct bench_machine m;
	char size[16];

	bench_machine (&m);
	printf ("CPU       %s, %u CPUs%s, %s\n", m.cpu, m.cpus, m.virtual_machine ? ", virtual" : "",
	        util_size (size, (double) m.memory));
	printf ("kernel    %s\ncompiler  %s\n", m.kernel, __VERSION__);
	printf ("Go        %s\n", b->peer[SIDE_GO] ? b->go : "left out");
	printf ("load      %.2f at %s\n", m.load, m.date);
	printf ("figures   median (min..max) of %u repetition%s in turn%s; a ratio is goad's figure to "
	        "the peer's\n\n",
	        b->repeat, b->repeat == 1 ? "" : "s", b->quick ? "; QUICK, for a look only" : "");
	const char *const names[] = { "goad",         "",      "Go",        "goad/Go", "threads",
		                          "goad/threads", "Boost", "goad/Boost" };
	print_line (b, "", "", names, b->aims ? "  aim" : "");
	fflush (stdout);
}

static void aim (struct text *t, const struct bench_metric *m, const struct bench_runs *runs,
                 const struct bench_summary *own, const struct bench_summary *ratio)
{
	char text[48], next[48];
	bool both, ignored;
	int met = bench_judge (m->bound, own, ratio, runs->n[SIDE_GO] > 0, text, &both);

	util_text_add (t, "  %s  %s", text, met < 0 ? "" : met ? "reached" : "NOT reached");
	if (met == 1 && m->further != NULL) {
		int too = bench_judge (m->further, own, ratio, runs->n[SIDE_GO] > 0, next, &ignored);

		util_text_add (t, "%s %s", too == 1 ? ", and" : "; next", next);
	}
	util_text_add (t, "%s%s", both ? " (spread on both sides)" : "",
	               met >= 0 && bench_is_noisy (runs, SIDE_GOAD) ? " (noisy)" : "");
}

static const char *unit_of (const struct bench_runs *runs, const char *name)
{
	for (unsigned side = 0; side < SIDES; side++)
		for (unsigned i = 0; i < runs->n[side]; i++) {
			const struct bench_value *v = bench_value (&runs->run[side][i], name);

			if (v != NULL)
				return v->unit;
		}
	return NULL;
}

/* Parts, counts and rates are compared by looking. */
static bool has_ratio (const char *unit)
{
	return strcmp (unit, "%") != 0 && strcmp (unit, "n") != 0 && strcmp (unit, "1/s") != 0;
}

static void metric (const struct bench *b, const struct bench_metric *m,
                    const struct bench_runs *runs)
{
	const char *unit = unit_of (runs, m->name);
	struct bench_summary s[SIDES], ratio[SIDES] = { { 0 } };
	char own[SIDES][64] = { "" }, to[SIDES][64] = { "" };
	struct text end = { 0 };

	if (unit == NULL)
		return;
	for (unsigned i = 0; i < SIDES; i++) {
		s[i] = bench_figure (runs, i, m->name);
		if (i == SIDE_GOAD) {
			spread (own[i], &s[i], figure);
			continue;
		}
		snprintf (own[i], 64, "-");
		if (s[i].n > 0)
			figure (own[i], s[i].median);
		if (has_ratio (unit))
			ratio[i] = bench_ratio (runs, i, m->name);
		spread (to[i], &ratio[i], ratio_of);
	}
	if (b->aims && m->bound != NULL)
		aim (&end, m, runs, &s[SIDE_GOAD], &ratio[SIDE_GO]);
	const char *const cell[] = { own[0], "", own[1], to[1], own[2], to[2], own[3], to[3] };
	print_line (b, m->name, unit, cell, end.s != NULL ? end.s : "");
	util_text_free (&end);
	for (unsigned i = 0; i < SIDES; i++) {
		free (s[i].samples);
		free (ratio[i].samples);
	}
}

static void noise (const struct bench_runs *runs)
{
	bool any = false;

	for (unsigned side = 0; side < SIDES; side++) {
		unsigned n = 0, first = 0;

		for (unsigned i = runs->n[side]; i-- > 0;)
			if (runs->run[side][i].noisy[0] != '\0') {
				n++;
				first = i;
			}
		if (n > 0)
			printf ("%s%s %u of %u (%s)", any ? "; " : "  noisy repetitions: ", bench_sides[side],
			        n, runs->n[side], runs->run[side][first].noisy);
		any = any || n > 0;
	}
	if (any)
		printf ("\n");
}

void bench_text_case (const struct bench *b, const struct bench_case *c,
                      const struct bench_runs *runs)
{
	static const char *last = "";
	struct text options = { 0 };

	if (strcmp (last, c->program) != 0)
		printf ("\n%s\n", bench_about (b, c->program));
	last = c->program;
	bench_arguments (b, c, runs->n[SIDE_GOAD] > 0 ? SIDE_GOAD : SIDES, &options);
	printf ("%s: %s %s\n", c->id, c->program, options.s != NULL ? options.s : "");
	for (unsigned i = 0; i < c->metrics_n; i++)
		metric (b, &c->metrics[i], runs);
	noise (runs);
	fflush (stdout);
	util_text_free (&options);
}
