/* SPDX-License-Identifier: MIT */
/* util_args.c - options that several subcommands have: each is read, or refused by name */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <stdio.h>
#include <string.h>

#include "util.h"

#ifdef HAVE_JANSSON
const bool util_has_json = true;
#else
const bool util_has_json = false;
#endif

static int check_all_options (int argc, char **argv, const struct argp_option *table)
{
	int code = util_check_options (argc, argv, table);

	/* That ends at each word that is none, after which there may be more. */
	for (int i = 1; i < argc && code == 0; i++) {
		if (strcmp (argv[i], "--") == 0)
			break;
		if (argv[i][0] != '-')
			code = util_check_options (argc - i, argv + i, table);
	}
	return code;
}

int util_parse_options (const struct argp *argp, const char *name, unsigned flags, int argc,
                        char **argv, void *input)
{
	static char program[32];
	int code = (flags & ARGP_IN_ORDER) ? util_check_options (argc, argv, argp->options)
	                                   : check_all_options (argc, argv, argp->options);

	if (code != 0)
		return code;
	snprintf (program, sizeof program, "%s", name);
	argv[0] = program;
	argp_err_exit_status = TOOL_USAGE;
	return argp_parse (argp, argc, argv, flags, NULL, input) != 0 ? TOOL_USAGE : 0;
}

int util_read_format (const char *arg, bool *json)
{
	static const char *const words[] = { "text", "json" };

	*json = strcmp (arg, "json") == 0;
	if (!*json && strcmp (arg, "text") != 0) {
		util_error ("--format '%s' is unknown: the nearest is '%s' (of text, json)", arg,
		            util_nearest (arg, words, UTIL_COUNT (words)));
		return TOOL_USAGE;
	}
#ifndef HAVE_JANSSON
	if (*json) {
		util_error (
		    "--format=json was not built in: libjansson-dev was missing when goad was built");
		return TOOL_CANNOT;
	}
#endif
	return 0;
}

int util_read_plot (const char *arg, const char **plot)
{
	size_t len = strlen (arg);

	if (len < 5 ||
	    (strcasecmp (arg + len - 4, ".svg") != 0 && strcasecmp (arg + len - 4, ".png") != 0)) {
		util_error ("--plot '%s': the name must end in .svg or .png", arg);
		return TOOL_USAGE;
	}
#ifndef HAVE_CAIRO
	util_error ("--plot was not built in: libcairo2-dev was missing when goad was built");
	return TOOL_CANNOT;
#endif
	*plot = arg;
	return 0;
}

int util_read_count (const char *option, const char *arg, uint64_t least, uint64_t most,
                     uint64_t *n)
{
	if (util_parse_count (arg, least, most, n) == 0)
		return 0;
	util_error ("%s '%s' is not a number from %llu to %llu", option, arg,
	            (unsigned long long) least, (unsigned long long) most);
	return TOOL_USAGE;
}

int util_read_time (const char *option, const char *arg, uint64_t least, uint64_t most,
                    const char *range, uint64_t *ns)
{
	if (util_parse_time (arg, ns) < 0) {
		util_error ("%s '%s' is not a time: write it as 10ms, 250us or 2s", option, arg);
		return TOOL_USAGE;
	}
	if (*ns < least || *ns > most) {
		util_error ("%s '%s' is out of range: %s", option, arg, range);
		return TOOL_USAGE;
	}
	return 0;
}
