/* SPDX-License-Identifier: MIT */
/* preempt/safepoint.h - is a coroutine, stopped anywhere, independent of its thread?
 *
 * Three questions are answered here: what kind of code a PC lies in (any time, in
 * the signal handler too), what to do with a coroutine that was stopped (the walk of
 * its stack), and where it stands (the same walk for a report).  The table that the
 * answers come from is rebuilt by sysmon.
 */
#ifndef GOAD_PREEMPT_SAFEPOINT_H
#define GOAD_PREEMPT_SAFEPOINT_H

#include "base/base.h"

/* The interrupted integer registers in the order of the System V DWARF numbers:
 * rax rdx rcx rbx rsi rdi rbp rsp r8 .. r15, then rip. */
struct goad__regs {
	uint64_t r[17];
};

enum goad__verdict { GOAD__YIELD, GOAD__HANDOFF, GOAD__DEFER };

struct goad__judgement {
	enum goad__verdict verdict;
	const char *reason; /* static text                    */
	uintptr_t pc;       /* of the frame that decided      */
	int depth;          /* of that frame; 0 is the newest */
};

enum goad__class { GOAD__UNKNOWN, GOAD__RUNTIME, GOAD__DENIED, GOAD__BOUND, GOAD__SCANNED };

/* The class of the code at pc.  Async-signal-safe and lock-free.  For a PC that no
 * entry covers it also notes that the table is stale. */
enum goad__class goad__modules_class (uintptr_t pc);

/* Whether such a PC was met, or a rule set, since the last refresh began. */
bool goad__modules_stale (void);

/* Rebuilds the table from /proc/self/maps and publishes it.  One thread at a time;
 * no malloc, no lock of the loader.  0, or a negative errno with the old table kept. */
int goad__modules_refresh (void);

/* Before the first thread of the runtime and after its last: then nothing is left
 * mapped, and init may come again. */
int goad__modules_init (void);
void goad__modules_fini (void);

/* Judges the coroutine whose registers were regs and whose stack is [stack_lo,
 * stack_hi).  Called with injection held off, from any M, concurrently; needs about
 * 8 KiB of stack.  With allow_bound (mode YIELD) only denied and unknown text
 * matters, and gives DEFER. */
void goad__safepoint_judge (const struct goad__regs *regs, uintptr_t stack_lo, uintptr_t stack_hi,
                            bool allow_bound, struct goad__judgement *out);

/* The return addresses of the same walk, through code of any class; the first is the
 * PC itself.  Returns how many were stored. */
int goad__safepoint_backtrace (const struct goad__regs *regs, uintptr_t lo, uintptr_t hi,
                               void **pcs, int max);

/* The same, and in slot where on the stack each return address was found; 0: it is the
 * first, or was not where a call puts it. */
int goad__safepoint_frames (const struct goad__regs *regs, uintptr_t lo, uintptr_t hi,
                            uintptr_t *pc, uintptr_t *slot, int max);

/* Says that frames of this function of the library count as neutral, in a static
 * link too; with is_entry the walk ends there, well.  size 0: as the unwind tables
 * say.  Before goad__modules_init; saying it again is fine. */
void goad__safepoint_neutral (const void *func_start, size_t size, bool is_entry);

#endif
