/* SPDX-License-Identifier: MIT */
/* safepoint_kit.h - threads stopped by a signal, to be judged as coroutines are
 *
 * A thread runs one of the functions of tests/unit/so and is judged in the handler of
 * SIGUSR1, on its alternate stack.  Its first function counts as a coroutine's entry.
 */
#ifndef GOAD_TESTS_SAFEPOINT_KIT_H
#define GOAD_TESTS_SAFEPOINT_KIT_H

#include "preempt/modules.h"
#include "preempt/safepoint.h"

/* Objects built with a sanitizer or a profiler are bound for that alone. */
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define SAFEPOINT_INSTRUMENTED 1
#endif
#ifdef __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SAFEPOINT_INSTRUMENTED 1
#endif
#endif
#ifndef SAFEPOINT_INSTRUMENTED
#define SAFEPOINT_INSTRUMENTED 0
#endif

struct safepoint_seen {
	struct goad__judgement automatic, yield; /* in the modes AUTO and YIELD */
	int frames;                              /* of the backtrace            */
	double ns;                               /* a judgement, once cached    */
};

/* dlopens tests/unit/so/NAME.so; NULL when it is not there. */
void *safepoint_object (const char *name);

/* The same for a library of the system. */
void *safepoint_library (const char *name);

/* Runs fn (arg) of the object until it has started, judges it, stops it. */
struct safepoint_seen safepoint_run (void *object, const char *fn, void *arg);

/* Runs a function that ends when *stop is set, without waiting for a start. */
struct safepoint_seen safepoint_call (void (*fn) (void *), void *arg, _Atomic int *stop);

#endif
