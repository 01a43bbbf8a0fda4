/* SPDX-License-Identifier: MIT */
/* run_expect.c - the bounds of --expect: 'jain>=0.98,wait_max<=50ms' */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"

const char *run_figure_print (char buf[24], enum figure_id id, double value)
{
	char time[16];

	switch (run_figures[id].unit) {
	case UNIT_TIME:
		snprintf (buf, 24, "%s", util_time (time, value));
		break;
	case UNIT_NUMBER:
		snprintf (buf, 24, "%.0f", value);
		break;
	case UNIT_RATIO:
		snprintf (buf, 24, "%.4f", value);
		break;
	}
	return buf;
}

static void list_figures (void)
{
	static const char *const units[] = { "ratio", "time", "number" };

	printf ("Bounds are NAME OP VALUE, separated by commas; OP is <=, >=, <, > or =.\n\n");
	for (size_t i = 0; i < FIG_COUNT; i++)
		printf ("  %-14s %-7s %s\n", run_figures[i].name, units[run_figures[i].unit],
		        run_figures[i].doc);
	printf ("\nRatios may be written as 98%%; times need a unit (50ms).\n");
}

static int find_figure (const char *name, enum figure_id *id)
{
	const char *names[FIG_COUNT];

	for (size_t i = 0; i < FIG_COUNT; i++) {
		names[i] = run_figures[i].name;
		if (strcmp (names[i], name) == 0) {
			*id = (enum figure_id) i;
			return 0;
		}
	}
	util_error ("--expect: unknown name '%s': the nearest is '%s' ('--expect help' lists all)",
	            name, util_nearest (name, names, FIG_COUNT));
	return TOOL_USAGE;
}

static int parse_value (const char *text, enum figure_id id, double *value)
{
	const char *what = "a number, as in 100";
	uint64_t ns;
	char *end;

	if (run_figures[id].unit == UNIT_TIME) {
		if (util_parse_time (text, &ns) == 0) {
			*value = (double) ns;
			return 0;
		}
		what = "a time, as in 50ms or 250us";
	} else {
		*value = strtod (text, &end);
		if (end != text && run_figures[id].unit == UNIT_RATIO && strcmp (end, "%") == 0) {
			*value /= 100;
			return 0;
		}
		if (end != text && *end == '\0' && *value >= 0 && *value <= 1e18)
			return 0;
		if (run_figures[id].unit == UNIT_RATIO)
			what = "a ratio, as in 0.98 or 98%";
	}
	util_error ("--expect: '%s' of %s is not %s", text, run_figures[id].name, what);
	return TOOL_USAGE;
}

/* Takes the spaces out, in place. */
static void squeeze (char *s)
{
	char *to = s;

	for (; *s != '\0'; s++)
		if (*s != ' ' && *s != '\t')
			*to++ = *s;
	*to = '\0';
}

static int parse_bound (struct run *run, char *text)
{
	struct bound *b = &run->bounds[run->bounds_n];

	squeeze (text);
	if (run->bounds_n == BOUNDS_MAX) {
		util_error ("--expect: more than %d bounds", BOUNDS_MAX);
		return TOOL_USAGE;
	}
	size_t name = strcspn (text, "<>=!");
	size_t op = strspn (text + name, "<>=!");
	snprintf (b->text, sizeof b->text, "%s", text);
	if (op > 2 || (op == 2 && text[name + 1] != '=') || text[name] == '!' || op == 0 || name == 0) {
		util_error ("--expect: '%s' is not a bound: write NAME<=VALUE, with <=, >=, <, > or =",
		            text);
		return TOOL_USAGE;
	}
	memcpy (b->op, text + name, op);
	b->op[op] = '\0';
	const char *value = text + name + op;
	text[name] = '\0';
	int code = find_figure (text, &b->figure);
	if (code == 0)
		code = parse_value (value, b->figure, &b->value);
	if (code == 0)
		run->bounds_n++;
	return code;
}

int run_expect_parse (struct run *run, const char *text)
{
	char *list, *save = NULL;
	int code = 0;

	if (strcmp (text, "help") == 0) {
		list_figures ();
		exit (TOOL_OK);
	}
	list = strdup (text);
	if (list == NULL)
		return TOOL_FAILED;
	unsigned before = run->bounds_n;
	for (char *b = strtok_r (list, ",", &save); b != NULL && code == 0;
	     b = strtok_r (NULL, ",", &save))
		code = parse_bound (run, b);
	free (list);
	if (code == 0 && run->bounds_n == before) {
		util_error ("--expect '%s' has no bound: write 'jain>=0.98,wait_max<=50ms'", text);
		code = TOOL_USAGE;
	}
	return code;
}

static bool holds (double value, const char *op, double bound)
{
	switch (op[0]) {
	case '<':
		return op[1] == '=' ? value <= bound : value < bound;
	case '>':
		return op[1] == '=' ? value >= bound : value > bound;
	default:
		return value == bound;
	}
}

/* How many bounds were broken.  A figure that was not measured holds no bound: a
 * test that measured nothing must not pass.  Works that failed break the run
 * unless a bound speaks of them. */
unsigned run_expect_check (struct run *run)
{
	unsigned broken = 0;
	bool failed_named = false;

	for (unsigned i = 0; i < run->bounds_n; i++) {
		struct bound *b = &run->bounds[i];

		b->held = run->known[b->figure] && holds (run->figures[b->figure], b->op, b->value);
		broken += !b->held;
		failed_named |= b->figure == FIG_FAILED;
	}
	if (!failed_named && run->figures[FIG_FAILED] > 0)
		broken++;
	return broken;
}
