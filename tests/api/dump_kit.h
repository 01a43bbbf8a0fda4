/* SPDX-License-Identifier: MIT */
/* tests/api/dump_kit.h - a dump as text, for the tests that read it */
#ifndef GOAD_TESTS_API_DUMP_KIT_H
#define GOAD_TESTS_API_DUMP_KIT_H

#include <goad.h>

#include <stdbool.h>
#include <stddef.h>

struct text {
	char *at;
	size_t len;
};

/* A file that nobody sees, for goad_dump; and what is in it then.  Frees what was in *t. */
int dump_file (void);
void dump_text (struct text *t, int fd);

/* The line of the coroutine with that name; NULL: there is none. */
const char *dump_line (const struct text *t, const char *name);
bool line_has (const char *line, const char *what); /* also NULL: false */
/* The frames of its group, which follow the lines of all who are in it, name that function. */
bool frames_have (const char *line, const char *symbol);

/* Starts it detached; a claim says if it fails. */
void spawn_named (const char *name, goad_fn fn, void *arg);

#endif
