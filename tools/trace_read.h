/* SPDX-License-Identifier: MIT */
/* trace_read.h - a trace in memory: its events in order, and what they tell
 *
 *	struct trace *t = trace_open ("run.trace");   // NULL: it has said why
 *	for (size_t i = 0; i < t->runs_n; i++)
 *		... t->runs[i] ...
 *	trace_free (t);
 *
 * trace_read.c decodes the file (doc/trace-format.md), trace_merge.c puts the events of all
 * threads into one order, trace_model.c makes runs, waits and preemptions of them. */
#ifndef GOAD_TOOLS_TRACE_READ_H
#define GOAD_TOOLS_TRACE_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRACE_EVENTS(X) \
	X (unknown)         \
	X (thread)          \
	X (lost)            \
	X (proc_start)      \
	X (proc_stop)       \
	X (proc_taken)      \
	X (go_info)         \
	X (go_create)       \
	X (go_start)        \
	X (go_yield)        \
	X (go_end)          \
	X (go_preempt)      \
	X (go_handoff)      \
	X (go_halt)         \
	X (go_move)         \
	X (go_block)        \
	X (go_send)         \
	X (go_recv)         \
	X (go_select)       \
	X (go_sync)         \
	X (go_cond)         \
	X (go_net)          \
	X (go_sleep)        \
	X (go_join)         \
	X (go_unblock)      \
	X (go_syscall)      \
	X (go_sysexit)      \
	X (go_sysblock)     \
	X (go_hog)          \
	X (request)         \
	X (signal)          \
	X (decision)        \
	X (steal)           \
	X (timers)          \
	X (sysmon_sleep)    \
	X (sysmon_wake)     \
	X (world_stop)      \
	X (world_stopped)   \
	X (world_start)     \
	X (procs)           \
	X (again)

enum trace_kind {
#define TRACE_KIND(name) TR_##name,
	TRACE_EVENTS (TRACE_KIND)
#undef TRACE_KIND
	    TR_COUNT
};

extern const char *const trace_kind_names[TR_COUNT];

enum { TRACE_M, TRACE_SYSMON, TRACE_OUTSIDE };
enum trace_how {
	TRACE_NONE,
	TRACE_YIELD,
	TRACE_HANDOFF,
	TRACE_DEFERRED,
	TRACE_INJECT,
	TRACE_UNNEEDED,
	TRACE_STALE,
	TRACE_HALT,
	TRACE_PENDING,
	TRACE_HOWS
};
extern const char *const trace_how_names[TRACE_HOWS];

/* What a and b are depends on the kind: the first and second number of the event that is no
 * coroutine; extra is `how`, `flags`, `why` or `role`. */
struct trace_event {
	uint64_t time; /* ns since the start of the trace      */
	uint64_t go;   /* index + 1 in gos; 0: none             */
	uint64_t a, b;
	uint32_t seq; /* the coroutine's count; HAS_SEQ: set   */
	uint16_t thread;
	uint8_t kind, extra;
};

#define TRACE_HAS_SEQ 0x1000000u

struct trace_go {
	uint64_t id, fn;
	char name[33];
	unsigned run; /* of the runtime in which it lived */
	uint32_t expected;
	bool on; /* trace_merge.c */
	/* trace_model.c */
	uint8_t state;
	bool created, ended;
	uint32_t thread;
	uint64_t born, died, cpu, since, wait_max, wait, blocked;
	uint64_t slices, yielded, handed, deferred;
	size_t resumes; /* index + 1 of a preemption after which it has not run yet */
	unsigned lane;  /* order of first appearance */
};

struct trace_thread {
	unsigned role, m, tid, run;
	size_t n;                   /* its events, before they are merged */
	uint64_t merged;            /* who runs there, up to where it is merged */
	struct trace_event last[4]; /* in the file, up to where it is read; the newest at last_n - 1 */
	unsigned last_n;
	/* trace_model.c */
	unsigned p; /* number + 1 */
	uint64_t go;
	size_t at_run;  /* index + 1 of the run that goes on */
	size_t preempt; /* index + 1 of the preemption under way */
	bool known, syscall;
};

/* A coroutine on a P. */
struct trace_run {
	uint64_t from, to;
	uint64_t go;
	uint32_t p;
	uint16_t thread;
	uint8_t how;    /* the event that ended it; TR_unknown: the trace ended before */
	size_t preempt; /* index + 1 */
};

/* One request and what came of it; a time that is not known is 0. */
struct trace_preempt {
	uint64_t requested, signalled, decided, left, resumed;
	uint64_t go, pc, at; /* pc: of the frame that decided; at: where the signal came */
	uint32_t p, why, depth;
	uint16_t thread;
	uint8_t how, flags;
};

struct trace_map {
	uint64_t lo, hi, offset;
	char *path;
};

struct trace_fact {
	char *name, *value;
	unsigned run;
};

struct trace {
	uint64_t start_ns, wall_ns, length, wrote, lost;
	unsigned pid, runs_of_runtime;
	bool complete; /* it ends as it should */
	struct trace_event *events;
	size_t events_n;
	struct trace_go *gos;
	size_t gos_n;
	struct trace_thread *threads;
	size_t threads_n;
	struct trace_run *runs;
	size_t runs_n;
	struct trace_preempt *preempts;
	size_t preempts_n;
	struct trace_map *maps;
	size_t maps_n;
	struct trace_fact *facts;
	size_t facts_n;
	char **strings;
	size_t strings_n;
	unsigned procs; /* the highest P, and 1 */
	uint64_t counts[TR_COUNT];
	uint64_t problems; /* events that cannot follow each other */
	char problem[160]; /* the first */
};

struct trace *trace_open (const char *path); /* NULL, after a message */
void trace_free (struct trace *t);

/* trace_read.c's own steps. */
int trace_merge (struct trace *t, size_t from, unsigned run);
int trace_model (struct trace *t);
bool trace_is_stop (unsigned kind);                                  /* ends a run */
uint64_t trace_go_find (struct trace *t, unsigned run, uint64_t id); /* index + 1; 0: no memory */
void trace_go_forget (void);                                         /* what that one keeps */
bool trace_grow (void *array, size_t n, size_t size);

const char *trace_fact (const struct trace *t, const char *name); /* "" */
const char *trace_string (const struct trace *t, uint64_t n);
const char *trace_go_name (const struct trace *t, uint64_t go, char buf[48]);
const char *trace_end_name (unsigned kind); /* of a run */

/* trace_symbols.c: "function+0x1f (libfoo.so)"; what is not known is left out. */
const char *trace_symbol (const struct trace *t, uint64_t pc, char *buf, size_t size);
const char *trace_function (const struct trace *t, uint64_t pc, char *buf, size_t size);
void trace_symbols_free (void);

#endif
