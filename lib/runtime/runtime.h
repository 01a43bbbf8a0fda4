/* SPDX-License-Identifier: MIT */
/* runtime/runtime.h - the runtime as a whole: it starts, runs, ends, and starts again */
#ifndef GOAD_RUNTIME_RUNTIME_H
#define GOAD_RUNTIME_RUNTIME_H

#include "goad/debug.h"
#include "goad/sched.h"
#include "sched/sched.h"

/* config.c: fills the zeros and looks at the ranges; a line on stderr names what is
 * wrong. */
int goad__config_check (goad_config_t *cfg);

/* cpus.c */
int goad__cpus (void); /* that this process may use: 1..GOAD__MAX_PROCS */
/* The same, by that directory instead of /sys/fs/cgroup and that file instead of
 * /proc/self/cgroup, and without the affinity; GOAD__MAX_PROCS: no limit. */
int goad__cpus_quota (const char *root, const char *self);
void goad__cpus_follow (bool on);             /* their number is the number of Ps            */
uint64_t goad__cpus_housekeep (uint64_t now); /* sysmon: when it wants to look again         */
void goad__cpus_resize (void);                /* the maker: MAKER_PROCS                      */

/* thread.c */
int goad__threads_start (bool with_m0); /* the calling thread becomes M0, and the maker */
void goad__threads_end (void);          /* all Ms have been told to go: joins them */

/* monitor.c */
int goad__monitor_start (void);
void goad__monitor_stop (void);
void goad__monitor_totals (goad_stats_t *out);
void goad__monitor_housekeep (void); /* wakes sysmon for it */

int goad__threads_count (void); /* that the runtime made or adopted, sysmon and maker too */

/* deadlock.c */
void goad__deadlock_init (void);
uint64_t goad__deadlock_look (uint64_t now); /* sysmon's: asks again; returns when to call next */

/* dump_call.c */
void goad__dump_init (void);
int goad__quit_init (void); /* SIGQUIT, if the environment wants it */
void goad__quit_fini (void);
void goad__quit_look (void); /* sysmon's */

/* stats.c */
void goad__stats_collect (goad_stats_t *out);
void goad__stats_keep (void);   /* of a runtime that ends */
void goad__stats_forked (void); /* nobody holds its lock */
int goad__public_state (const struct g *g);

/* init.c */
enum goad__life {
	LIFE_NONE,
	LIFE_STARTING,
	LIFE_MAIN,     /* runs, in goad_main          */
	LIFE_EMBEDDED, /* runs, between goad_start    */
	LIFE_STOPPING, /* and goad_stop, which waits  */
	LIFE_ENDING,
	LIFE_FORKED /* a child of fork while one ran: for good */
};
extern _Atomic int goad__life;

static inline bool goad__forked (void)
{
	return atomic_load_explicit (&goad__life, memory_order_relaxed) == LIFE_FORKED;
}

/* fork.c: before threads are made; notes the caller's signal mask */
int goad__fork_init (void);

/* api.c: this thread is outside now, and has n goad_preempt_disable to undo */
void goad__preempt_outside (unsigned n);

#endif
