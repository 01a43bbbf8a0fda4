/* SPDX-License-Identifier: MIT */
/* main.c - the frame of the goad program: subcommands, help, version */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "tool.h"
#include "util.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "0.1.0"
#endif

static int tool_help (int argc, char **argv);
static int tool_version (int argc, char **argv);

/* What depends on a library that may have been missing. */
static const struct {
	const char *name, *package;
	bool built;
} features[] = {
#ifdef HAVE_JANSSON
	{ "json", "libjansson-dev", true },
#else
	{ "json", "libjansson-dev", false },
#endif
#ifdef HAVE_CAIRO
	{ "cairo", "libcairo2-dev", true },
#else
	{ "cairo", "libcairo2-dev", false },
#endif
#if defined HAVE_LIBCRYPTO || defined HAVE_CRYPTO
	{ "sha256", "libssl-dev", true },
#else
	{ "sha256", "libssl-dev", false },
#endif
#ifdef HAVE_ZLIB
	{ "deflate", "zlib1g-dev", true },
#else
	{ "deflate", "zlib1g-dev", false },
#endif
#ifdef HAVE_LUA
	{ "lua", "liblua5.4-dev", true },
#else
	{ "lua", "liblua5.4-dev", false },
#endif
#ifdef HAVE_NCURSES
	{ "ncurses", "libncurses-dev", true },
#else
	{ "ncurses", "libncurses-dev", false },
#endif
};

static const struct subcommand {
	const char *name;
	int (*run) (int argc, char **argv); /* NULL: comes with a later version */
	const char *doc;
} subcommands[] = {
	{ "run", tool_run, "run work as coroutines, fairly, and show who got how much CPU" },
	{ "starve", tool_starve, "test a scheduler for starvation, scenario by scenario" },
	{ "trace", tool_trace, "record, convert and draw scheduling events" },
	{ "models", tool_models, "compare processes, threads and coroutines on this machine" },
	{ "bench", tool_bench, "measure the scheduler, next to Go and others where installed" },
	{ "top", tool_top, "watch the coroutines of a running program" },
	{ "help", tool_help, "show this, or the help of one command" },
	{ "version", tool_version, "show the version and what was built in" },
};

static void usage (FILE *to)
{
	fprintf (to, "Usage: goad COMMAND [OPTION...] [ARG...]\n"
	             "Coroutines for C that cannot hog a CPU.\n\n");
	for (size_t i = 0; i < UTIL_COUNT (subcommands); i++)
		fprintf (to, "  goad %-8s %s%s\n", subcommands[i].name, subcommands[i].doc,
		         subcommands[i].run != NULL ? "" : " (not in this version)");
	fprintf (to, "\n'goad COMMAND --help' tells more; so does the manual: man goad-run.\n"
	             "Exit status: 0 done and fair, 1 a bound was broken, 2 bad usage,\n"
	             "77 cannot run here, 99 goad itself failed.\n");
}

static const struct subcommand *find (const char *name)
{
	for (size_t i = 0; i < UTIL_COUNT (subcommands); i++)
		if (strcmp (subcommands[i].name, name) == 0)
			return &subcommands[i];
	const char *names[UTIL_COUNT (subcommands)];
	for (size_t i = 0; i < UTIL_COUNT (subcommands); i++)
		names[i] = subcommands[i].name;
	util_error ("unknown command '%s': the nearest is '%s' ('goad help' lists all)", name,
	            util_nearest (name, names, UTIL_COUNT (subcommands)));
	return NULL;
}

static int dispatch (int argc, char **argv)
{
	const struct subcommand *c = find (argv[0]);

	if (c == NULL)
		return TOOL_USAGE;
	if (c->run == NULL) {
		util_error ("'%s' is not in this version: it is to %s", c->name, c->doc);
		return TOOL_CANNOT;
	}
	return c->run (argc, argv);
}

static int tool_help (int argc, char **argv)
{
	static char help_option[] = "--help";

	if (argc > 1 && strcmp (argv[1], "help") != 0 && strcmp (argv[1], "--help") != 0) {
		const struct subcommand *c = find (argv[1]);

		if (c == NULL)
			return TOOL_USAGE;
		if (c->run == NULL || c->run == tool_version) {
			printf ("goad %s: %s%s\n", c->name, c->doc,
			        c->run == NULL ? " (not in this version)" : "");
			return TOOL_OK;
		}
		char *with_help[] = { argv[1], help_option, NULL };
		return c->run (2, with_help);
	}
	usage (stdout);
	return TOOL_OK;
}

static int tool_version (int argc, char **argv)
{
	struct utsname u;

	if (argc > 1 && strcmp (argv[1], "--help") != 0) {
		util_error ("'version' takes no argument, but was given '%s'", argv[1]);
		return TOOL_USAGE;
	}
	printf ("goad %s\n", PACKAGE_VERSION);
	for (size_t i = 0; i < UTIL_COUNT (features); i++)
		printf ("  %-8s %s%s%s\n", features[i].name, features[i].built ? "yes" : "",
		        features[i].built ? "" : ": not built in, for want of ",
		        features[i].built ? "" : features[i].package);
	if (uname (&u) == 0)
		printf ("running on: %s %s %s\n", u.sysname, u.release, u.machine);
	return TOOL_OK;
}

int main (int argc, char **argv)
{
	if (argc < 2) {
		usage (stderr);
		return TOOL_USAGE;
	}
	if (strcmp (argv[1], "--help") == 0 || strcmp (argv[1], "-h") == 0 ||
	    strcmp (argv[1], "-?") == 0) {
		usage (stdout);
		return TOOL_OK;
	}
	if (strcmp (argv[1], "--version") == 0 || strcmp (argv[1], "-V") == 0)
		return tool_version (1, argv);
	if (argv[1][0] == '-') {
		util_error ("unknown option '%s': options come after a command, as in 'goad run %s'",
		            argv[1], argv[1]);
		return TOOL_USAGE;
	}
	int code = dispatch (argc - 1, argv + 1);
	if (fflush (stdout) != 0 && code == TOOL_OK)
		code = TOOL_FAILED;
	return code;
}
