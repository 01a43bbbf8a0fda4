/* SPDX-License-Identifier: MIT */
/* util_json.h - what the reports for programs share; only where jansson is there */
#ifndef GOAD_TOOLS_UTIL_JSON_H
#define GOAD_TOOLS_UTIL_JSON_H

#ifdef HAVE_JANSSON

#include <jansson.h>
#include <stdint.h>

#include "tools/util.h"

/* Names of files need not be UTF-8, which JSON's strings are: what is not becomes '?'. */
json_t *util_json_string (const char *s);
json_t *util_json_strings (int n, char **words);

void util_json_put (json_t *o, const char *key, json_t *v);
void util_json_int (json_t *o, const char *key, uint64_t v);
void util_json_real (json_t *o, const char *key, double v);
void util_json_text (json_t *o, const char *key, const char *s);
/* As a string: JSON readers lose the low bits of so large a number. */
void util_json_seed (json_t *o, uint64_t seed);

/* {"schema": ..., "version": ...}, and "host": kernel, machine, cpus. */
json_t *util_json_begin (const char *schema);
void util_json_host (json_t *o);

/* Adds it to the text and frees it.  0 or -ENOMEM. */
int util_json_end (json_t *o, struct text *out);

#endif
#endif
