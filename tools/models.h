/* SPDX-License-Identifier: MIT */
/* models.h - goad models: the same experiments in four worlds, side by side */
#ifndef GOAD_TOOLS_MODELS_H
#define GOAD_TOOLS_MODELS_H

#include <goad.h>
#include <pthread.h>
#include <semaphore.h>

#include "util.h"

/* The worlds. */
enum { MODEL_PROCESS, MODEL_THREAD, MODEL_N1, MODEL_MN, MODELS };

/* What is measured, a row of the table each. */
enum { ROW_CREATE, ROW_SWITCH, ROW_MEMORY, ROW_SPEEDUP, ROW_BLOCK, ROW_LOOP, ROWS };

struct models_row {
	const char *name, *title, *unit; /* unit: ns, B or x */
	const char *text[2];             /* two sentences for who learns */
};
extern const struct models_row models_rows[ROWS];

/* Something that waits for another, in whatever world: in shared memory. */
union gate {
	sem_t kernel;
	goad_sem_t coroutine;
};

union handle {
	pid_t process;
	pthread_t thread;
	goad_task_t *task;
};

/* What an experiment may use: it is written once, for all worlds. */
struct world {
	const char *name, *title;
	unsigned batch, many, turns; /* sizes that take about as long in each */
	bool (*spawn) (union handle *h, void (*fn) (void *), void *arg);
	void (*join) (union handle h);
	void (*sleep_until) (uint64_t deadline);
	void (*open) (union gate *g);
	void (*wait) (union gate *g);
	void (*post) (union gate *g);
	bool (*enter) (void (*fn) (void *), void *arg);
};
extern const struct world models_worlds[MODELS];

struct models_value {
	bool known;
	bool endless; /* it lasted as long as what it waited for: there is no bound */
	double value, min, max;
};

/* Shared between the processes: each world is measured in one of its own. */
struct models {
	bool quick, json;
	const char *plot;
	unsigned cpus, repeat;
	uint64_t span_ns; /* how long is looked at what one does to the others */
	struct models_value value[MODELS][ROWS];
	double others; /* CPUs that other programs and guests had meanwhile */
};

/* models_options.c: 0, or the exit code; it complains. */
int models_options_parse (struct models *m, int argc, char **argv);

/* models_measure.c: fills a world's values, from within it. */
void models_measure (struct models *m, const struct world *w, struct models_value *values);

/* models_text.c, models_json.c, models_plot.c: 0 or -errno. */
const char *models_show (char buf[32], const struct models_row *row,
                         const struct models_value *value);
int models_text (const struct models *m);
int models_json (const struct models *m, int code);
int models_plot (struct models *m, char *why, size_t why_size);

#endif
