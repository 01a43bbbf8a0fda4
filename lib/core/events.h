/* SPDX-License-Identifier: MIT */
/* core/events.h - the events of a trace: their names, and what each carries
 *
 * An argument's letter says what it is, in the ring and in the file (doc/trace-format.md):
 *	g  a coroutine: number << 24 | its count of events       n  a number
 *	P  a P, by number; M  an M; each 1 more, 0: none         t  a time
 *	x  an address in code                                    S  static text, by its address
 *	N  a coroutine's name: four words of text
 * A go_ event with a next, but for create, start, unblock and the sys ones, is the end of
 * the run of who was on that M; if next is not 0 that one begins to run there at the same
 * time.  `again` stands for so many events, each like the fourth before it (core/ring.h).
 * New ones go to the end: numbers in old files stay what they are, though readers
 * go by the names, which each file lists.
 */
#ifndef GOAD_CORE_EVENTS_H
#define GOAD_CORE_EVENTS_H

#define GOAD__EVENTS(X)                         \
	X (none, "", "")                            \
	X (thread, "nnMnPn", "gen role m tid p go") \
	X (lost, "tn", "since count")               \
	X (proc_start, "P", "p")                    \
	X (proc_stop, "P", "p")                     \
	X (proc_taken, "Pn", "p why")               \
	X (go_info, "nxN", "go fn name")            \
	X (go_create, "g", "go")                    \
	X (go_start, "g", "go")                     \
	X (go_yield, "g", "next")                   \
	X (go_end, "g", "next")                     \
	X (go_preempt, "g", "next")                 \
	X (go_handoff, "g", "next")                 \
	X (go_halt, "g", "next")                    \
	X (go_move, "g", "next")                    \
	X (go_block, "g", "next")                   \
	X (go_send, "g", "next")                    \
	X (go_recv, "g", "next")                    \
	X (go_select, "g", "next")                  \
	X (go_sync, "g", "next")                    \
	X (go_cond, "g", "next")                    \
	X (go_net, "g", "next")                     \
	X (go_sleep, "g", "next")                   \
	X (go_join, "g", "next")                    \
	X (go_unblock, "g", "go")                   \
	X (go_syscall, "", "")                      \
	X (go_sysexit, "g", "go")                   \
	X (go_sysblock, "g", "go")                  \
	X (go_hog, "n", "on")                       \
	X (request, "Pnnn", "p slice flags go")     \
	X (signal, "xn", "pc slice")                \
	X (decision, "nSxn", "how why pc depth")    \
	X (steal, "Pn", "from count")               \
	X (timers, "Pn", "p count")                 \
	X (sysmon_sleep, "t", "until")              \
	X (sysmon_wake, "", "")                     \
	X (world_stop, "", "")                      \
	X (world_stopped, "", "")                   \
	X (world_start, "", "")                     \
	X (procs, "n", "count")                     \
	X (again, "n", "count")

enum goad__ev {
#define GOAD__EV(name, args, names) EV_##name,
	GOAD__EVENTS (GOAD__EV)
#undef GOAD__EV
	    EV_COUNT
};

/* thread: role */
enum { GOAD__ROLE_M, GOAD__ROLE_SYSMON, GOAD__ROLE_OUTSIDE };

/* decision: how.  The last four are of requests that came to nothing. */
enum goad__how {
	HOW_NONE,
	HOW_YIELD,    /* in place                                             */
	HOW_HANDOFF,  /* the thread stops with it                             */
	HOW_DEFERRED, /* it goes on; sysmon asks again                        */
	HOW_INJECT,   /* a call; the frames are judged next                   */
	HOW_UNNEEDED, /* nobody waits any more                                */
	HOW_STALE,    /* the slice was over                                   */
	HOW_HALT,     /* the world is to stop                                 */
	HOW_PENDING   /* looked at on the way out of the runtime, or of goad_preempt_disable */
};

/* request: flags */
#define GOAD__ASK_FRESH 1u /* for fresh work, or for hogs whose turn it is */
#define GOAD__ASK_AGAIN 2u /* the same slice as before                      */

/* proc_taken: why */
enum { GOAD__TAKEN_ANNOUNCED, GOAD__TAKEN_DETECTED };

#endif
