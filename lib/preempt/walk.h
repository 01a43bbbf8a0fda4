/* SPDX-License-Identifier: MIT */
/* preempt/walk.h - from frame to frame of a stopped coroutine
 *
 *	goad__walk_begin (&w, regs, lo, hi, table);
 *	do {
 *		goad__walk_look (&w, &f);
 *		goad__walk_describe (&w, &f);
 *	} while (... && goad__walk_next (&w, &f) > 0);
 *
 * No lock that a coroutine could hold, no malloc, no fault: see walk.c.
 */
#ifndef GOAD_PREEMPT_WALK_H
#define GOAD_PREEMPT_WALK_H

#include "preempt/modules.h"

#define GOAD__CURSOR 160 /* words; checked against libunwind's */
#define GOAD__RULE 40    /* words of its description of a frame; mostly 23 are used */

struct goad__walk {
	const uint64_t *regs;
	uintptr_t lo, hi; /* the stack that may be read */
	const struct goad__table *table;
	const struct goad__object *object; /* of the frame at hand, and believed */
	bool exact;                        /* the PC is not a return address    */
	uintptr_t pc, cfa;
	uint64_t cursor[GOAD__CURSOR];
};

/* One frame as it was found. */
struct goad__visit {
	uintptr_t pc, at; /* at: pc, or for a return address the byte before it */
	struct goad__place place;
	bool described;            /* the unwind tables know it; then: */
	bool signal_frame, called; /* called: a call instruction ends at pc */
	uintptr_t start, end;
	uint64_t rule_words;
	uint64_t rule[GOAD__RULE];
};

int goad__walk_init (void);
void goad__walk_fini (void);

void goad__walk_begin (struct goad__walk *w, const struct goad__regs *regs, uintptr_t lo,
                       uintptr_t hi, const struct goad__table *t);
/* Fills in where the frame is, and then what the unwind tables say of it. */
void goad__walk_look (struct goad__walk *w, struct goad__visit *f);
void goad__walk_describe (const struct goad__walk *w, struct goad__visit *f);

/* 1: there is a next frame; 0: the tables say that this is the last; negative: it
 * cannot be told. */
int goad__walk_next (struct goad__walk *w, const struct goad__visit *f);

#endif
