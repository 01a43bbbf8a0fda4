/* SPDX-License-Identifier: MIT */
/* starve_options.h - the command line of goad starve, and the bounds file */
#ifndef GOAD_TOOLS_STARVE_OPTIONS_H
#define GOAD_TOOLS_STARVE_OPTIONS_H

#include "tools/starve.h"

enum { STARVE_NAMES = 64 };

struct starve_options {
	bool list, matrix;
	int format; /* never FORMAT_DEFAULT after parsing */
	unsigned disabled, repeat;
	uint64_t seed;
	const char *junit, *hgrm, *so;
	const struct scenario *wanted[STARVE_NAMES];
	unsigned wanted_n;            /* 0: all */
	uint64_t bound[STARVE_NAMES]; /* by the file, in the order of starve_scenarios; 0: its own */
	uint64_t bound_all;
};

int starve_options_parse (struct starve_options *o, int argc, char **argv); /* 0, TOOL_* */
bool starve_wanted (const struct starve_options *o, const struct scenario *s);
uint64_t starve_bound (const struct starve_options *o, const struct scenario *s);

#endif
