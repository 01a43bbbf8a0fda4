/* SPDX-License-Identifier: MIT */
/* runtime/backtrace.h - addresses as a reader wants them: module and offset, function and offset
 *
 * From /proc/self/maps and the symbol tables of the files it names: dladdr takes the
 * loader's lock, which a coroutine that was stopped may hold.  Async-signal-safe, no
 * malloc.  All that is kept lies with the caller, whose alone it is.
 */
#ifndef GOAD_RUNTIME_BACKTRACE_H
#define GOAD_RUNTIME_BACKTRACE_H

#include "base/base.h"

#define GOAD__BACKTRACE_MAX 32
#define GOAD__BACKTRACE_KEPT 1024 /* names that are not looked for again */

struct goad__named {
	uintptr_t pc, in_module, in_symbol; /* offsets */
	bool exact;                         /* no return address               */
	char module[64];                    /* "": in none                     */
	char symbol[80];                    /* "": unknown; the file may tell  */
};

/* The file at hand; most frames that follow each other are of one. */
struct goad__symbols {
	char path[256];
	const char *at;
	size_t size;
	const void *symbols;
	size_t count;
	const char *strings;
	size_t strings_size;
	bool fixed; /* mapped where it was linked */
};

struct goad__mapping {
	uintptr_t start, end, file_offset;
	char path[256];
};

/* Zero at the beginning.  It is too large for a stack. */
struct goad__namer {
	struct goad__named named[GOAD__BACKTRACE_MAX]; /* the answer */
	char path[GOAD__BACKTRACE_MAX][256];
	uintptr_t base[GOAD__BACKTRACE_MAX];
	char buf[4096], line[512], module[256];
	struct goad__mapping now;
	struct goad__symbols file;
	struct goad__named kept[GOAD__BACKTRACE_KEPT];
};

/* The newest frame first; the others are return addresses, and the call before them
 * counts.  exact: the first is where it stood, not a return address.  n is at most
 * GOAD__BACKTRACE_MAX.  Valid until the next call. */
const struct goad__named *goad__backtrace_name (struct goad__namer *w, const uintptr_t *pc, int n,
                                                bool exact);
void goad__backtrace_done (struct goad__namer *w); /* lets go of the file that it has open */

/* "  #0 0x.. libfoo.so+0x.. function+0x..", without the end of the line. */
size_t goad__backtrace_text (char *buf, size_t size, int i, const struct goad__named *f);

/* A line for each, to fd. */
void goad__backtrace_print (int fd, const struct goad__named *frames, int n);

/* symbol.c: the function at that address of the file, as linked; for a file that is
 * mapped where it was linked (ET_EXEC) base is ignored.  False: it does not tell. */
bool goad__symbol_find (struct goad__symbols *file, const char *path, uintptr_t base, uintptr_t pc,
                        char *name, size_t size, uintptr_t *offset);
void goad__symbol_done (struct goad__symbols *file);

#endif
