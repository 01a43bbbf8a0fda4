/* SPDX-License-Identifier: MIT */
/* run.h - goad run: what its files share
 *
 * A run has specs (one for each WORK on the command line); each makes one or more
 * tasks, a coroutine each.  The main thread is the runtime's first thread; a plain
 * thread, the monitor, samples, redraws and ends the run, because a coroutine
 * would never be scheduled where preemption is off and every P runs a hog. */
#ifndef GOAD_TOOLS_RUN_H
#define GOAD_TOOLS_RUN_H

#include <goad.h>
#include <pthread.h>
#include <stdatomic.h>

#include "util.h"

struct run;
struct spec;
struct task;
struct timeline;

enum {
	WORK_ENDLESS = 1, /* never ends by itself, so a run without --for gets one  */
	WORK_TICKS = 2,   /* sleeps and measures lateness                           */
	WORK_ECHO = 4,    /* the same, and there and back over TCP                  */
	WORK_BLOCKS = 8,  /* in the kernel most of the time                         */
	WORK_TIMED = WORK_TICKS | WORK_ECHO,  /* has a histogram of lateness        */
	WORK_ASIDE = WORK_TIMED | WORK_BLOCKS /* wants little CPU: no hog, and no part */
	                                      /* in the fairness                       */
};

/* A kind of work.  prepare runs before the runtime starts, once for a spec, and
 * returns 0 or an exit code after its message.  body runs in the coroutine and
 * returns 0 when the work was done. */
struct work {
	const char *name, *args, *doc;
	unsigned flags;
	const char *package; /* what was missing when goad was built, or NULL */
	int (*prepare) (struct spec *spec);
	int (*body) (struct task *task);
};

struct spec {
	const struct work *work;
	int argc;
	char **argv; /* argv[0] is the name of the work */
	unsigned copies;
	void *data; /* the work's own */
	char label[21];
};

enum { TASK_NEW, TASK_STARTED, TASK_ENDED };

struct task {
	struct run *run;
	struct spec *spec;
	unsigned index, copy;
	char name[32];
	unsigned weight; /* as goad_attr_t's: 100 is one */
	goad_task_t *_Atomic handle;
	_Atomic uint64_t id;
	uint64_t spawned_ns;
	_Atomic uint64_t ended_ns;
	_Atomic int phase;
	int status;              /* what the body returned               */
	_Atomic uint64_t passes; /* whole rounds of the work             */
	_Atomic int differs;     /* rounds whose result was another one  */
	char result[160];        /* written before passes becomes 1      */
	struct hist *late;       /* WORK_TIMED                           */
	_Atomic uint64_t due_ns; /* the same: when the next one should be */
	uint64_t fair_cpu_ns;    /* at the end of the fairness window    */
	double fair_share;       /* of the CPU time of all hogs          */
	double got;              /* what it got of that: 1 is fair       */
	uint64_t wait_max_ns;    /* with the wait that was still open    */
	goad_task_stats_t final; /* written by the coroutine at its end */

	/* What the report tells, as it was when it was last read. */
	goad_task_stats_t last;
	bool ended;
	uint64_t rounds; /* passes */
};

enum figure_id {
	FIG_JAIN,
	FIG_MIN_SHARE,
	FIG_MAX_SHARE,
	FIG_UTILISATION,
	FIG_WAIT_MAX,
	FIG_SLICE_MEAN,
	FIG_SLICE_ERROR,
	FIG_OVERSHOOT_P50,
	FIG_OVERSHOOT_P99,
	FIG_OVERSHOOT_MAX,
	FIG_TICK_P50,
	FIG_TICK_P99,
	FIG_TICK_MAX,
	FIG_TICKS,
	FIG_ECHO_P50,
	FIG_ECHO_P99,
	FIG_ECHO_MAX,
	FIG_ECHOES,
	FIG_PREEMPTED,
	FIG_YIELDED,
	FIG_HANDED_OFF,
	FIG_DEFERRED,
	FIG_EXPIRED,
	FIG_SIGNALS,
	FIG_THREADS,
	FIG_SYSMON_CPU,
	FIG_SYSMON_SHARE,
	FIG_FAILED,
	FIG_ELAPSED,
	FIG_COUNT
};

enum figure_unit { UNIT_RATIO, UNIT_TIME, UNIT_NUMBER };

struct figure {
	const char *name;
	enum figure_unit unit;
	const char *doc;
};

extern const struct figure run_figures[FIG_COUNT];

/* A bound of --expect. */
struct bound {
	enum figure_id figure;
	char op[3];
	double value;
	char text[64];
	bool held;
};

enum { BOUNDS_MAX = 64, PROCS_MAX = 1024, TASKS_MAX = 100000 };

struct options {
	unsigned copies;
	uint64_t procs, quantum_ns, for_ns, seed;
	int preempt; /* -1: not given */
	size_t stack_size;
	const char *weights, *plot, *trace;
	bool json;
	bool for_given, for_assumed;
};

enum { END_FINISHED, END_TIME, END_SIGNAL, END_ERROR };

struct run {
	struct options opt;
	int argc;
	char **argv;
	goad_config_t cfg;
	struct spec *specs;
	unsigned specs_n;
	struct task *tasks;
	unsigned tasks_n;
	struct bound bounds[BOUNDS_MAX];
	unsigned bounds_n;

	_Atomic uint64_t start_ns;
	_Atomic unsigned alive;      /* tasks, and one while they are spawned         */
	_Atomic int first_ended;     /* claims the snapshot for the fairness window   */
	_Atomic uint64_t fair_ns;    /* end of that window, 0: none of the hogs ended */
	_Atomic int closed, readers; /* the gate before the handles                   */
	_Atomic int ending;          /* claimed by who writes the report              */
	_Atomic int main_done;
	_Atomic int spawn_error;
	pthread_t monitor;
	bool live;
	int ended_by, signo;
	uint64_t end_ns;
	goad_stats_t stats;
	struct timeline *timeline;
	double figures[FIG_COUNT];
	bool known[FIG_COUNT];
	unsigned longest_wait; /* index of the task */
	struct hist *late;     /* of all ticks      */
	struct hist *echo;     /* of all echoes     */
	bool plotted;
};

/* run_options.c, run_spec.c: the command line. */
int run_options_parse (struct run *run, int argc, char **argv, int *rest);
int run_specs_parse (struct run *run, int argc, char **argv);
int run_tasks_make (struct run *run);
int run_preempt_parse (const char *word);
const char *run_preempt_name (int preempt);

/* The works, in the order of the help; work_so is for FILE.so:FUNCTION. */
extern const struct work *const run_works[];
extern const unsigned run_works_n;
extern const struct work work_so;

/* run_tasks.c: from the first coroutine to the last. */
void run_first (void *arg);
bool run_gate_enter (struct run *run);
void run_gate_leave (struct run *run);
bool run_read_tasks (struct run *run);
bool run_over (const struct task *task); /* should a work begin another round? */
void run_result (struct task *task, const char *format, ...)
    __attribute__ ((format (printf, 2, 3)));

/* run_monitor.c */
int run_monitor_start (struct run *run);
void run_monitor_stop (struct run *run);

/* run_live.c: the table on the terminal; clear removes it. */
bool run_colour_wanted (int fd);
void run_live_draw (struct run *run);
void run_live_clear (struct run *run);

/* run_timeline.c: who ran when. */
struct segment {
	uint64_t from, to;
	uint32_t task; /* index, or the number of tasks for another coroutine */
	uint32_t proc;
};

struct timeline {
	struct segment *segments;
	size_t n, cap;
	unsigned procs;
	uint64_t interval_ns, samples;
	uint64_t close_from, close_to; /* looked at closely in between */
	size_t last[PROCS_MAX];
	uint64_t slice[PROCS_MAX];
};

enum { TIMELINE_CLOSE = 30 }; /* quanta that are looked at closely */

struct timeline *run_timeline_make (void);
void run_timeline_sample (struct run *run);
uint64_t run_timeline_next (const struct run *run, uint64_t now); /* when to sample again */

/* run_figures.c, run_expect.c */
void run_figures_compute (struct run *run);
int run_expect_parse (struct run *run, const char *text);
unsigned run_expect_check (struct run *run);
const char *run_figure_print (char buf[24], enum figure_id id, double value);

/* report_text.c, report_json.c, plot.c: 0 or -errno; run.c: the end. */
void report_text (struct run *run, struct text *out, bool colour);
int report_json (struct run *run, struct text *out, int code);
int plot_write (struct run *run, const char *path, char *why, size_t why_size);
int run_finish (struct run *run);

#endif
