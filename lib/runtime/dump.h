/* SPDX-License-Identifier: MIT */
/* runtime/dump.h - what all coroutines, Ps and Ms do, for people
 *
 *	struct dump *d = goad__dump_take (how, self);   // looks
 *	int err = goad__dump_tell (d, fd, prefix);      // writes
 *	goad__dump_drop (d);
 *
 * What is seen is copied, so that nothing of the runtime is touched while it is written,
 * which may take as long as whoever reads it likes.  No malloc, no stdio, and no lock but
 * that of the stacks, for some microseconds at a time: a dump can be taken while a
 * coroutine that was stopped holds any of libc's.
 *
 * There may be a million coroutines, most of them in the same place.  Those with the same
 * frames in the same state are a group, which is told with a line for each of its
 * coroutines up to a limit, and its stack once.  To walk a stack takes microseconds; so
 * what a walk has found is kept as a shape: which return address lies how far below the
 * descriptor.  A stack with the same words in the same places, and of the same depth, is not
 * walked.  (Frames whose size varies could lie there and mean something else, but for that
 * all of their return addresses would have to be left over from an earlier call at the same
 * depth.)
 *
 *	sight.c      one coroutine
 *	dump.c       all of them, into groups
 *	dump_ask.c   those that run: their threads are asked
 *	dump_text.c  words
 *	dump_call.c  who asks for it
 */
#ifndef GOAD_RUNTIME_DUMP_H
#define GOAD_RUNTIME_DUMP_H

#include "runtime/sight.h"

#define DUMP_ASK 1u     /* threads may be signalled, and waited for                    */
#define DUMP_PATIENT 2u /* locks may be waited for                                     */

#define DUMP_GROUPS 4096u
#define DUMP_SHAPES 8192u
#define DUMP_ENTRIES 65536u
#define DUMP_LINES 100u /* coroutines of a group that are named    */
#define DUMP_CASES 4u   /* of a select that are named         */
#define DUMP_PENDING 4096u
#define DUMP_PROCS 1024u
#define DUMP_THREADS 4096u
#define DUMP_NONE UINT32_MAX
#define DUMP_HASH 16384u

/* The order in which they are told. */
enum dump_class { DUMP_RUNNING, DUMP_BLOCKED, DUMP_RUNNABLE, DUMP_WAITING, DUMP_CLASSES };

/* Of a select. */
struct dump_case {
	const void *chan;
	int op;
};

struct dump_entry {
	uint32_t next; /* in its group */
	uint8_t class_;
	bool locked, handed;
	uint64_t id, seen, since, cpu, slices, yielded, handed_off, deferred;
	struct g_preempted last;
	struct goad__call call;
	size_t depth, used, size; /* of its stack */
	int m, p;
	const void *on;
	uint64_t holder_id; /* of what it waits for; 0: none, or a thread  */
	uintptr_t holder_thread;
	uint32_t readers;
	size_t len, cap; /* of a channel                                */
	struct dump_case cases[DUMP_CASES];
	size_t ncases; /* in all                                      */
	char name[32], holder_name[32];
};

struct dump_group {
	uint32_t next_hash;
	uint32_t first, last; /* entries */
	uint32_t count, told;
	uint64_t id_min, id_max, since_min, since_max;
	enum dump_class class_;
	const char *kind, *note;
	int n;
	bool exact;
	uintptr_t pc[GOAD__BACKTRACE_MAX];
};

struct dump_shape {
	uint32_t next_hash, group;
	uint32_t depth;
	uintptr_t pc;                        /* the saved one */
	uint32_t below[GOAD__BACKTRACE_MAX]; /* bytes from each word up to the descriptor */
};

struct dump_pending {
	struct slot slot;
	struct m *asked;
	bool answered, done;
};

struct dump_proc {
	int id, m;
	uint32_t state, queued;
	uint64_t running, since, next_id, switches, yielded, handed, deferred;
	bool next;
};

struct dump_thread {
	int id, tid, p;
	uint64_t g, locked_g, cpu;
	bool spinning, parked;
	enum g_state state; /* of g */
	struct goad__call call;
};

struct dump {
	unsigned how;
	uint64_t now, self_id, alive, walked, seen;
	uint64_t more_pending, more_entries;
	struct goad__sight sight; /* the one at hand, its frames, and the caller's */
	struct goad__where where, self;
	struct m *first_m;
	struct dump_pending *asking; /* dump_ask.c: the one at hand */
	bool last_round;
	uint32_t groups, shapes, entries, pending, procs, threads, more_threads;
	uint32_t global, preempted;
	uint64_t deadline; /* for walks */
	uint32_t group_hash[DUMP_HASH], shape_hash[DUMP_HASH];
	struct dump_group group[DUMP_GROUPS + DUMP_CLASSES]; /* the last: without frames */
	struct dump_shape shape[DUMP_SHAPES];
	struct dump_entry entry[DUMP_ENTRIES];
	struct dump_pending todo[DUMP_PENDING];
	struct dump_proc proc[DUMP_PROCS];
	struct dump_thread thread[DUMP_THREADS];
	/* dump_text.c: */
	struct goad__namer namer;
	int fd, err;
	const char *prefix;
	size_t len;
	char text[16384];
};

/* self: the frames of the calling coroutine, or NULL.  NULL: no memory. */
struct dump *goad__dump_take (unsigned how, const struct goad__where *self);
/* Each line with the prefix before it.  0, or the negative errno with which the first write
 * failed. */
int goad__dump_tell (struct dump *d, int fd, const char *prefix);
void goad__dump_drop (struct dump *d);

/* All three, where nobody may be asked or waited for. */
void goad__dump_all (int fd);

/* dump_call.c: after an error's own words, if it is wanted: once, and then the process ends. */
bool goad__dump_wanted (void);
void goad__dump_last (const struct goad__where *self);

/* dump.c, for dump_ask.c: the coroutine of d->sight, with the frames in d->where (n may be
 * 0), is put to its group. */
void goad__dump_file (struct dump *d);
/* Looks at a slot's coroutine: filed, or one for its thread to tell: false. */
bool goad__dump_look (struct dump *d, struct slot slot);

void goad__dump_threads (struct dump *d); /* d->first_m: all Ms that there are now */

/* dump_ask.c */
void goad__dump_ask (struct dump *d);

#endif
