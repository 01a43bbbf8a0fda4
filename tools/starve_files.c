/* SPDX-License-Identifier: MIT */
/* starve_files.c - results as JUnit XML, and as the percentiles of HdrHistogram */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "tools/starve.h"

/* ---- JUnit: what Jenkins, GitLab and GitHub's actions read ----------------------------------- */

static void escape (FILE *out, const char *s)
{
	for (; *s; s++)
		switch (*s) {
		case '&':
			fputs ("&amp;", out);
			break;
		case '<':
			fputs ("&lt;", out);
			break;
		case '>':
			fputs ("&gt;", out);
			break;
		case '"':
			fputs ("&quot;", out);
			break;
		default: /* XML 1.0 has no other control characters, and names need not be UTF-8 */
			fputc ((unsigned char) *s < ' ' || (unsigned char) *s > '~' ? '?' : *s, out);
		}
}

static void frames (FILE *out, const struct culprit *c)
{
	char name[256];

	for (int i = 0; i < c->depth && i < 32; i++) {
		starve_frame_name (name, sizeof name, c->pc[i], i == 0);
		fputs ("\n  ", out);
		escape (out, name);
	}
}

static void testcase (FILE *out, const struct trial *t)
{
	char name[256];

	starve_trial_name (name, t);
	fputs ("  <testcase classname=\"goad.starve\" name=\"", out);
	escape (out, name);
	fprintf (out, "\" time=\"%.3f\">", (double) t->v.elapsed_ns / 1e9);
	if (t->outcome == STARVE_UNCLEAR || !starve_trial_ok (t)) {
		const char *kind = t->outcome == STARVE_UNCLEAR ? "skipped"
		                   : t->outcome == STARVE_ERROR ? "error"
		                                                : "failure";
		fprintf (out, "\n    <%s message=\"", kind);
		if (t->outcome == STARVE_UNCLEAR)
			fputs ("inconclusive: ", out);
		if (t->outcome == STARVE_PASS)
			fputs ("nobody starved", out);
		escape (out, t->v.why);
		fputs ("\">", out);
		if (t->v.culprit.waited_ns) {
			fputs ("while ", out);
			escape (out, t->v.culprit.hog);
			fputs (" ran:", out);
			frames (out, &t->v.culprit);
		}
		fprintf (out, "</%s>\n  ", kind);
	}
	fputs ("</testcase>\n", out);
}

static int close_file (FILE *out, const char *option, const char *path)
{
	bool bad = ferror (out) != 0;

	if (fclose (out) != 0 || bad) {
		util_error ("%s '%s': %s", option, path, strerror (errno));
		return -EIO;
	}
	return 0;
}

int starve_junit (const struct suite *s, const char *path)
{
	FILE *out = fopen (path, "w");
	unsigned failed = 0, errors = 0, skipped = 0;
	double time = 0;

	if (!out) {
		util_error ("--junit '%s': %s", path, strerror (errno));
		return -EIO;
	}
	for (size_t i = 0; i < s->n; i++) {
		const struct trial *t = &s->trial[i];
		time += (double) t->v.elapsed_ns / 1e9;
		errors += t->outcome == STARVE_ERROR;
		skipped += t->outcome == STARVE_UNCLEAR;
		failed += !starve_trial_ok (t) && t->outcome != STARVE_ERROR &&
		          t->outcome != STARVE_UNCLEAR;
	}
	fprintf (out,
	         "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	         "<testsuite name=\"goad starve\" tests=\"%zu\" failures=\"%u\" errors=\"%u\" "
	         "skipped=\"%u\" time=\"%.3f\">\n"
	         "  <properties><property name=\"seed\" value=\"%llu\"/></properties>\n",
	         s->n, failed, errors, skipped, time, (unsigned long long) s->seed);
	for (size_t i = 0; i < s->n; i++)
		testcase (out, &s->trial[i]);
	fputs ("</testsuite>\n", out);
	return close_file (out, "--junit", path);
}

/* ---- HdrHistogram's percentile output, read by its plotter ----------------------------------- */

/* The upper end of a bucket of util.h's histogram. */
static void line (FILE *out, double ms, double part, uint64_t n)
{
	if (part < 1)
		fprintf (out, "%12.3f %2.12f %10llu %14.2f\n", ms, part, (unsigned long long) n,
		         1 / (1 - part));
	else
		fprintf (out, "%12.3f %2.12f %10llu\n", ms, part, (unsigned long long) n);
}

/* Five steps to each halving of what is left above, as HdrHistogram does by default. */
static void percentiles (FILE *out, const struct hist *h)
{
	uint64_t total = atomic_load (&h->count);
	double part = 0;

	while (total > 0) {
		double left = 1 - part;
		double ticks = 5 * pow (2, floor (log2 (1 / left)) + 1);

		line (out, (double) util_hist_quantile (h, part) / 1e6, part,
		      (uint64_t) ceil (part * (double) total));
		if (left * (double) total < 1)
			break;
		part += 1 / ticks;
	}
	line (out, (double) util_hist_quantile (h, 1) / 1e6, 1, total);
}

static void moments (const struct hist *h, double *mean, double *deviation)
{
	double sum = 0, squares = 0, n = (double) atomic_load (&h->count);

	for (int i = 1; i <= 200; i++) { /* by quantiles: the buckets' bounds are util.h's own */
		double v = (double) util_hist_quantile (h, (i - 0.5) / 200) / 1e6;
		sum += v;
		squares += v * v;
	}
	*mean = n > 0 ? sum / 200 : 0;
	*deviation = n > 0 ? sqrt (fmax (0, squares / 200 - *mean * *mean)) : 0;
}

int starve_hgrm (const struct suite *s, const char *path)
{
	static struct hist all;
	FILE *out = fopen (path, "w");
	double mean, deviation;

	if (!out) {
		util_error ("--hgrm '%s': %s", path, strerror (errno));
		return -EIO;
	}
	for (size_t i = 0; i < s->n; i++)
		util_hist_merge (&all, &s->trial[i].v.waits);
	fprintf (out, "%12s %14s %10s %14s\n\n", "Value", "Percentile", "TotalCount",
	         "1/(1-Percentile)");
	percentiles (out, &all);
	moments (&all, &mean, &deviation);
	fprintf (out, "#[Mean    = %12.3f, StdDeviation   = %12.3f]\n", mean, deviation);
	fprintf (out, "#[Max     = %12.3f, Total count    = %12llu]\n",
	         (double) util_hist_quantile (&all, 1) / 1e6,
	         (unsigned long long) atomic_load (&all.count));
	fprintf (out, "#[Buckets = %12d, SubBuckets     = %12d]\n", UTIL_HIST_BUCKETS / UTIL_HIST_SUB,
	         UTIL_HIST_SUB);
	return close_file (out, "--hgrm", path);
}
