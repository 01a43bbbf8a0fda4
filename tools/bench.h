/* SPDX-License-Identifier: MIT */
/* bench.h - goad bench: programs and their twins, run in turn, and what is made of it */
#ifndef GOAD_TOOLS_BENCH_H
#define GOAD_TOOLS_BENCH_H

#include "util.h"

/* Who is measured.  The peers come after goad. */
enum side { SIDE_GOAD, SIDE_GO, SIDE_PTHREAD, SIDE_BOOST, SIDES };
extern const char *const bench_sides[SIDES];

enum { BENCH_METRICS = 16, BENCH_VALUES = 32, BENCH_ABOUT = 128 };

struct bench_metric {
	const char *name, *bound, *further; /* bound and further may be NULL */
};

/* A case as the list of cases has it; the words point into the text that was read. */
struct bench_case {
	const char *id, *program;
	const char *all, *own[SIDES];             /* options, or NULL        */
	const char *quick_all, *quick_own[SIDES]; /* those added by --quick  */
	bool absent[SIDES];                       /* has no part in the case */
	bool main, chosen;
	unsigned warm, metrics_n;
	struct bench_metric metrics[BENCH_METRICS];
};

/* What a program printed: "name value unit" a line. */
struct bench_value {
	char name[32], unit[12];
	double value;
};

struct bench_run {
	struct bench_value values[BENCH_VALUES];
	unsigned values_n;
	double run_delay_ms;
	char noisy[80]; /* why the machine was not its own meanwhile, or "" */
};

/* All repetitions of a case.  Where a program failed there are none of its side. */
struct bench_runs {
	struct bench_run *run[SIDES];
	unsigned n[SIDES];
	bool keep_noisy;
};

struct bench_summary {
	double median, min, max;
	unsigned n; /* 0: nothing was measured */
	double *samples;
};

struct bench {
	bool quick, json, list, all, aims, keep_noisy;
	bool peer[SIDES], asked; /* asked: they were named */
	unsigned repeat;
	uint64_t timeout_ns;
	struct bench_case *cases;
	unsigned cases_n;
	const char *about[BENCH_ABOUT]; /* pairs: program, text */
	unsigned about_n;
	char go[64]; /* the version of Go, or "" */
	bool failed; /* a program ended badly    */
	void *tree;  /* bench_json.c's: the cases so far */
};

/* bench_options.c, bench_cases.c: 0, or the exit code; they complain. */
int bench_options_parse (struct bench *b, int argc, char **argv, int *names_n, char ***names);
int bench_cases_read (struct bench *b);
int bench_cases_choose (struct bench *b, int n, char **names);
const char *bench_about (const struct bench *b, const char *program);

/* bench_find.c: the directories; and where things are.  NULL: not there.  The path is valid
 * until the next call. */
const char *bench_path (void);
const char *bench_find (const char *folder, const char *name, const char *suffix, int mode);
const char *bench_program (struct bench *b, enum side side, const char *name);
void bench_find_peers (struct bench *b);

/* bench_exec.c: one run; 0 or -errno, having complained. */
int bench_exec (const struct bench *b, enum side side, const char *path, const char *options,
                struct bench_run *run);

/* bench_stats.c */
const struct bench_value *bench_value (const struct bench_run *run, const char *name);
struct bench_summary bench_figure (const struct bench_runs *runs, enum side side, const char *name);
struct bench_summary bench_ratio (const struct bench_runs *runs, enum side peer, const char *name);
bool bench_is_noisy (const struct bench_runs *runs, enum side side);

/* Whether a bound is met: by the ratio to Go where it names one and Go ran, else by the
 * figure itself.  1, 0, or -1 where that cannot be said; text is the bound in words. */
int bench_judge (const char *bound, const struct bench_summary *figure,
                 const struct bench_summary *ratio, bool go_ran, char text[48], bool *both);

/* bench_text.c, bench_json.c */
void bench_text_head (const struct bench *b);
void bench_text_case (const struct bench *b, const struct bench_case *c,
                      const struct bench_runs *runs);
int bench_json_case (struct bench *b, const struct bench_case *c, const struct bench_runs *runs);
int bench_json_write (struct bench *b, int code);

/* bench.c: what goes on, on a terminal only: it is overwritten by what comes next; NULL clears
 * it.  And a case's options for a side, in a text of the caller's. */
void bench_progress (const char *what, const char *name);
void bench_arguments (const struct bench *b, const struct bench_case *c, enum side side,
                      struct text *to);

/* bench_machine.c: what was measured on. */
struct bench_machine {
	char cpu[96], kernel[96], date[32];
	unsigned cpus;
	bool virtual_machine;
	uint64_t memory;
	double load;
};
void bench_machine (struct bench_machine *m);

#endif
