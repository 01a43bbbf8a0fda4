/* SPDX-License-Identifier: MIT */
/* models_json.c - the table for programs: "schema": "goad-models/1"
 *
 * Fields may be added under the same schema; one that changes or goes makes a new number. */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <errno.h>

#include "models.h"

#ifdef HAVE_JANSSON

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "0.1.0"
#endif

/* What has no bound has no value either, but null. */
static json_t *value (const struct models_value *v)
{
	json_t *o = json_object ();
	bool bounded = v->known && !v->endless;

	json_object_set_new (o, "median", bounded ? json_real (v->value) : json_null ());
	json_object_set_new (o, "min", bounded ? json_real (v->min) : json_null ());
	json_object_set_new (o, "max", bounded ? json_real (v->max) : json_null ());
	json_object_set_new (o, "unbounded", json_boolean (v->endless));
	return o;
}

static json_t *row (const struct models *m, unsigned i)
{
	const struct models_row *r = &models_rows[i];
	json_t *o = json_object (), *values = json_object (), *text = json_array ();

	for (unsigned k = 0; k < MODELS; k++)
		json_object_set_new (values, models_worlds[k].name, value (&m->value[k][i]));
	json_array_append_new (text, json_string (r->text[0]));
	json_array_append_new (text, json_string (r->text[1]));
	json_object_set_new (o, "name", json_string (r->name));
	json_object_set_new (o, "title", json_string (r->title));
	json_object_set_new (o, "unit", json_string (r->unit));
	json_object_set_new (o, "values", values);
	json_object_set_new (o, "text", text);
	return o;
}

int models_json (const struct models *m, int code)
{
	json_t *o = json_object (), *rows = json_array ();
	struct utsname u;

	for (unsigned i = 0; i < ROWS; i++)
		json_array_append_new (rows, row (m, i));
	json_object_set_new (o, "schema", json_string ("goad-models/1"));
	json_object_set_new (o, "version", json_string (PACKAGE_VERSION));
	json_object_set_new (o, "cpus", json_integer (m->cpus));
	json_object_set_new (o, "kernel", json_string (uname (&u) == 0 ? u.release : ""));
	json_object_set_new (o, "quick", json_boolean (m->quick));
	json_object_set_new (o, "repeat", json_integer (m->repeat));
	json_object_set_new (o, "others_cpus", json_real (m->others));
	json_object_set_new (o, "rows", rows);
	json_object_set_new (o, "plot", m->plot != NULL ? json_string (m->plot) : json_null ());
	json_object_set_new (o, "exit_code", json_integer (code));
	int rc = json_dumpf (o, stdout, JSON_INDENT (2) | JSON_REAL_PRECISION (9));
	json_decref (o);
	printf ("\n");
	return rc == 0 && fflush (stdout) == 0 ? 0 : -EIO;
}

#else

int models_json (const struct models *m, int code)
{
	(void) m, (void) code;
	return -ENOTSUP;
}

#endif
