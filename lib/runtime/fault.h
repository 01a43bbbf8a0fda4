/* SPDX-License-Identifier: MIT */
/* runtime/fault.h - SIGSEGV and SIGBUS while the runtime runs
 *
 * A fault in the guard of the running coroutine's stack is reported as a stack
 * overflow, with a backtrace, and the process then dies at the faulting instruction
 * by SIGSEGV's default action, as a core dump wants it.  Any other fault goes to the
 * action that was there before.  The handler runs on the alternate stack of each M,
 * takes no lock and allocates nothing.
 */
#ifndef GOAD_RUNTIME_FAULT_H
#define GOAD_RUNTIME_FAULT_H

#include "base/base.h"

/* Whose stack the calling thread is on. */
struct goad__fault_subject {
	uintptr_t lo, hi;   /* the usable stack */
	uintptr_t guard_lo; /* the guard ends at lo */
	uint64_t id;
	const char *name;
	size_t size; /* as it is to be reported */
};

/* Both are called in the handler.  ask: false when the thread runs no coroutine.
 * walk: fills pc, innermost first, from a ucontext_t, and returns how many; it may
 * fault itself, which then ends the process without more words.  NULL: the frame
 * pointers are followed as long as they stay on the stack. */
typedef bool goad__fault_ask (struct goad__fault_subject *out);
typedef int goad__fault_walk (const void *ucontext, const struct goad__fault_subject *on,
                              uintptr_t *pc, int max);

/* Installs the handler and keeps what was there.  0 or a negative errno. */
int goad__fault_init (goad__fault_ask *ask, goad__fault_walk *walk);

/* Puts back what init found, unless the program has put something else there since,
 * which then stays, and may go on calling this handler. */
void goad__fault_fini (void);

#endif
