/* SPDX-License-Identifier: MIT */
/* stack_kit.h - children that die, mappings and memory, for the tests of stacks */
#ifndef GOAD_TESTS_UNIT_STACK_KIT_H
#define GOAD_TESTS_UNIT_STACK_KIT_H

#include "core/stack.h"

#define KIB ((size_t) 1 << 10)
#define MIB ((size_t) 1 << 20)
#define DEFAULT (256 * KIB)
#define SEC UINT64_C (1000000000)

#ifdef HAVE_VALGRIND
#include <valgrind/valgrind.h>
#define ON_VALGRIND (RUNNING_ON_VALGRIND != 0)
#else
#define ON_VALGRIND 0
#endif

#if defined GOAD__ASAN || defined GOAD__TSAN || defined __SANITIZE_ADDRESS__ || \
    defined __SANITIZE_THREAD__
#define SANITIZED 1
#else
#define SANITIZED ON_VALGRIND
#endif

/* Runs fn in a forked child, with default actions for SIGSEGV, SIGBUS and SIGABRT and
 * without a core; its stderr goes to child_output.  waitpid's status. */
int child_status (void (*fn) (void));
extern char child_output[16384];

/* The same for a child that is to die of the signal, or to exit with 0. */
bool child_dies_of (void (*fn) (void), int signo);
bool child_succeeds (void (*fn) (void));

/* In the child: says it and exits with 1. */
#define must(cond) ((cond) ? (void) 0 : must_failed (__LINE__, #cond))
_Noreturn void must_failed (int line, const char *what);

size_t rss (void); /* bytes of anonymous memory, exactly */
size_t mappings (void);
size_t maps_text (char *buf, size_t size); /* /proc/self/maps; allocates nothing */

/* A stack or a failed claim. */
struct stack *get (struct stack_cache *cache, size_t size);

#endif
