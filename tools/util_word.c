/* SPDX-License-Identifier: MIT */
/* util_word.c - messages, and the nearest valid word for one that is not */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util.h"

enum { WORD_MAX = 64, OPTIONS_MAX = 48 };

static const char *command = "goad";

void util_set_command (const char *name)
{
	command = name;
}

const char *util_command (void)
{
	return command;
}

/* One write for the whole line, and no lock of stdio: a coroutine that was handed
 * off may hold it. */
void util_error (const char *format, ...)
{
	char line[2048];
	va_list ap;
	int n = snprintf (line, sizeof line, "%s: ", command);

	va_start (ap, format);
	int m = vsnprintf (line + n, sizeof line - (size_t) n - 1, format, ap);
	va_end (ap);
	if (m < 0)
		return;
	size_t len = strlen (line);
	line[len++] = '\n';
	(void) util_write_all (STDERR_FILENO, line, len);
}

static unsigned min3 (unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;

	return m < c ? m : c;
}

/* The number of insertions, deletions, replacements and swaps of neighbours, with
 * letters compared without their case. */
static unsigned distance (const char *a, const char *b)
{
	size_t n = strnlen (a, WORD_MAX), m = strnlen (b, WORD_MAX);
	unsigned rows[3][WORD_MAX + 1];
	unsigned *before = rows[0], *last = rows[1], *now = rows[2];

	for (size_t j = 0; j <= m; j++)
		last[j] = (unsigned) j;
	for (size_t i = 1; i <= n; i++) {
		now[0] = (unsigned) i;
		for (size_t j = 1; j <= m; j++) {
			int ca = tolower ((unsigned char) a[i - 1]);
			int cb = tolower ((unsigned char) b[j - 1]);

			now[j] = min3 (last[j] + 1, now[j - 1] + 1, last[j - 1] + (ca != cb));
			if (i > 1 && j > 1 && ca == tolower ((unsigned char) b[j - 2]) &&
			    cb == tolower ((unsigned char) a[i - 2]) && before[j - 2] + 1 < now[j])
				now[j] = before[j - 2] + 1;
		}
		unsigned *free_row = before;
		before = last;
		last = now;
		now = free_row;
	}
	return last[m];
}

const char *util_nearest (const char *typed, const char *const *words, size_t n)
{
	const char *best = NULL;
	unsigned least = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned d = 2 * distance (typed, words[i]);
		size_t len = strlen (typed);

		/* A word that was begun is nearer than one that is merely short. */
		if (len > 1 && strncasecmp (typed, words[i], len) == 0)
			d = 1;
		if (best == NULL || d < least) {
			best = words[i];
			least = d;
		}
	}
	return best;
}

static const struct argp_option *find_long (const struct argp_option *table, const char *name,
                                            size_t len, int *matches)
{
	const struct argp_option *found = NULL;

	*matches = 0;
	for (const struct argp_option *o = table; o->name != NULL || o->key != 0 || o->doc; o++) {
		if (o->name == NULL || strncmp (o->name, name, len) != 0)
			continue;
		found = o;
		if (o->name[len] == '\0') {
			*matches = 1;
			return o;
		}
		++*matches;
	}
	return found;
}

static void complain_long (const struct argp_option *table, const char *word, size_t len)
{
	const char *names[OPTIONS_MAX] = { "help", "usage" };
	size_t n = 2;
	char typed[WORD_MAX];

	for (const struct argp_option *o = table; o->name || o->key || o->doc; o++)
		if (o->name != NULL && n < OPTIONS_MAX)
			names[n++] = o->name;
	snprintf (typed, sizeof typed, "%.*s", (int) len, word);
	util_error ("unknown option '--%s': the nearest is '--%s'", typed,
	            util_nearest (typed, names, n));
}

/* 1: its value is the next argument; 0: it needs none; -1: complained. */
static int check_long (const char *arg, const struct argp_option *table)
{
	const char *name = arg + 2;
	size_t len = strcspn (name, "=");
	int matches;

	/* argp has these two itself. */
	if (strncmp ("help", name, len) == 0 || strncmp ("usage", name, len) == 0) {
		if (name[len] != '=')
			return 0;
		util_error ("option '--%.*s' takes no value", (int) len, name);
		return -1;
	}
	const struct argp_option *o = find_long (table, name, len, &matches);
	if (matches != 1) {
		complain_long (table, name, len);
		return -1;
	}
	if (o->arg == NULL && name[len] == '=') {
		util_error ("option '--%s' takes no value", o->name);
		return -1;
	}
	return o->arg != NULL && name[len] == '\0';
}

static int check_short (const char *arg, const struct argp_option *table)
{
	for (const char *c = arg + 1; *c != '\0'; c++) {
		const struct argp_option *o = table;

		if (*c == '?')
			continue;
		while ((o->name || o->key || o->doc) && o->key != *c)
			o++;
		if (o->key != *c) {
			util_error ("unknown option '-%c': '%s --help' lists them", *c, command);
			return -1;
		}
		if (o->arg != NULL)
			return c[1] == '\0';
	}
	return 0;
}

int util_check_options (int argc, char **argv, const struct argp_option *table)
{
	for (int i = 1; i < argc; i++) {
		const char *arg = argv[i];

		if (arg[0] != '-' || arg[1] == '\0' || strcmp (arg, "--") == 0)
			return 0;
		int wants = arg[1] == '-' ? check_long (arg, table) : check_short (arg, table);
		if (wants < 0)
			return TOOL_USAGE;
		if (wants > 0 && ++i >= argc) {
			util_error ("option '%s' needs a value", arg);
			return TOOL_USAGE;
		}
	}
	return 0;
}
