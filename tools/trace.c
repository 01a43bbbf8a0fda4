/* SPDX-License-Identifier: MIT */
/* trace.c - goad trace: the command line */
#include "trace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tool.h"

enum { KEY_CHROME = 256, KEY_CSV, KEY_FOLDED, KEY_CHECK, KEY_FROM, KEY_TO, KEY_FORMAT };

#define OPT_OUT                                      \
	{                                                \
		"output", 'o', "FILE", 0, "Write to FILE", 0 \
	}
#define OPT_FROM                                                                \
	{                                                                           \
		"from", KEY_FROM, "TIME", 0, "Begin so long after the trace's start", 0 \
	}
#define OPT_TO                                             \
	{                                                      \
		"to", KEY_TO, "TIME", 0, "End so long after it", 0 \
	}

static const struct argp_option record_options[] = {
	{ "output", 'o', "FILE", 0, "Write the trace to FILE (goad.trace)", 0 }, { 0 }
};
static const struct argp_option summary_options[] = {
	{ "check", KEY_CHECK, NULL, 0, "Exit with 1 if events contradict each other or are missing",
	  0 },
	{ "format", KEY_FORMAT, "FORMAT", 0, "text, or json (\"schema\": \"goad-trace-summary/1\")",
	  0 },
	OPT_OUT,
	{ 0 }
};
static const struct argp_option convert_options[] = {
	{ "chrome", KEY_CHROME, NULL, 0, "JSON for ui.perfetto.dev and chrome://tracing", 0 },
	{ "csv", KEY_CSV, NULL, 0, "A line for each event", 0 },
	{ "folded", KEY_FOLDED, NULL, 0, "Who ran and what ended it, for flamegraph.pl", 0 },
	OPT_OUT,
	OPT_FROM,
	OPT_TO,
	{ 0 }
};
static const struct argp_option show_options[] = {
	{ "events", 'e', NULL, 0, "A line for each event instead of the picture", 0 },
	{ "preemptions", 'p', NULL, 0, "How each preemption came about", 0 },
	{ "go", 'g', "NAME", 0, "Only of this coroutine: its name or its number", 0 },
	{ "number", 'n', "N", 0, "So many lines or preemptions at most", 0 },
	OPT_OUT,
	OPT_FROM,
	OPT_TO,
	{ 0 }
};
static const struct argp_option plot_options[] = { OPT_FROM, OPT_TO, { 0 } };

static const struct verb {
	const char *name;
	const struct argp_option *options;
	const char *args, *doc;
} verbs[] = {
	{ "record", record_options, "-- PROGRAM [ARG...]",
	  "Run a program that uses goad, and write what its scheduler did to a file." },
	{ "summary", summary_options, "[TRACE]",
	  "Who ran how long, who waited, and how preemption went." },
	{ "convert", convert_options, "[TRACE]", "Write a trace in another format." },
	{ "show", show_options, "[TRACE]", "Show on the terminal who ran when." },
	{ "plot", plot_options, "FILE.svg|FILE.png [TRACE]",
	  "Draw a lane for each P, a colour for each coroutine, a mark for each preemption." },
};

static void usage (FILE *to)
{
	fprintf (to, "Usage: goad trace VERB [OPTION...] [TRACE]\n"
	             "What the scheduler did, event by event.\n\n");
	for (size_t i = 0; i < UTIL_COUNT (verbs); i++)
		fprintf (to, "  %-8s %s\n", verbs[i].name, verbs[i].doc);
	fprintf (to, "\nTRACE is goad.trace if it is not given.  'goad trace VERB --help' tells more;\n"
	             "so does the manual: man goad-trace.\n");
}

static int bad_time (const char *option, const char *arg, uint64_t *out)
{
	if (util_parse_time (arg, out) == 0)
		return 0;
	util_error ("%s '%s' is not a time: write it as 10ms, 250us or 2s", option, arg);
	return EINVAL;
}

struct parse {
	struct trace_options *o;
	int rest;
};

static error_t parse_one (int key, char *arg, struct argp_state *state)
{
	struct parse *p = state->input;
	struct trace_options *o = p->o;

	switch (key) {
	case 'o':
		o->out = arg;
		return 0;
	case 'e':
		o->events = true;
		return 0;
	case 'p':
		o->preemptions = true;
		return 0;
	case 'g':
		o->go = arg;
		return 0;
	case 'n':
		if (util_parse_count (arg, 1, UINT64_MAX, &o->most) == 0)
			return 0;
		util_error ("--number '%s' is not a number from 1", arg);
		return EINVAL;
	case KEY_CHROME:
	case KEY_CSV:
	case KEY_FOLDED:
		if (o->format >= 0) {
			util_error ("give one of --chrome, --csv, --folded");
			return EINVAL;
		}
		o->format = TRACE_CHROME + key - KEY_CHROME;
		return 0;
	case KEY_CHECK:
		o->check = true;
		return 0;
	case KEY_FROM:
		return bad_time ("--from", arg, &o->from);
	case KEY_TO:
		return bad_time ("--to", arg, &o->to);
	case KEY_FORMAT:
		o->json = strcmp (arg, "json") == 0;
		if (o->json || strcmp (arg, "text") == 0)
			return 0;
		util_error ("--format '%s' is unknown: it is text or json", arg);
		return EINVAL;
	case ARGP_KEY_ARG:
		p->rest = state->next - 1;
		state->next = state->argc;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int parse (const struct verb *v, int argc, char **argv, struct trace_options *o)
{
	const struct argp argp = {
		.options = v->options, .parser = parse_one, .doc = v->doc, .args_doc = v->args
	};
	struct parse p = { .o = o, .rest = argc };
	char name[32];
	int code;

	snprintf (name, sizeof name, "goad trace %s", v->name);
	code = util_parse_options (&argp, name, ARGP_IN_ORDER, argc, argv, &p);
	if (code != 0)
		return code;
	o->argc = argc - p.rest;
	o->argv = argv + p.rest;
	return 0;
}

bool trace_go_wanted (const struct trace *t, const struct trace_options *o, uint64_t go)
{
	char name[48], id[24];

	if (o->go == NULL)
		return true;
	if (go == 0)
		return false;
	snprintf (id, sizeof id, "%llu", (unsigned long long) t->gos[go - 1].id);
	return strcmp (o->go, trace_go_name (t, go, name)) == 0 || strcmp (o->go, id) == 0;
}

static int write_out (const struct trace_options *o, const struct text *text)
{
	FILE *f = o->out != NULL ? fopen (o->out, "wb") : stdout;

	if (text->failed) {
		util_error ("no memory for the result");
		return TOOL_FAILED;
	}
	if (f == NULL) {
		util_error ("'%s': %s", o->out, strerror (errno));
		return TOOL_USAGE;
	}
	bool bad = fwrite (text->s ? text->s : "", 1, text->len, f) != text->len;
	bad |= (o->out != NULL ? fclose (f) : fflush (f)) != 0;
	if (bad) {
		util_error ("the result could not be written: %s", strerror (errno));
		return TOOL_FAILED;
	}
	return TOOL_OK;
}

static int read_and (const struct verb *v, struct trace_options *o)
{
	struct text text = { 0 };
	struct trace *t;
	int code;

	if (o->argc > 1) {
		util_error ("'%s': one TRACE at a time", o->argv[1]);
		return TOOL_USAGE;
	}
	o->file = o->argc > 0 ? o->argv[0] : "goad.trace";
	if (strcmp (v->name, "convert") == 0 && o->format < 0) {
		util_error ("give one of --chrome, --csv, --folded");
		return TOOL_USAGE;
	}
	if (o->from > o->to) {
		util_error ("--from is after --to");
		return TOOL_USAGE;
	}
	t = trace_open (o->file);
	if (t == NULL)
		return TOOL_FAILED;
	if (!t->complete)
		util_error ("'%s' ends before its end was written: what came last is missing", o->file);
	if (strcmp (v->name, "plot") == 0) {
		code = trace_plot (t, o);
	} else {
		code = strcmp (v->name, "summary") == 0   ? trace_summary (t, o, &text)
		       : strcmp (v->name, "convert") == 0 ? trace_convert (t, o, &text)
		                                          : trace_show (t, o, &text);
		int wrote = write_out (o, &text);
		if (wrote != TOOL_OK)
			code = wrote;
	}
	util_text_free (&text);
	trace_free (t);
	return code;
}

/* Its first argument is the picture. */
static int plot_file (struct trace_options *o)
{
	const char *name = o->argc > 0 ? o->argv[0] : "";
	size_t len = strlen (name);

	if (len < 5 ||
	    (strcasecmp (name + len - 4, ".svg") != 0 && strcasecmp (name + len - 4, ".png") != 0)) {
		util_error ("'%s': the picture's name must end in .svg or .png", name);
		return TOOL_USAGE;
	}
	if (trace_plot_package != NULL) {
		util_error ("pictures were not built in: %s was missing when goad was built",
		            trace_plot_package);
		return TOOL_CANNOT;
	}
	o->out = name;
	o->argc--;
	o->argv++;
	return 0;
}

static const struct verb *find (const char *name)
{
	const char *names[UTIL_COUNT (verbs)];

	for (size_t i = 0; i < UTIL_COUNT (verbs); i++) {
		names[i] = verbs[i].name;
		if (strcmp (names[i], name) == 0)
			return &verbs[i];
	}
	util_error ("unknown verb '%s': the nearest is '%s' ('goad trace --help' lists all)", name,
	            util_nearest (name, names, UTIL_COUNT (verbs)));
	return NULL;
}

int tool_trace (int argc, char **argv)
{
	struct trace_options o = { .to = UINT64_MAX, .format = -1, .most = UINT64_MAX };
	const struct verb *v;
	int code;

	util_set_command ("goad trace");
	if (argc < 2) {
		usage (stderr);
		return TOOL_USAGE;
	}
	if (strcmp (argv[1], "--help") == 0 || strcmp (argv[1], "-?") == 0) {
		usage (stdout);
		return TOOL_OK;
	}
	v = find (argv[1]);
	if (v == NULL)
		return TOOL_USAGE;
	code = parse (v, argc - 1, argv + 1, &o);
	if (code != 0)
		return code;
	if (strcmp (v->name, "record") == 0)
		return trace_record (&o);
	if (strcmp (v->name, "plot") == 0 && (code = plot_file (&o)) != 0)
		return code;
	return read_and (v, &o);
}
