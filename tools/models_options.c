/* SPDX-License-Identifier: MIT */
/* models_options.c - the options of goad models */
#include "models.h"

enum { KEY_FORMAT = 256, KEY_PLOT };

static const struct argp_option options[] = {
	{ "quick", 'q', NULL, 0, "A few seconds: for a look, not for a figure", 1 },
	{ "format", KEY_FORMAT, "FORMAT", 0, "text, or json (\"schema\": \"goad-models/1\")", 2 },
	{ "plot", KEY_PLOT, "FILE", 0, "Draw the table: FILE.svg or FILE.png", 2 },
	{ 0 },
};

static const char doc[] =
    "Compare the thread models side by side on this machine: processes, kernel threads\n"
    "(1:1), coroutines on one thread (N:1), and coroutines on many (M:N)."
    "\v"
    "The same experiments are done in each: what it costs to create one, to switch to\n"
    "another and to keep one, how much faster all CPUs are than one, and what a call\n"
    "that blocks and an endless loop do to the others.\n\n"
    "Exit status: 0 done, 2 bad usage, 99 goad itself failed.\n\n"
    "Example: goad models --plot models.svg";

struct parse {
	struct models *models;
	int code;
};

static error_t parse_one (int key, char *arg, struct argp_state *state)
{
	struct parse *p = state->input;

	switch (key) {
	case 'q':
		p->models->quick = true;
		break;
	case KEY_FORMAT:
		p->code = util_read_format (arg, &p->models->json);
		break;
	case KEY_PLOT:
		p->code = util_read_plot (arg, &p->models->plot);
		break;
	case ARGP_KEY_ARG:
		util_error ("'%s' is one too many: goad models takes options only", arg);
		p->code = TOOL_USAGE;
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return p->code == 0 ? 0 : EINVAL;
}

int models_options_parse (struct models *m, int argc, char **argv)
{
	const struct argp argp = { .options = options, .parser = parse_one, .doc = doc };
	struct parse parse = { .models = m };
	int code = util_parse_options (&argp, "goad models", 0, argc, argv, &parse);

	return parse.code != 0 ? parse.code : code;
}
