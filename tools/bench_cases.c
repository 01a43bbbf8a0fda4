/* SPDX-License-Identifier: MIT */
/* bench_cases.c - the list of cases: read from the file `cases', whose head tells what may
 * stand in it, and chosen from by name */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

const char *const bench_sides[SIDES] = { "goad", "go", "pthread", "boost" };

static char *slurp (const char *path)
{
	FILE *f = fopen (path, "r");
	struct text t = { 0 };
	char part[4096];
	size_t n;

	if (f == NULL)
		return NULL;
	while ((n = fread (part, 1, sizeof part - 1, f)) > 0) {
		part[n] = '\0';
		util_text_add (&t, "%s", part);
	}
	fclose (f);
	return t.failed ? NULL : t.s;
}

/* Cuts the first word off; what is left follows, "" at the end. */
static char *cut_word (char **rest)
{
	char *word = *rest, *end = word + strcspn (word, " \t");

	*rest = end + strspn (end, " \t");
	*end = '\0';
	return word;
}

static struct bench_case *find (struct bench *b, const char *id)
{
	for (unsigned i = 0; i < b->cases_n; i++)
		if (strcmp (b->cases[i].id, id) == 0)
			return &b->cases[i];
	return NULL;
}

static bool add_case (struct bench *b, const char *id)
{
	if (find (b, id) != NULL)
		return false;
	struct bench_case *more = realloc (b->cases, (b->cases_n + 1) * sizeof *more);
	if (more == NULL)
		return false;
	b->cases = more;
	b->cases[b->cases_n++] = (struct bench_case){ .id = id };
	return true;
}

static bool like (struct bench *b, struct bench_case *c, const char *id)
{
	struct bench_case *from = find (b, id), self = *c;

	if (from == NULL || from == c)
		return false;
	*c = *from;
	c->id = self.id;
	c->main = self.main;
	return true;
}

static bool set_quick (struct bench_case *c, char *sides, const char *options)
{
	for (char *s = strtok (sides, ","); s != NULL; s = strtok (NULL, ",")) {
		unsigned i = 0;

		if (strcmp (s, "all") == 0) {
			c->quick_all = options;
			continue;
		}
		while (i < SIDES && strcmp (s, bench_sides[i]) != 0)
			i++;
		if (i == SIDES)
			return false;
		c->quick_own[i] = options;
	}
	return true;
}

static bool add_metric (struct bench_case *c, char *rest)
{
	if (c->metrics_n == BENCH_METRICS)
		return false;
	struct bench_metric *m = &c->metrics[c->metrics_n++];
	m->name = cut_word (&rest);
	char *then = strstr (rest, " then ");
	m->further = then != NULL ? then + 6 : NULL;
	if (then != NULL)
		*then = '\0';
	m->bound = *rest != '\0' ? rest : NULL;
	return *m->name != '\0';
}

static bool set_side (struct bench_case *c, const char *key, const char *rest)
{
	for (unsigned i = 0; i < SIDES; i++)
		if (strcmp (key, bench_sides[i]) == 0) {
			c->absent[i] = strcmp (rest, "none") == 0;
			c->own[i] = c->absent[i] ? NULL : rest;
			return true;
		}
	return false;
}

/* A line within a case.  The first metric after `like' ends those that were taken over. */
static bool in_case (struct bench *b, const char *key, char *rest, bool *inherited)
{
	struct bench_case *c = b->cases_n > 0 ? &b->cases[b->cases_n - 1] : NULL;

	if (c == NULL)
		return false;
	if (strcmp (key, "like") == 0)
		return *inherited = like (b, c, rest);
	if (strcmp (key, "main") == 0)
		return c->main = true;
	if (strcmp (key, "program") == 0) {
		c->program = rest;
	} else if (strcmp (key, "all") == 0) {
		c->all = rest;
	} else if (strcmp (key, "quick") == 0) {
		char *sides = cut_word (&rest);
		return set_quick (c, sides, rest);
	} else if (strcmp (key, "warm") == 0) {
		c->warm = (unsigned) atoi (rest);
	} else if (strcmp (key, "metric") == 0) {
		c->metrics_n = *inherited ? 0 : c->metrics_n;
		*inherited = false;
		return add_metric (c, rest);
	} else {
		return set_side (c, key, rest);
	}
	return true;
}

static bool read_line (struct bench *b, char *line, bool *inherited)
{
	char *rest = line, *key = cut_word (&rest);

	if (*key == '\0' || *key == '#')
		return true;
	if (strcmp (key, "case") == 0) {
		*inherited = false;
		return *rest != '\0' && add_case (b, rest);
	}
	if (strcmp (key, "about") != 0)
		return in_case (b, key, rest, inherited);
	if (b->about_n + 2 > UTIL_COUNT (b->about))
		return false;
	b->about[b->about_n++] = cut_word (&rest);
	b->about[b->about_n++] = rest;
	return true;
}

const char *bench_about (const struct bench *b, const char *program)
{
	for (unsigned i = 0; i < b->about_n; i += 2)
		if (strcmp (b->about[i], program) == 0)
			return b->about[i + 1];
	return "";
}

/* The text is kept to the end: all words point into it. */
int bench_cases_read (struct bench *b)
{
	const char *path = bench_find ("", "cases", "", R_OK);
	bool inherited = false;
	unsigned n = 0;

	if (path == NULL) {
		util_error ("the benchmarks are not installed: there is no file 'cases' in %s",
		            bench_path ());
		return TOOL_CANNOT;
	}
	char *line = slurp (path), *next;
	if (line == NULL) {
		util_error ("'%s': %s", path, strerror (errno));
		return TOOL_FAILED;
	}
	for (; line != NULL; line = next) {
		n++;
		next = strchr (line, '\n');
		if (next != NULL)
			*next++ = '\0';
		if (!read_line (b, line, &inherited)) {
			util_error ("'%s' line %u is not understood", path, n);
			return TOOL_FAILED;
		}
	}
	for (unsigned i = 0; i < b->cases_n; i++)
		if (b->cases[i].program == NULL) {
			util_error ("'%s': case '%s' has no program", path, b->cases[i].id);
			return TOOL_FAILED;
		}
	return 0;
}

static int unknown (const struct bench *b, const char *name)
{
	const char **words = calloc (2 * b->cases_n, sizeof *words);
	unsigned n = 0;

	if (words == NULL)
		return TOOL_FAILED;
	for (unsigned i = 0; i < b->cases_n; i++) {
		words[n++] = b->cases[i].id;
		words[n++] = b->cases[i].program;
	}
	util_error ("unknown benchmark '%s': the nearest is '%s' ('goad bench --list' lists all)", name,
	            util_nearest (name, words, n));
	free (words);
	return TOOL_USAGE;
}

/* A name is that of a case, or of the program of several.  Without one: the main cases. */
int bench_cases_choose (struct bench *b, int n, char **names)
{
	for (unsigned i = 0; i < b->cases_n && n == 0; i++)
		b->cases[i].chosen = b->all || b->cases[i].main;
	for (int k = 0; k < n; k++) {
		bool found = false;

		for (unsigned i = 0; i < b->cases_n; i++) {
			struct bench_case *c = &b->cases[i];

			if (strcmp (names[k], c->id) == 0 || strcmp (names[k], c->program) == 0)
				found = c->chosen = true;
		}
		if (!found)
			return unknown (b, names[k]);
	}
	return 0;
}
