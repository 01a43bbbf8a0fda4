/* SPDX-License-Identifier: MIT */
/* bench.c - goad bench, from the command line to the exit code */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "tool.h"

static void add_words (struct text *to, const char *words)
{
	if (words != NULL && *words != '\0')
		util_text_add (to, "%s%s", to->len > 0 ? " " : "", words);
}

/* Of an option that comes twice the later one holds, so those of --quick come last.  SIDES
 * stands for what all sides have. */
void bench_arguments (const struct bench *b, const struct bench_case *c, enum side side,
                      struct text *to)
{
	add_words (to, c->all);
	add_words (to, side < SIDES ? c->own[side] : NULL);
	if (!b->quick)
		return;
	add_words (to, c->quick_all);
	add_words (to, side < SIDES ? c->quick_own[side] : NULL);
}

void bench_progress (const char *what, const char *name)
{
	if (!isatty (STDERR_FILENO))
		return;
	fprintf (stderr, "\r\033[K");
	if (what != NULL)
		fprintf (stderr, "%s: %s", name, what);
	fflush (stderr);
}

static void list (const struct bench *b)
{
	for (unsigned i = 0; i < b->cases_n; i++) {
		const struct bench_case *c = &b->cases[i];
		bool new = true;

		for (unsigned k = 0; k < i; k++)
			new = new &&strcmp (b->cases[k].program, c->program) != 0;
		if (new) {
			printf ("%s: %s\n", c->program, bench_about (b, c->program));
			for (unsigned k = i; k < b->cases_n; k++)
				if (strcmp (b->cases[k].program, c->program) == 0)
					printf ("    %s%s\n", b->cases[k].id, b->cases[k].main ? " (main)" : "");
		}
	}
}

/* A side that failed once has no part in the rest; in what was measured before it has. */
static void repeat_once (struct bench *b, const struct bench_case *c, struct bench_runs *runs,
                         char *const path[SIDES], bool dead[SIDES], int rep)
{
	for (unsigned i = 0; i < SIDES; i++) {
		unsigned side = (i + (unsigned) (rep + 100)) % SIDES;
		struct text options = { 0 };
		struct bench_run run;

		if (path[side] == NULL || dead[side])
			continue;
		bench_arguments (b, c, side, &options);
		dead[side] = bench_exec (b, side, path[side], options.s != NULL ? options.s : "", &run) < 0;
		util_text_free (&options);
		if (dead[side])
			b->failed = true;
		else if (rep >= 0)
			runs->run[side][runs->n[side]++] = run;
	}
}

static bool run_case (struct bench *b, const struct bench_case *c)
{
	struct bench_runs runs = { .keep_noisy = b->keep_noisy };
	char *path[SIDES] = { NULL };
	bool dead[SIDES] = { false };
	char turn[32];

	for (unsigned side = 0; side < SIDES; side++) {
		const char *found = c->absent[side] ? NULL : bench_program (b, side, c->program);

		path[side] = found != NULL ? strdup (found) : NULL;
		runs.run[side] = calloc (b->repeat, sizeof *runs.run[side]);
		if (runs.run[side] == NULL)
			return false;
	}
	if (path[SIDE_GOAD] == NULL)
		util_error ("%s is left out: '%s' is not in %s", c->id, c->program, bench_path ());
	for (int rep = -(int) c->warm; rep < (int) b->repeat && path[SIDE_GOAD] != NULL; rep++) {
		snprintf (turn, sizeof turn, "%d of %u", rep + 1, b->repeat);
		bench_progress (turn, c->id);
		repeat_once (b, c, &runs, path, dead, rep);
	}
	bench_progress (NULL, NULL);
	bool measured = runs.n[SIDE_GOAD] > 0;
	if (measured && b->json)
		(void) bench_json_case (b, c, &runs);
	else if (measured)
		bench_text_case (b, c, &runs);
	for (unsigned side = 0; side < SIDES; side++) {
		free (path[side]);
		free (runs.run[side]);
	}
	return measured;
}

int tool_bench (int argc, char **argv)
{
	struct bench bench, *b = &bench;
	unsigned measured = 0;
	char **names;
	int n, code;

	util_set_command ("goad bench");
	if ((code = bench_options_parse (b, argc, argv, &n, &names)) != 0 ||
	    (code = bench_cases_read (b)) != 0 || (code = bench_cases_choose (b, n, names)) != 0)
		return code;
	if (b->list) {
		list (b);
		return TOOL_OK;
	}
	bench_find_peers (b);
	if (!b->json)
		bench_text_head (b);
	for (unsigned i = 0; i < b->cases_n; i++)
		measured += b->cases[i].chosen && run_case (b, &b->cases[i]);
	code = b->failed ? TOOL_FAILED : measured == 0 ? TOOL_CANNOT : TOOL_OK;
	if (b->json && bench_json_write (b, code) < 0)
		code = TOOL_FAILED;
	return code;
}
