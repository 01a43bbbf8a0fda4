/* SPDX-License-Identifier: MIT */
#include "tests/api/wait_kit.h"

goad_chan_t *chan_make (size_t size, size_t cap)
{
	goad_chan_t *ch = NULL;

	claim_eq (goad_chan_create (&ch, size, cap), 0);
	return ch;
}

goad_task_t *start (goad_fn fn, void *arg)
{
	goad_task_t *t = NULL;

	claim_eq (goad_spawn (&t, NULL, fn, arg), 0);
	return t;
}

void until_waiting (goad_task_t *t)
{
	goad_task_stats_t s;

	do {
		goad_yield ();
		claim_eq (goad_task_stats (t, &s), 0);
	} while (s.state != GOAD_STATE_WAITING);
}

void run_both (goad_fn fn)
{
	for (int procs = 1; procs <= 2; procs++)
		claim_eq (run_main (fn, NULL, procs, 0, 0), 0);
}

void *on_thread (void *arg)
{
	struct threaded *t = arg;

	t->fn (t->arg);
	return NULL;
}
