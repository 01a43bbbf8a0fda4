/* SPDX-License-Identifier: MIT */
/* queue.h - the program under test */
#ifndef QUEUE_H
#define QUEUE_H

void queue_run (void *arg);

#endif
