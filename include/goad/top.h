/* SPDX-License-Identifier: MIT */
/* goad/top.h - the page that a program with GOAD_TOP=1 shows of itself, for goad top and others
 *
 * While its runtime runs such a program keeps a file NAME in /dev/shm, or where that cannot
 * be written in $XDG_RUNTIME_DIR or /tmp: goad-top.PID.START, START being its start time as in
 * /proc/PID/stat.  The file holds one struct goad_top_page, and is readable for its user only.
 * It is written anew four times a second while anything runs, and not at all while nothing
 * does.  Map it to be read only, and take a copy of one instant:
 *
 *	do {
 *		while ((seq = __atomic_load_n (&page->seq, __ATOMIC_ACQUIRE)) & 1)
 *			;
 *		memcpy (&copy, page, sizeof copy);
 *		__atomic_thread_fence (__ATOMIC_ACQUIRE);
 *	} while (__atomic_load_n (&page->seq, __ATOMIC_RELAXED) != seq);
 *
 * (but not for ever: a program that was killed may have left an odd number.)  The magic is
 * written last: a file without it is not complete yet.  A runtime that ends takes its file away,
 * and the next one in the same process makes another of the same name.  Times are
 * nanoseconds, instants are goad_now's: CLOCK_MONOTONIC, the same in all processes.
 */
#ifndef GOAD_TOP_H
#define GOAD_TOP_H

#include <goad/debug.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GOAD_TOP_MAGIC "goadtop" /* 8 bytes, with the 0 */
#define GOAD_TOP_VERSION 1u      /* another one has another layout */
#define GOAD_TOP_PROCS 64
#define GOAD_TOP_TASKS 256

typedef struct goad_top_proc {
	uint64_t running;  /* the coroutine's number; 0: none      */
	uint64_t since_ns; /* when it was put there                */
	uint32_t queued;   /* coroutines in its own queue          */
	uint32_t idle;     /* 1: it has nothing to do              */
} goad_top_proc_t;

typedef struct goad_top_task {
	uint64_t id;
	char name[32];
	uint32_t state; /* GOAD_STATE_*                              */
	uint32_t reserved;
	uint64_t cpu_ns;      /* in all                                    */
	uint64_t interval_ns; /* of that, in the last interval of the page */
	uint64_t since_ns;    /* since when it is in its state; 0: unknown */
	uint64_t slices;
	char wait[24]; /* what it waits for, if it does: "channel", ... */
} goad_top_task_t;

struct goad_top_page {
	char magic[8];
	uint32_t version, size; /* of this struct */
	uint64_t seq;           /* odd while the rest is written */
	uint32_t pid, quiet;    /* quiet: nothing ran when it was written, and nothing has since */
	uint64_t start;
	uint64_t written_ns, interval_ns; /* when, and since the time before */
	uint32_t procs, tasks;            /* Ps in all, entries of task that are used */
	uint64_t looked_at;               /* coroutines looked at this time, of stats.coroutines */
	goad_stats_t stats;
	goad_top_proc_t proc[GOAD_TOP_PROCS]; /* the first ones */
	goad_top_task_t task[GOAD_TOP_TASKS]; /* those that ran most in the last interval first */
	                                      /* of all to be kept; in no order               */
};

#ifdef __cplusplus
}
#endif

#endif /* GOAD_TOP_H */
