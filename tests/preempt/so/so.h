/* SPDX-License-Identifier: MIT */
/* tests/preempt/so/so.h - the small shared objects that the tests load
 *
 * Each so/NAME.c becomes NAME.so with a function so_work_NAME; it includes nothing of
 * goad's.  They are looked for in $GOAD_TEST_SO_DIR, else in tests/preempt/so below
 * $GOAD_BUILDDIR, else in so beside the program; there or in .libs.
 */
#ifndef GOAD_TESTS_SO_H
#define GOAD_TESTS_SO_H

#include <stdint.h>

/* A number from which and as many rounds as given, always the same. */
typedef uint64_t (*so_work) (unsigned which, unsigned rounds);

/* The path of NAME.so; valid until the next call. */
const char *so_path (const char *name);

#endif
