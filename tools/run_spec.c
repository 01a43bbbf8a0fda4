/* SPDX-License-Identifier: MIT */
/* run_spec.c - from "WORK [ARG...] + WORK [ARG...]" to specs and tasks */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "run.h"

extern const struct work work_spin, work_primes, work_mandelbrot, work_sha256, work_deflate,
    work_lua, work_tick, work_echo, work_block;

const struct work *const run_works[] = { &work_spin,   &work_primes,  &work_mandelbrot,
	                                     &work_sha256, &work_deflate, &work_lua,
	                                     &work_tick,   &work_echo,    &work_block };
const unsigned run_works_n = UTIL_COUNT (run_works);

static int unknown_work (const char *name)
{
	const char *names[UTIL_COUNT (run_works)];

	for (size_t i = 0; i < run_works_n; i++)
		names[i] = run_works[i]->name;
	util_error ("unknown work '%s': the nearest is '%s'; for a function of your own write "
	            "FILE.so:FUNCTION",
	            name, util_nearest (name, names, run_works_n));
	return TOOL_USAGE;
}

static int find_work (struct spec *spec)
{
	const char *name = spec->argv[0];

	for (size_t i = 0; i < run_works_n; i++)
		if (strcmp (run_works[i]->name, name) == 0)
			spec->work = run_works[i];
	if (spec->work == NULL && (strchr (name, ':') != NULL || strstr (name, ".so") != NULL))
		spec->work = &work_so;
	if (spec->work == NULL)
		return unknown_work (name);
	if (spec->work->package != NULL) {
		util_error ("'%s' was not built in: %s was missing when goad was built", name,
		            spec->work->package);
		return TOOL_CANNOT;
	}
	snprintf (spec->label, sizeof spec->label, "%s", name);
	return spec->work->prepare != NULL ? spec->work->prepare (spec) : 0;
}

/* "-n N" in front of a WORK holds for that one. */
static int take_copies (struct spec *spec)
{
	const char *value = NULL;
	int used = 0;
	uint64_t n;

	if (strcmp (spec->argv[0], "-n") == 0 && spec->argc > 1) {
		value = spec->argv[1];
		used = 2;
	} else if (strncmp (spec->argv[0], "-n", 2) == 0 && spec->argv[0][2] != '\0') {
		value = spec->argv[0] + 2;
		used = 1;
	}
	if (value == NULL) {
		util_error ("option '%s': after a '+' only -n N may stand before the WORK", spec->argv[0]);
		return TOOL_USAGE;
	}
	if (util_parse_count (value, 1, TASKS_MAX, &n) < 0) {
		util_error ("-n '%s' is not a number from 1 to %d", value, TASKS_MAX);
		return TOOL_USAGE;
	}
	spec->copies = (unsigned) n;
	spec->argc -= used;
	spec->argv += used;
	return 0;
}

static int parse_spec (struct run *run, struct spec *spec, int argc, char **argv)
{
	spec->argc = argc;
	spec->argv = argv;
	spec->copies = run->opt.copies;
	if (argc > 0 && argv[0][0] == '-') {
		int code = take_copies (spec);
		if (code != 0)
			return code;
	}
	if (spec->argc == 0) {
		util_error ("a WORK is missing %s: 'goad run --help' lists them",
		            run->specs_n > 1 ? "beside a '+'" : "");
		return TOOL_USAGE;
	}
	return find_work (spec);
}

int run_specs_parse (struct run *run, int argc, char **argv)
{
	unsigned n = 1;

	if (argc == 0) {
		util_error ("no WORK: say what to run, as in 'goad run --for 1s -n 4 spin' "
		            "('goad run --help' lists the works)");
		return TOOL_USAGE;
	}
	for (int i = 0; i < argc; i++)
		n += strcmp (argv[i], "+") == 0;
	run->specs = calloc (n, sizeof *run->specs);
	if (run->specs == NULL)
		return TOOL_FAILED;
	run->specs_n = n;
	for (unsigned s = 0; s < n; s++) {
		int len = 0;

		while (len < argc && strcmp (argv[len], "+") != 0)
			len++;
		/* argv of a work ends in NULL as main's does. */
		if (len < argc)
			argv[len] = NULL;
		int code = parse_spec (run, &run->specs[s], len, argv);
		if (code != 0)
			return code;
		argv += len + 1;
		argc -= len + 1;
	}
	return 0;
}

/* Where two works have the same name, their labels get a number. */
static void make_label (struct run *run, unsigned s)
{
	const char *slash = strrchr (run->specs[s].argv[0], '/');
	const char *name = slash != NULL ? slash + 1 : run->specs[s].argv[0];
	unsigned same = 0, before = 0;

	for (unsigned i = 0; i < run->specs_n; i++) {
		if (strcmp (run->specs[i].argv[0], run->specs[s].argv[0]) != 0)
			continue;
		same++;
		before += i < s;
	}
	if (same > 1)
		snprintf (run->specs[s].label, sizeof run->specs[s].label, "%.14s/%u", name, before + 1);
	else
		snprintf (run->specs[s].label, sizeof run->specs[s].label, "%.20s", name);
}

/* The list gives one weight for each WORK, or one for each coroutine. */
static int set_weights (struct run *run)
{
	char *list = strdup (run->opt.weights), *save = NULL;
	unsigned n = 1, i = 0;

	if (list == NULL)
		return TOOL_FAILED;
	for (const char *c = list; *c != '\0'; c++)
		n += *c == ',';
	bool by_task = n == run->tasks_n;
	if (!by_task && n != run->specs_n) {
		util_error ("--weights '%s' has %u numbers: give one for each WORK (%u), or one for each "
		            "coroutine (%u)",
		            run->opt.weights, n, run->specs_n, run->tasks_n);
		free (list);
		return TOOL_USAGE;
	}
	for (char *w = strtok_r (list, ",", &save); w != NULL; w = strtok_r (NULL, ",", &save)) {
		char *end;
		double v = strtod (w, &end);

		if (*end != '\0' || !(v >= 0.01 && v <= 100)) {
			util_error ("--weights: '%s' is not a number from 0.01 to 100", w);
			free (list);
			return TOOL_USAGE;
		}
		for (unsigned t = 0; t < run->tasks_n; t++)
			if (by_task ? t == i : run->tasks[t].spec == &run->specs[i])
				run->tasks[t].weight = (unsigned) lround (v * 100);
		i++;
	}
	free (list);
	if (i != n) {
		util_error ("--weights '%s' has an empty place", run->opt.weights);
		return TOOL_USAGE;
	}
	return 0;
}

static void *zero_pages (size_t size)
{
	void *p = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
	                -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static int make_task (struct run *run, struct spec *spec, unsigned index, unsigned copy)
{
	struct task *t = &run->tasks[index];

	t->run = run;
	t->spec = spec;
	t->index = index;
	t->copy = copy;
	t->weight = 100;
	if (spec->copies > 1)
		snprintf (t->name, sizeof t->name, "%.20s#%u", spec->label, copy + 1);
	else
		snprintf (t->name, sizeof t->name, "%s", spec->label);
	if (spec->work->flags & WORK_TIMED) {
		t->late = zero_pages (sizeof *t->late);
		if (t->late == NULL)
			return TOOL_FAILED;
	}
	return 0;
}

int run_tasks_make (struct run *run)
{
	uint64_t n = 0;
	unsigned index = 0;
	bool endless = false;

	for (unsigned s = 0; s < run->specs_n; s++) {
		n += run->specs[s].copies;
		endless |= (run->specs[s].work->flags & WORK_ENDLESS) != 0;
	}
	if (n > TASKS_MAX) {
		util_error ("%llu coroutines are more than %d", (unsigned long long) n, TASKS_MAX);
		return TOOL_USAGE;
	}
	run->tasks = zero_pages (n * sizeof *run->tasks);
	if (run->tasks == NULL)
		return TOOL_FAILED;
	run->tasks_n = (unsigned) n;
	for (unsigned s = 0; s < run->specs_n; s++) {
		make_label (run, s);
		for (unsigned c = 0; c < run->specs[s].copies; c++) {
			int code = make_task (run, &run->specs[s], index++, c);
			if (code != 0)
				return code;
		}
	}
	if (endless && !run->opt.for_given) {
		run->opt.for_ns = 5 * GOAD_S;
		run->opt.for_assumed = true;
	}
	return run->opt.weights != NULL ? set_weights (run) : 0;
}
