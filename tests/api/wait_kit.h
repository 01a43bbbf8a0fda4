/* SPDX-License-Identifier: MIT */
/* tests/api/wait_kit.h - what the tests of things that wait share */
#ifndef GOAD_TESTS_WAIT_KIT_H
#define GOAD_TESTS_WAIT_KIT_H

#include "tests/support.h"

goad_chan_t *chan_make (size_t size, size_t cap);
goad_task_t *start (goad_fn fn, void *arg);
/* Until that coroutine waits; inside one. */
void until_waiting (goad_task_t *t);
/* goad_main on one P and on two. */
void run_both (goad_fn fn);

/* For pthread_create: arg is a struct threaded. */
struct threaded {
	goad_fn fn;
	void *arg;
};
void *on_thread (void *arg);

#endif
