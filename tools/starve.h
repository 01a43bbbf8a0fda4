/* SPDX-License-Identifier: MIT */
/* starve.h - goad starve: scenarios in which somebody starves if a mechanism is missing
 *
 * A scenario (scenarios/NAME.c) is run in a process of its own (starve_child.c).  It spawns
 * hogs and victims; a victim says from when on it could run, and when it does.  A thread
 * outside the scheduler looks on, and ends it: when each victim has had its turns, or when
 * one has waited for longer than the bound, and the host cannot have been the reason.
 */
#ifndef GOAD_TOOLS_STARVE_H
#define GOAD_TOOLS_STARVE_H

#include <goad.h>
#include <stdatomic.h>
#include <stdio.h>

#include "tools/trace_split.h"
#include "tools/util.h"

/* ---- what a scenario says of itself ---------------------------------------------------------- */

/* Mechanisms, for `needs`: the flags that take them away. */
enum {
	NEEDS_PREEMPT = GOAD_F_NO_PREEMPT,
	NEEDS_HANDOFF = GOAD_F_NO_HANDOFF,
	NEEDS_DETECT_BLOCK = GOAD_F_NO_DETECT_BLOCK,
	NEEDS_WAKEUP_PREEMPT = GOAD_F_NO_WAKEUP_PREEMPT,
	NEEDS_GLOBAL_TICK = GOAD_F_NO_GLOBAL_TICK,
	NEEDS_INHERIT_SLICE = GOAD_F_NO_INHERIT_SLICE,
	NEEDS_SYSMON = GOAD_F_NO_SYSMON
};

struct scenario {
	const char *name;
	const char *about;   /* one line: who starves whom            */
	const char *issue;   /* "owner/repository#number"              */
	const char *after;   /* one line: what went wrong there        */
	unsigned needs;      /* NEEDS_*                                */
	int procs;           /* 0: 1                                   */
	uint64_t quantum_ns; /* 0: 2 ms                              */
	uint64_t bound_ns;   /* 0: 60 ms                             */
	unsigned turns;      /* of each victim; 0: 8                */
	unsigned victims;    /* 0: 1                                 */
	unsigned flags;      /* GOAD_F_*                              */
	int module;          /* what kind of code the program counts as; 0: GOAD_MODULE_SCANNED */
	goad_fn first;       /* the first coroutine                  */
};

extern const struct scenario *const starve_scenarios[];
extern const size_t starve_scenarios_n;

/* ---- for scenarios (starve_kit.c) ------------------------------------------------------------ */

extern _Atomic int starve_over_flag;

static inline bool starve_over (void)
{
	return atomic_load_explicit (&starve_over_flag, memory_order_relaxed) != 0;
}

/* Victims.  Since when it can run (0: from now), and that it runs. */
int starve_victim (void);
void starve_ready (int victim, uint64_t since);
void starve_ran (int victim);
bool starve_pending (int victim); /* it could run, and has not yet */

/* A coroutine that nobody joins, with a name. */
void starve_go (const char *name, goad_fn fn, void *arg);
/* The same for a victim that could run from then on, as one that is never run has to count
 * too.  fn gives its argument to starve_victim_is, which says who it is, and that it runs;
 * NULL: one that is new. */
void starve_go_victim (goad_fn fn);
int starve_victim_is (void *arg);
/* A thread outside of the runtime. */
void starve_thread (void *(*fn) (void *arg), void *arg);

/* Computes, without a call, for about so long, or until it is over. */
void starve_burn (uint64_t ns);

/* Coroutines of use in many scenarios: computes without a call; computes 50 us and yields;
 * a victim that yields; one that sleeps for 2 ms each time. */
void starve_hog_spins (void *arg);
void starve_hog_yields (void *arg);
void starve_victim_yields (void *arg);
void starve_victim_sleeps (void *arg);

/* A victim that never ends a run by itself: each gap in its running is a wait. */
void starve_victim_computes (void *arg);

/* A thread outside of the runtime spawns a victim each 2 ms, when the one before has run and
 * *asleep (NULL: nobody has to be) is `least` or more. */
void starve_newcomers (const _Atomic int *asleep, int least);

/* ---- running one (starve_child.c) ------------------------------------------------------------ */

enum outcome { STARVE_NONE, STARVE_PASS, STARVE_FAIL, STARVE_UNCLEAR, STARVE_ERROR };

struct culprit {
	uint64_t waited_ns, victim_id, hog_id;
	char victim[32], hog[32];
	void *pc[32];
	int depth;
};

/* What the child leaves, in memory that both see. */
struct verdict {
	_Atomic int outcome;
	char why[160];
	struct hist waits;                /* of victims, with those still open at the end */
	_Atomic uint64_t open_ns, opened; /* the longest of those, and how many */
	uint64_t longest_run_ns, noise_ns, elapsed_ns, events;
	struct culprit culprit;
	goad_stats_t stats;
	goad_config_t config;
};

/* What a trace of the scenario says of its preemptions. */
struct starve_split {
	bool known; /* there is a trace      */
	uint64_t lost, by_how[TRACE_HOWS];
	struct {
		uint64_t n, p50_ns, p99_ns, max_ns;
	} step[TRACE_STEPS];
	struct {
		char why[64];
		uint64_t n;
	} deferred[8]; /* the most frequent; the rest is in the last */
	unsigned deferred_n;
};

struct setup {
	const struct scenario *scenario;
	int (*user) (int argc, char **argv); /* --so: instead of first */
	unsigned disabled;
	uint64_t bound_ns, seed;
	struct verdict *verdict;
	int trace; /* where the child writes it; -1: nowhere */
};

/* In the parent.  STARVE_ERROR: it could not be run. */
enum outcome starve_run (const struct setup *s);
/* The child's part, which does not return. */
void starve_child (const struct setup *s) __attribute__ ((noreturn));

/* starve_trace.c: a file in memory, or -1.  The child's part: begin, look each time it looks
 * on, end.  The parent's: read, which empties it. */
int starve_trace_open (void);
void starve_trace_begin (int fd);
void starve_trace_look (int fd);
void starve_trace_end (int fd);
void starve_trace_read (int fd, struct starve_split *to);

/* For starve_child.c, of the kit: ready to be used, and what victims have come to. */
struct standing {
	unsigned victims;
	uint64_t least_turns, worst_ns; /* of waits that are over, and ... */
	uint64_t open_ns;               /* ... of those that are not       */
};
void starve_kit_begin (struct hist *waits);
void starve_kit_look (struct standing *s, uint64_t now);
void starve_kit_censor (struct verdict *v, uint64_t now);

/* ---- cases and their reports ----------------------------------------------------------------- */

struct mechanism {
	const char *name;
	unsigned flag;
};
extern const struct mechanism starve_mechanisms[];
enum { STARVE_MECHANISMS = 7 };

struct trial {
	const struct scenario *scenario;
	unsigned disabled;
	bool expect_fail; /* matrix: it needs what is disabled */
	unsigned round;   /* of --repeat, from 1; 0: the only one */
	unsigned attempts, failed, unclear;
	uint64_t bound_ns;
	enum outcome outcome;
	struct verdict v;
	struct starve_split split;
};

struct suite {
	struct trial *trial;
	size_t n;
	uint64_t seed;
	bool matrix;
	unsigned disabled;
	const char *so;
	int (*user) (int argc, char **argv);
};

enum { FORMAT_DEFAULT, FORMAT_TAP, FORMAT_TEXT, FORMAT_JSON };

bool starve_trial_ok (const struct trial *t);
const char *starve_outcome_name (enum outcome o);
void starve_disabled_names (char buf[128], unsigned disabled);
void starve_trial_name (char buf[256], const struct trial *t);
/* A frame of a backtrace: "spin_hog.c's function+0x12", or module and offset. */
void starve_frame_name (char *buf, size_t size, void *pc, bool exact);
void starve_plain (struct text *out, const char *s); /* without control characters and # */

void starve_tap_begin (struct text *out, const struct suite *s);
void starve_tap_trial (struct text *out, const struct trial *t, size_t number);
void starve_text (struct text *out, const struct suite *s);
void starve_text_matrix (struct text *out, const struct suite *s);
void starve_list (struct text *out);
int starve_junit (const struct suite *s, const char *path);
int starve_hgrm (const struct suite *s, const char *path);
int starve_json (struct text *out, const struct suite *s, int code); /* -ENOTSUP: not built in */
extern const char *const starve_json_package;

#endif
