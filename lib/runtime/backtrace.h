/* SPDX-License-Identifier: MIT */
/* runtime/backtrace.h - addresses as a reader wants them: module and offset, function and offset
 *
 * From /proc/self/maps and the symbol tables of the files it names: dladdr takes the
 * loader's lock, which a coroutine that was stopped may hold.  Async-signal-safe, no
 * malloc.  The tables are static: one caller at a time.
 */
#ifndef GOAD_RUNTIME_BACKTRACE_H
#define GOAD_RUNTIME_BACKTRACE_H

#include "base/base.h"

#define GOAD__BACKTRACE_MAX 32

struct goad__named {
	uintptr_t pc, in_module, in_symbol; /* offsets */
	char module[64];                    /* "": in none                     */
	char symbol[80];                    /* "": unknown; the file may tell  */
};

/* The newest frame first; the others are return addresses, and the call before them
 * counts.  exact: the first is where it stood, not a return address.  n is at most
 * GOAD__BACKTRACE_MAX.  Valid until the next call. */
const struct goad__named *goad__backtrace_name (const uintptr_t *pc, int n, bool exact);

/* A line for each: "  #0 0x.. libfoo.so+0x.. function+0x..". */
void goad__backtrace_print (int fd, const struct goad__named *frames, int n);

/* symbol.c: the function at that address of the file, as linked; for a file that is
 * mapped where it was linked (ET_EXEC) base is ignored.  False: it does not tell. */
bool goad__symbol_find (const char *path, uintptr_t base, uintptr_t pc, char *name, size_t size,
                        uintptr_t *offset);
void goad__symbol_done (void); /* lets go of the file that was looked at last */

#endif
