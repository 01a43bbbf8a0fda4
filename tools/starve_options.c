/* SPDX-License-Identifier: MIT */
/* starve_options.c - the command line of goad starve, and the bounds file */
#include "tools/starve_options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum {
	KEY_LIST = 256,
	KEY_MATRIX,
	KEY_DISABLE,
	KEY_FORMAT,
	KEY_JUNIT,
	KEY_HGRM,
	KEY_BOUNDS,
	KEY_SEED,
	KEY_REPEAT,
	KEY_SO
};

static const struct argp_option options[] = {
	{ "list", KEY_LIST, NULL, 0,
	  "Show the scenarios: who starves whom, what each needs, after which issue", 1 },
	{ "matrix", KEY_MATRIX, NULL, 0, "Run each scenario also without each mechanism in turn", 1 },
	{ "disable", KEY_DISABLE, "MECHANISM", 0,
	  "Run without these: a list of preempt, handoff, detect-block, "
	  "wakeup-preempt, global-tick, inherit-slice, sysmon",
	  1 },
	{ "so", KEY_SO, "FILE.so:FUNCTION", 0,
	  "Run that function as the first coroutine, under the same watch", 1 },
	{ "repeat", KEY_REPEAT, "N", 0, "Run each N times", 1 },
	{ "seed", KEY_SEED, "SEED", 0, "Make the scheduler's random choices repeatable", 1 },
	{ "bounds", KEY_BOUNDS, "FILE", 0,
	  "Bounds other than the scenarios' own: lines of NAME TIME, or * TIME", 1 },
	{ "format", KEY_FORMAT, "FORMAT", 0, "tap, text, or json (\"schema\": \"goad-starve/1\")", 2 },
	{ "junit", KEY_JUNIT, "FILE", 0, "Write the results as JUnit XML, too", 2 },
	{ "hgrm", KEY_HGRM, "FILE", 0,
	  "Write how long victims waited as HdrHistogram's percentiles, in ms", 2 },
	{ 0 },
};

static const char doc[] =
    "Test a scheduler for starvation, scenario by scenario."
    "\v"
    "Each scenario is a short program in which some coroutine starves under a scheduler that\n"
    "lacks a mechanism.  The output is TAP 14.  What the host's noise makes inconclusive is\n"
    "tried again, and skipped in the end.\n\n"
    "Exit status: 0 nobody starved (--matrix: just who was to), 1 somebody did, 2 bad usage,\n"
    "77 cannot run here, 99 goad itself failed.";

static const char *names[STARVE_NAMES];

static int refuse (int code)
{
	exit (code); /* argp has nothing to clean up */
}

static int parse_disable (struct starve_options *o, const char *arg)
{
	const char *words[STARVE_MECHANISMS];
	char *list = strdup (arg), *save = NULL;

	for (int m = 0; m < STARVE_MECHANISMS; m++)
		words[m] = starve_mechanisms[m].name;
	if (!list)
		return ENOMEM;
	for (char *w = strtok_r (list, ",", &save); w; w = strtok_r (NULL, ",", &save)) {
		int m;
		for (m = 0; m < STARVE_MECHANISMS && strcmp (w, words[m]) != 0; m++)
			;
		if (m == STARVE_MECHANISMS) {
			util_error ("--disable '%s' is no mechanism: the nearest is '%s'", w,
			            util_nearest (w, words, STARVE_MECHANISMS));
			free (list);
			return refuse (TOOL_USAGE);
		}
		o->disabled |= starve_mechanisms[m].flag;
	}
	free (list);
	return 0;
}

static int find (const char *name)
{
	for (size_t i = 0; i < starve_scenarios_n; i++)
		if (strcmp (starve_scenarios[i]->name, name) == 0)
			return (int) i;
	return -1;
}

static const char *nearest (const char *name)
{
	for (size_t i = 0; i < starve_scenarios_n; i++)
		names[i] = starve_scenarios[i]->name;
	return util_nearest (name, names, starve_scenarios_n);
}

static int parse_bounds_line (struct starve_options *o, const char *path, unsigned line, char *text)
{
	char *save = NULL, *name, *time, *more;
	uint64_t ns;
	int i;

	text[strcspn (text, "#\n")] = '\0';
	name = strtok_r (text, " \t\r", &save);
	if (!name)
		return 0;
	time = strtok_r (NULL, " \t\r", &save);
	more = strtok_r (NULL, " \t\r", &save);
	if (!time || more || util_parse_time (time, &ns) < 0 || ns < GOAD_MS) {
		util_error (
		    "--bounds: %s:%u: write a name and a time of 1ms or more, as in 'spin-hog 50ms'", path,
		    line);
		return TOOL_USAGE;
	}
	if (strcmp (name, "*") == 0) {
		o->bound_all = ns;
		return 0;
	}
	i = find (name);
	if (i < 0) {
		util_error ("--bounds: %s:%u: no scenario '%s': the nearest is '%s'", path, line, name,
		            nearest (name));
		return TOOL_USAGE;
	}
	o->bound[i] = ns;
	return 0;
}

static int parse_bounds (struct starve_options *o, const char *path)
{
	FILE *in = fopen (path, "r");
	char text[256];
	int code = 0;

	if (!in) {
		util_error ("--bounds '%s': %s", path, strerror (errno));
		return refuse (TOOL_USAGE);
	}
	for (unsigned line = 1; code == 0 && fgets (text, sizeof text, in); line++)
		code = parse_bounds_line (o, path, line, text);
	fclose (in);
	return code ? refuse (code) : 0;
}

static int parse_format (struct starve_options *o, const char *arg)
{
	static const char *const words[] = { "tap", "text", "json" };
	size_t i;

	for (i = 0; i < 3 && strcmp (arg, words[i]) != 0; i++)
		;
	if (i == 3) {
		util_error ("--format '%s' is unknown: the nearest is '%s' (of tap, text, json)", arg,
		            util_nearest (arg, words, 3));
		return refuse (TOOL_USAGE);
	}
	o->format = FORMAT_TAP + (int) i;
	if (o->format == FORMAT_JSON && starve_json_package) {
		util_error ("--format=json was not built in: %s was missing when goad was built",
		            starve_json_package);
		return refuse (TOOL_CANNOT);
	}
	return 0;
}

static int parse_number (const char *option, const char *arg, uint64_t most, uint64_t *n)
{
	if (util_parse_count (arg, 1, most, n) == 0)
		return 0;
	util_error ("%s '%s' is not a number from 1 to %llu", option, arg, (unsigned long long) most);
	return refuse (TOOL_USAGE);
}

static int parse_name (struct starve_options *o, const char *arg)
{
	int i = find (arg);

	if (i < 0) {
		util_error ("no scenario '%s': the nearest is '%s' ('goad starve --list' shows all)", arg,
		            nearest (arg));
		return refuse (TOOL_USAGE);
	}
	if (o->wanted_n < STARVE_NAMES)
		o->wanted[o->wanted_n++] = starve_scenarios[i];
	return 0;
}

static int parse_so (struct starve_options *o, const char *arg)
{
	const char *colon = strrchr (arg, ':');

	if (!colon || colon == arg || !colon[1]) {
		util_error ("--so '%s': write FILE.so:FUNCTION", arg);
		return refuse (TOOL_USAGE);
	}
	o->so = arg;
	return 0;
}

static error_t parse_one (int key, char *arg, struct argp_state *state)
{
	struct starve_options *o = state->input;
	uint64_t n = 1;

	switch (key) {
	case KEY_LIST:
		o->list = true;
		return 0;
	case KEY_MATRIX:
		o->matrix = true;
		return 0;
	case KEY_DISABLE:
		return parse_disable (o, arg);
	case KEY_FORMAT:
		return parse_format (o, arg);
	case KEY_JUNIT:
		o->junit = arg;
		return 0;
	case KEY_HGRM:
		o->hgrm = arg;
		return 0;
	case KEY_BOUNDS:
		return parse_bounds (o, arg);
	case KEY_SEED:
		return parse_number ("--seed", arg, UINT64_MAX, &o->seed);
	case KEY_REPEAT:
		parse_number ("--repeat", arg, 1000, &n);
		o->repeat = (unsigned) n;
		return 0;
	case KEY_SO:
		return parse_so (o, arg);
	case ARGP_KEY_ARG:
		return parse_name (o, arg);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int check (struct starve_options *o)
{
	if (o->so && (o->wanted_n || o->matrix)) {
		util_error ("--so goes neither with names of scenarios nor with --matrix");
		return TOOL_USAGE;
	}
	if (o->matrix && o->disabled) {
		util_error ("--matrix takes each mechanism away by itself: leave --disable out");
		return TOOL_USAGE;
	}
	if (o->format == FORMAT_DEFAULT)
		o->format = o->matrix ? FORMAT_TEXT : FORMAT_TAP;
	if (!o->seed && getrandom (&o->seed, sizeof o->seed, 0) == sizeof o->seed)
		o->seed = o->seed >> 33 | 1; /* short enough to be typed again */
	return 0;
}

int starve_options_parse (struct starve_options *o, int argc, char **argv)
{
	const struct argp argp = {
		.options = options, .parser = parse_one, .doc = doc, .args_doc = "[NAME...]"
	};
	int code = util_parse_options (&argp, "goad starve", 0, argc, argv, o);

	return code != 0 ? code : check (o);
}

bool starve_wanted (const struct starve_options *o, const struct scenario *s)
{
	for (unsigned i = 0; i < o->wanted_n; i++)
		if (o->wanted[i] == s)
			return true;
	return o->wanted_n == 0;
}

uint64_t starve_bound (const struct starve_options *o, const struct scenario *s)
{
	for (size_t i = 0; i < starve_scenarios_n; i++)
		if (starve_scenarios[i] == s && o->bound[i])
			return o->bound[i];
	if (o->bound_all)
		return o->bound_all;
	return s->bound_ns ? s->bound_ns : 60 * GOAD_MS;
}
