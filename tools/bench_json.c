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
#include <stdio.h>
#include <stdlib.h>

#include "tools/util_json.h"

static json_t *summary (struct bench_summary s)
{
	json_t *o, *samples;

	if (s.n == 0)
		return json_null ();
	o = json_object ();
	samples = json_array ();
	for (unsigned i = 0; i < s.n; i++)
		json_array_append_new (samples, json_real (s.samples[i]));
	util_json_real (o, "median", s.median);
	util_json_real (o, "min", s.min);
	util_json_real (o, "max", s.max);
	util_json_put (o, "samples", samples);
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

	util_json_put (o, "aim", m->bound != NULL ? json_string (m->bound) : json_null ());
	util_json_put (o, "next_aim", m->further != NULL ? json_string (m->further) : json_null ());
	util_json_put (o, "reached", met < 0 ? json_null () : json_boolean (met));
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
		util_json_put (o, bench_sides[side], summary (bench_figure (runs, side, m->name)));
		if (side != SIDE_GOAD)
			util_json_put (ratio, bench_sides[side], summary (bench_ratio (runs, side, m->name)));
	}
	util_json_put (o, "unit", unit != NULL ? json_string (unit) : json_null ());
	util_json_put (o, "ratio", ratio);
	put_aim (o, m, runs);
	return o;
}

static json_t *machine (const struct bench *b)
{
	struct bench_machine m;
	json_t *o = json_object ();

	bench_machine (&m);
	util_json_text (o, "cpu", m.cpu);
	util_json_int (o, "cpus", (uint64_t) m.cpus);
	util_json_put (o, "virtual", json_boolean (m.virtual_machine));
	util_json_int (o, "memory_bytes", m.memory);
	util_json_text (o, "kernel", m.kernel);
	util_json_text (o, "compiler", __VERSION__);
	util_json_put (o, "go", b->go[0] != '\0' ? json_string (b->go) : json_null ());
	util_json_real (o, "load", m.load);
	util_json_text (o, "date", m.date);
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
	util_json_text (o, "id", c->id);
	util_json_text (o, "program", c->program);
	for (unsigned side = 0; side < SIDES; side++) {
		struct text t = { 0 };

		if (runs->n[side] == 0)
			continue;
		bench_arguments (b, c, side, &t);
		util_json_put (arguments, bench_sides[side], json_string (t.s != NULL ? t.s : ""));
		util_json_put (noisy, bench_sides[side], noise (runs, side));
		util_text_free (&t);
	}
	for (unsigned i = 0; i < c->metrics_n; i++)
		util_json_put (metrics, c->metrics[i].name, metric (&c->metrics[i], runs));
	util_json_put (o, "arguments", arguments);
	util_json_put (o, "metrics", metrics);
	util_json_put (o, "noisy", noisy);
	return json_array_append_new (b->tree, o) == 0 ? 0 : -ENOMEM;
}

int bench_json_write (struct bench *b, int code)
{
	json_t *o = util_json_begin ("goad-bench/1"), *peers = json_array ();

	util_json_put (o, "machine", machine (b));
	util_json_int (o, "repeat", b->repeat);
	util_json_put (o, "quick", json_boolean (b->quick));
	for (unsigned side = SIDE_GO; side < SIDES; side++)
		if (b->peer[side])
			json_array_append_new (peers, json_string (bench_sides[side]));
	util_json_put (o, "peers", peers);
	util_json_put (o, "cases", b->tree != NULL ? b->tree : json_array ());
	util_json_int (o, "exit_code", (uint64_t) code);
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
