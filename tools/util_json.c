/* SPDX-License-Identifier: MIT */
/* util_json.c - what the reports for programs share */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "tools/util_json.h"

#ifdef HAVE_JANSSON

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "0.1.0"
#endif

json_t *util_json_string (const char *s)
{
	json_t *j = json_string (s);

	if (j != NULL)
		return j;
	char *copy = strdup (s);
	if (copy == NULL)
		return json_null ();
	for (char *c = copy; *c != '\0'; c++)
		if ((unsigned char) *c >= 0x80)
			*c = '?';
	j = json_string (copy);
	free (copy);
	return j;
}

json_t *util_json_strings (int n, char **words)
{
	json_t *a = json_array ();

	for (int i = 0; i < n; i++)
		json_array_append_new (a, util_json_string (words[i]));
	return a;
}

void util_json_put (json_t *o, const char *key, json_t *v)
{
	json_object_set_new (o, key, v);
}

void util_json_int (json_t *o, const char *key, uint64_t v)
{
	util_json_put (o, key, json_integer ((json_int_t) v));
}

void util_json_real (json_t *o, const char *key, double v)
{
	util_json_put (o, key, json_real (v));
}

void util_json_text (json_t *o, const char *key, const char *s)
{
	util_json_put (o, key, util_json_string (s));
}

void util_json_seed (json_t *o, uint64_t seed)
{
	char text[24];

	snprintf (text, sizeof text, "%llu", (unsigned long long) seed);
	util_json_text (o, "seed", text);
}

json_t *util_json_begin (const char *schema)
{
	json_t *o = json_object ();

	util_json_text (o, "schema", schema);
	util_json_text (o, "version", PACKAGE_VERSION);
	return o;
}

void util_json_host (json_t *o)
{
	json_t *host = json_object ();
	struct utsname u;

	if (uname (&u) == 0) {
		util_json_text (host, "kernel", u.release);
		util_json_text (host, "machine", u.machine);
	}
	util_json_int (host, "cpus", (uint64_t) sysconf (_SC_NPROCESSORS_ONLN));
	util_json_put (o, "host", host);
}

int util_json_end (json_t *o, struct text *out)
{
	char *s = json_dumps (o, JSON_INDENT (2) | JSON_REAL_PRECISION (9));

	json_decref (o);
	if (s == NULL)
		return -ENOMEM;
	util_text_add (out, "%s\n", s);
	free (s);
	return 0;
}

#else

/* A translation unit has to have something in it. */
extern const int util_json_none;
const int util_json_none = 1;

#endif
