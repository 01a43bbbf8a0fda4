/* SPDX-License-Identifier: MIT */
/* util.h - what every subcommand of the program uses: exit codes, messages, times,
 * words, text, histograms */
#ifndef GOAD_TOOLS_UTIL_H
#define GOAD_TOOLS_UTIL_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Exit codes, as Automake's test protocol reads them. */
enum {
	TOOL_OK = 0,      /* done, and fair                  */
	TOOL_BROKEN = 1,  /* a bound was broken              */
	TOOL_USAGE = 2,   /* the command line is at fault    */
	TOOL_CANNOT = 77, /* cannot run here                 */
	TOOL_FAILED = 99  /* the tool itself failed          */
};

#define UTIL_COUNT(array) (sizeof (array) / sizeof (array)[0])

/* One line on stderr, with the name of the running command in front. */
void util_set_command (const char *name);
const char *util_command (void);
void util_error (const char *format, ...) __attribute__ ((format (printf, 1, 2)));

/* Times: "10ms", "250us", "1.5s", "2m", "100ns"; a number alone is refused, but
 * for 0.  0 or -EINVAL. */
int util_parse_time (const char *text, uint64_t *ns);

/* Three digits and a unit: "10.0 ms", "35 us". */
const char *util_time (char buf[16], double ns);

/* Sizes: bytes, or with K, M, G.  Counts: whole numbers between the two bounds. */
int util_parse_size (const char *text, size_t *bytes);
int util_parse_count (const char *text, uint64_t least, uint64_t most, uint64_t *n);
const char *util_size (char buf[16], double bytes);

/* The word nearest to what was typed, by edit distance; NULL when there is none. */
const char *util_nearest (const char *typed, const char *const *words, size_t n);

/* Checks the options before the first argument against the table and complains,
 * naming the nearest, about one that argp would refuse.  0 or TOOL_USAGE. */
int util_check_options (int argc, char **argv, const struct argp_option *table);

/* util_args.c: reads the options by argp, having checked them so, also those behind other words
 * unless flags say ARGP_IN_ORDER.  name: the command's, in argp's help.  0 or TOOL_USAGE. */
int util_parse_options (const struct argp *argp, const char *name, unsigned flags, int argc,
                        char **argv, void *input);

/* Options that several commands have.  0, TOOL_USAGE or TOOL_CANNOT, having complained. */
extern const bool util_has_json;
int util_read_format (const char *arg, bool *json);
int util_read_plot (const char *arg, const char **plot);
int util_read_count (const char *option, const char *arg, uint64_t least, uint64_t most,
                     uint64_t *n);
int util_read_time (const char *option, const char *arg, uint64_t least, uint64_t most,
                    const char *range, uint64_t *ns);

/* Text that grows; failed is set when memory ran out. */
struct text {
	char *s;
	size_t len, cap;
	bool failed;
};

void util_text_add (struct text *t, const char *format, ...)
    __attribute__ ((format (printf, 2, 3)));
void util_text_free (struct text *t);
int util_write_all (int fd, const char *s, size_t len);

/* The columns that UTF-8 text takes on a terminal, near enough: one for each
 * code point. */
size_t util_columns (const char *s);

/* util_moment.c: seconds so far: CPU time of the whole machine, what its host kept for others,
 * of this process and its children that ended, and the time itself. */
struct util_moment {
	double busy, steal, own, wall;
};
struct util_moment util_moment (void);

/* A histogram of times with 32 buckets to an octave, so each value is known
 * within 3%; the largest is kept as it is.  One writer; readers at any time. */
enum { UTIL_HIST_SUB = 32, UTIL_HIST_BUCKETS = UTIL_HIST_SUB * 44 };

struct hist {
	_Atomic uint64_t count, max;
	_Atomic uint64_t bucket[UTIL_HIST_BUCKETS];
};

void util_hist_add (struct hist *h, uint64_t value);
void util_hist_merge (struct hist *into, const struct hist *from);
uint64_t util_hist_quantile (const struct hist *h, double q);

#endif
