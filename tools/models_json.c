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

#include <stdio.h>
#include <sys/utsname.h>

#include "tools/util_json.h"

/* What has no bound has no value either, but null. */
static json_t *value (const struct models_value *v)
{
	json_t *o = json_object ();
	bool bounded = v->known && !v->endless;

	util_json_put (o, "median", bounded ? json_real (v->value) : json_null ());
	util_json_put (o, "min", bounded ? json_real (v->min) : json_null ());
	util_json_put (o, "max", bounded ? json_real (v->max) : json_null ());
	util_json_put (o, "unbounded", json_boolean (v->endless));
	return o;
}

static json_t *row (const struct models *m, unsigned i)
{
	const struct models_row *r = &models_rows[i];
	json_t *o = json_object (), *values = json_object (), *text = json_array ();

	for (unsigned k = 0; k < MODELS; k++)
		util_json_put (values, models_worlds[k].name, value (&m->value[k][i]));
	json_array_append_new (text, json_string (r->text[0]));
	json_array_append_new (text, json_string (r->text[1]));
	util_json_text (o, "name", r->name);
	util_json_text (o, "title", r->title);
	util_json_text (o, "unit", r->unit);
	util_json_put (o, "values", values);
	util_json_put (o, "text", text);
	return o;
}

int models_json (const struct models *m, int code)
{
	json_t *o = util_json_begin ("goad-models/1"), *rows = json_array ();
	struct utsname u;

	for (unsigned i = 0; i < ROWS; i++)
		json_array_append_new (rows, row (m, i));
	util_json_int (o, "cpus", (uint64_t) m->cpus);
	util_json_put (o, "kernel", json_string (uname (&u) == 0 ? u.release : ""));
	util_json_put (o, "quick", json_boolean (m->quick));
	util_json_int (o, "repeat", m->repeat);
	util_json_real (o, "others_cpus", m->others);
	util_json_put (o, "rows", rows);
	util_json_put (o, "plot", m->plot != NULL ? json_string (m->plot) : json_null ());
	util_json_int (o, "exit_code", (uint64_t) code);
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
