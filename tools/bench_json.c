/* SPDX-License-Identifier: MIT */
/* bench_json.c - the report for programs: "schema": "goad-bench/1"
 *
 * Every sample is in it, in the order in which it was taken.  Fields may be added under the
 * same schema; one that changes or goes makes a new number. */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "bench.h"

#ifdef HAVE_JANSSON

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "0.1.0"
#endif

static json_t *summary (struct bench_summary s)
{
	json_t *o, *samples;

	if (s.n == 0)
		return json_null ();
	o = json_object ();
	samples = json_array ();
	for (unsigned i = 0; i < s.n; i++)
		json_array_append_new (samples, json_real (s.samples[i]));
	json_object_set_new (o, "median", json_real (s.median));
	json_object_set_new (o, "min", json_real (s.min));
	json_object_set_new (o, "max", json_real (s.max));
	json_object_set_new (o, "samples", samples);
	free (s.samples);
	return o;
}

static void put_aim (json_t *o, const struct bench_metric *m, const struct bench_runs *runs)
{
	struct bench_summary figure = bench_figure (runs, SIDE_GOAD, m->name);
	struct bench_summary ratio = bench_ratio (runs, SIDE_GO, m->name);
	char text[48];
	bool both;
	int met = m->bound != NULL
	              ? bench_judge (m->bound, &figure, &ratio, runs->n[SIDE_GO] > 0, text, &both)
	              : -1;

	json_object_set_new (o, "aim", m->bound != NULL ? json_string (m->bound) : json_null ());
	json_object_set_new (o, "next_aim",
	                     m->further != NULL ? json_string (m->further) : json_null ());
	json_object_set_new (o, "reached", met < 0 ? json_null () : json_boolean (met));
	free (figure.samples);
	free (ratio.samples);
}

static json_t *metric (const struct bench_metric *m, const struct bench_runs *runs)
{
	json_t *o = json_object (), *ratio = json_object ();
	const char *unit = NULL;

	for (unsigned side = 0; side < SIDES; side++) {
		for (unsigned i = 0; i < runs->n[side]; i++) {
			const struct bench_value *v = bench_value (&runs->run[side][i], m->name);
			unit = v != NULL ? v->unit : unit;
		}
		json_object_set_new (o, bench_sides[side], summary (bench_figure (runs, side, m->name)));
		if (side != SIDE_GOAD)
			json_object_set_new (ratio, bench_sides[side],
			                     summary (bench_ratio (runs, side, m->name)));
	}
	json_object_set_new (o, "unit", unit != NULL ? json_string (unit) : json_null ());
	json_object_set_new (o, "ratio", ratio);
	put_aim (o, m, runs);
	return o;
}

static json_t *machine (const struct bench *b)
{
	struct bench_machine m;
	json_t *o = json_object ();

	bench_machine (&m);
	json_object_set_new (o, "cpu", json_string (m.cpu));
	json_object_set_new (o, "cpus", json_integer (m.cpus));
	json_object_set_new (o, "virtual", json_boolean (m.virtual_machine));
	json_object_set_new (o, "memory_bytes", json_integer ((json_int_t) m.memory));
	json_object_set_new (o, "kernel", json_string (m.kernel));
	json_object_set_new (o, "compiler", json_string (__VERSION__));
	json_object_set_new (o, "go", b->go[0] != '\0' ? json_string (b->go) : json_null ());
	json_object_set_new (o, "load", json_real (m.load));
	json_object_set_new (o, "date", json_string (m.date));
	return o;
}

static json_t *noise (const struct bench_runs *runs, unsigned side)
{
	json_t *a = json_array ();

	for (unsigned i = 0; i < runs->n[side]; i++)
		json_array_append_new (a, json_string (runs->run[side][i].noisy));
	return a;
}

/* What was measured is taken down now; the runs are gone at the end. */
int bench_json_case (struct bench *b, const struct bench_case *c, const struct bench_runs *runs)
{
	json_t *o = json_object (), *metrics = json_object (), *arguments = json_object (),
	       *noisy = json_object ();

	if (b->tree == NULL)
		b->tree = json_array ();
	json_object_set_new (o, "id", json_string (c->id));
	json_object_set_new (o, "program", json_string (c->program));
	for (unsigned side = 0; side < SIDES; side++) {
		struct text t = { 0 };

		if (runs->n[side] == 0)
			continue;
		bench_arguments (b, c, side, &t);
		json_object_set_new (arguments, bench_sides[side], json_string (t.s != NULL ? t.s : ""));
		json_object_set_new (noisy, bench_sides[side], noise (runs, side));
		util_text_free (&t);
	}
	for (unsigned i = 0; i < c->metrics_n; i++)
		json_object_set_new (metrics, c->metrics[i].name, metric (&c->metrics[i], runs));
	json_object_set_new (o, "arguments", arguments);
	json_object_set_new (o, "metrics", metrics);
	json_object_set_new (o, "noisy", noisy);
	return json_array_append_new (b->tree, o) == 0 ? 0 : -ENOMEM;
}

int bench_json_write (struct bench *b, int code)
{
	json_t *o = json_object (), *peers = json_array ();

	json_object_set_new (o, "schema", json_string ("goad-bench/1"));
	json_object_set_new (o, "version", json_string (PACKAGE_VERSION));
	json_object_set_new (o, "machine", machine (b));
	json_object_set_new (o, "repeat", json_integer (b->repeat));
	json_object_set_new (o, "quick", json_boolean (b->quick));
	for (unsigned side = SIDE_GO; side < SIDES; side++)
		if (b->peer[side])
			json_array_append_new (peers, json_string (bench_sides[side]));
	json_object_set_new (o, "peers", peers);
	json_object_set_new (o, "cases", b->tree != NULL ? b->tree : json_array ());
	json_object_set_new (o, "exit_code", json_integer (code));
	int rc = json_dumpf (o, stdout, JSON_INDENT (2) | JSON_REAL_PRECISION (9));
	json_decref (o);
	b->tree = NULL;
	printf ("\n");
	return rc == 0 && fflush (stdout) == 0 ? 0 : -EIO;
}

#else

#include <errno.h>

int bench_json_case (struct bench *b, const struct bench_case *c, const struct bench_runs *runs)
{
	(void) b, (void) c, (void) runs;
	return -ENOTSUP;
}

int bench_json_write (struct bench *b, int code)
{
	(void) b, (void) code;
	return -ENOTSUP;
}

#endif
