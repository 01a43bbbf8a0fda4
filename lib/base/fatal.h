/* SPDX-License-Identifier: MIT */
/* base/fatal.h - lines on stderr, and the end of the program
 *
 * Async-signal-safe: one write(2) per line, a formatter of our own that knows
 * %s %d %u %x %p %%, with l, ll or z before d, u and x; no allocation, no locks.
 */
#ifndef GOAD_BASE_FATAL_H
#define GOAD_BASE_FATAL_H

#include <stdarg.h>
#include <stddef.h>

#define GOAD__PRINTF(f, a) __attribute__ ((format (printf, f, a)))

/* snprintf's contract for the conversions above. */
size_t goad__format (char *buf, size_t size, const char *fmt, ...) GOAD__PRINTF (3, 4);
size_t goad__vformat (char *buf, size_t size, const char *fmt, va_list ap);

/* Writes "goad: " and the line, to stderr or elsewhere. */
void goad__line (const char *fmt, ...) GOAD__PRINTF (1, 2);
void goad__line_to (int fd, const char *fmt, ...) GOAD__PRINTF (2, 3);

/* What else there is to say, once the line is written; NULL: nothing. */
extern void (*goad__fatal_hook) (void);

/* Writes it and aborts. */
_Noreturn void goad__fatal (const char *fmt, ...) GOAD__PRINTF (1, 2);

#define goad__check(cond, ...)             \
	do {                                   \
		if (__builtin_expect (!(cond), 0)) \
			goad__fatal (__VA_ARGS__);     \
	} while (0)

/* Assertions of the debug build (--enable-debug). */
#ifdef GOAD_DEBUG_BUILD
#define goad__assert(cond) \
	goad__check (cond, "%s:%d: assertion '%s' failed", __FILE__, __LINE__, #cond)
#else
#define goad__assert(cond) ((void) sizeof (!(cond)))
#endif

#endif
