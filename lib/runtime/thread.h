/* SPDX-License-Identifier: MIT */
/* runtime/thread.h - threads of the runtime with the right signal mask */
#ifndef GOAD_RUNTIME_THREAD_H
#define GOAD_RUNTIME_THREAD_H

#include <pthread.h>
#include <signal.h>

/* Everything blocked but signo (0: nothing) and the signals of faults. */
void goad__thread_mask (sigset_t *set, int signo);

/* pthread_create with that mask, on a stack that is made if *stack is NULL.  A negative
 * errno on failure. */
int goad__thread_start (pthread_t *t, void *(*fn) (void *), void *arg, int signo, void **stack);

/* The stack of one that did not start. */
void goad__thread_unused (void **stack);

/* pthread_join, and the stack goes. */
void goad__thread_end (pthread_t t, void **stack);

#endif
