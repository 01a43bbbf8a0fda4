/* SPDX-License-Identifier: MIT */
/* bench_options.c - the options of goad bench */
#include <stdlib.h>
#include <string.h>

#include "bench.h"

enum { KEY_PEERS = 256, KEY_FORMAT, KEY_LIST, KEY_AIMS, KEY_TIMEOUT, KEY_ALL, KEY_NOISY };

static const struct argp_option options[] = {
	{ "repeat", 'r', "N", 0, "Repetitions of each case, 1 to 1000 (5, with --quick 3)", 1 },
	{ "quick", 'q', NULL, 0, "Shorter programs: for a look, not for a figure", 1 },
	{ "peers", KEY_PEERS, "LIST", 0,
	  "Who is measured beside goad: go, pthread (kernel threads), boost (Boost.Fiber), or none; "
	  "else those that are installed",
	  1 },
	{ "all", KEY_ALL, NULL, 0, "All cases, not only the main ones", 1 },
	{ "keep-noisy", KEY_NOISY, NULL, 0,
	  "Count repetitions in which the machine was busy with others, too", 1 },
	{ "timeout", KEY_TIMEOUT, "TIME", 0, "End a program that takes longer (2m)", 1 },
	{ "list", KEY_LIST, NULL, 0, "Name the cases, and say what they measure", 2 },
	{ "format", KEY_FORMAT, "FORMAT", 0, "text, or json (\"schema\": \"goad-bench/1\")", 2 },
	{ "aims", KEY_AIMS, NULL, 0, "Show the project's aims, and whether they were reached", 2 },
	{ 0 },
};

static const char doc[] =
    "Measure the scheduler, next to Go and kernel threads, and print ratios with their spread."
    "\v"
    "NAME is a case, or the program of several; without one the main cases are run.\n"
    "The programs of a case are run in turn, several times, so that what the\n"
    "machine does to one it does to all; a ratio is taken within a turn.\n\n"
    "Environment: GO and CXX are the commands that build Go's and Boost's programs\n"
    "(go, c++); GOAD_BENCH_DIR is where the benchmarks are, if not where they were\n"
    "installed (a list, with colons between).\n\n"
    "Exit status: 0 done, 2 bad usage, 77 no benchmark is installed, 99 a program\n"
    "failed.\n\n"
    "Example: goad bench --repeat 9 --peers go yield spawn";

struct parse {
	struct bench *bench;
	int names_n, code;
	char **names;
};

static int parse_peers (struct bench *b, char *list)
{
	static const char *const words[] = { "go", "pthread", "boost", "none" };

	b->asked = true;
	b->peer[SIDE_GO] = b->peer[SIDE_PTHREAD] = b->peer[SIDE_BOOST] = false;
	for (char *w = strtok (list, ","); w != NULL; w = strtok (NULL, ",")) {
		unsigned i = 0;

		while (i < UTIL_COUNT (words) && strcmp (w, words[i]) != 0)
			i++;
		if (i == UTIL_COUNT (words)) {
			util_error (
			    "--peers '%s' is unknown: the nearest is '%s' (of go, pthread, boost, none)", w,
			    util_nearest (w, words, UTIL_COUNT (words)));
			return TOOL_USAGE;
		}
		if (i < UTIL_COUNT (words) - 1)
			b->peer[SIDE_GO + i] = true;
	}
	return 0;
}

static error_t parse_one (int key, char *arg, struct argp_state *state)
{
	struct parse *p = state->input;
	struct bench *b = p->bench;
	uint64_t n = 0;

	switch (key) {
	case 'r':
		p->code = util_read_count ("--repeat", arg, 1, 1000, &n);
		b->repeat = (unsigned) n;
		break;
	case 'q':
		b->quick = true;
		break;
	case KEY_PEERS:
		p->code = parse_peers (b, arg);
		break;
	case KEY_ALL:
		b->all = true;
		break;
	case KEY_NOISY:
		b->keep_noisy = true;
		break;
	case KEY_TIMEOUT:
		p->code = util_read_time ("--timeout", arg, 1000000, UINT64_C (86400000000000),
		                          "1ms to 24h", &b->timeout_ns);
		break;
	case KEY_LIST:
		b->list = true;
		break;
	case KEY_FORMAT:
		p->code = util_read_format (arg, &b->json);
		break;
	case KEY_AIMS:
		b->aims = true;
		break;
	case ARGP_KEY_ARG:
		p->names[p->names_n++] = arg;
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return p->code == 0 ? 0 : EINVAL;
}

int bench_options_parse (struct bench *b, int argc, char **argv, int *names_n, char ***names)
{
	const struct argp argp = {
		.options = options, .parser = parse_one, .doc = doc, .args_doc = "[NAME...]"
	};
	struct parse parse = { .bench = b, .names = calloc ((size_t) argc + 1, sizeof *argv) };
	int code;

	if (parse.names == NULL)
		return TOOL_FAILED;
	*b = (struct bench){ .peer = { true, true, true, true },
		                 .timeout_ns = UINT64_C (120000000000) };
	code = util_parse_options (&argp, "goad bench", 0, argc, argv, &parse);
	if (parse.code != 0 || code != 0)
		return parse.code != 0 ? parse.code : code;
	if (b->repeat == 0)
		b->repeat = b->quick ? 3 : 5;
	*names_n = parse.names_n;
	*names = parse.names;
	return 0;
}
