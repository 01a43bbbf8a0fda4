/* SPDX-License-Identifier: MIT */
/* preempt/taint.h - the functions of an object that handle per-thread addresses
 *
 * Found once for each object by looking at every place of its text that refers to a
 * slot or stub of a name in imports.c.
 */
#ifndef GOAD_PREEMPT_TAINT_H
#define GOAD_PREEMPT_TAINT_H

#include "preempt/elf.h"
#include "preempt/frames.h"
#include "preempt/imports.h"

#define GOAD__MARKS 40

/* An address that code refers to when it wants the per-thread thing. */
struct goad__mark {
	uintptr_t at;
	enum goad__effect effect;
	const char *why;
};

struct goad__marks {
	uint32_t count; /* more than fit: GOAD__MARKS + 1 */
	struct goad__mark mark[GOAD__MARKS];
};

struct goad__tainted {
	uintptr_t lo, hi;
	const char *why;
};

struct goad__taint {
	size_t bytes; /* of this block */
	uint32_t count;
	struct goad__tainted fn[]; /* sorted, disjoint */
};

void goad__marks_add (struct goad__marks *m, uintptr_t at, enum goad__effect effect,
                      const char *why);

/* Finds them.  *out stays NULL when there are none.  The result says why the whole
 * object must count as bound, or is NULL. */
const char *goad__taint_find (const struct goad__elf *e, const struct goad__eh *eh,
                              const struct goad__marks *marks, struct goad__taint **out);

/* Why the function at pc is tainted; NULL when it is not. */
const char *goad__taint_of (const struct goad__taint *t, uintptr_t pc);

#endif
