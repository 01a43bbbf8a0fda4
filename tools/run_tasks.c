/* SPDX-License-Identifier: MIT */
/* run_tasks.c - what runs inside the runtime: the first coroutine, which spawns the
 * tasks, and the frame around each task's body
 *
 * The monitor reads the counters of a task through its handle, from outside.  A
 * handle is freed by goad_detach, so it stands behind a gate: readers enter and
 * leave, and the last task to end closes the gate, waits for the readers inside,
 * and detaches all.  From then on the copies in struct task are complete. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "run.h"

/* Entering and closing each write one word and then read the other; with both in
 * the one order of sequential consistency, either the reader sees the gate closed
 * or the closer sees the reader. */
bool run_gate_enter (struct run *run)
{
	atomic_fetch_add (&run->readers, 1);
	if (!atomic_load (&run->closed))
		return true;
	atomic_fetch_sub (&run->readers, 1);
	return false;
}

void run_gate_leave (struct run *run)
{
	atomic_fetch_sub (&run->readers, 1);
}

/* Called by each task at its end and by the first coroutine after the last spawn. */
static void release (struct run *run)
{
	if (atomic_fetch_sub (&run->alive, 1) != 1)
		return;
	atomic_store (&run->closed, 1);
	while (atomic_load (&run->readers) != 0)
		goad_sleep (50 * GOAD_US);
	for (unsigned i = 0; i < run->tasks_n; i++) {
		goad_task_t *handle = atomic_exchange (&run->tasks[i].handle, NULL);

		if (handle != NULL)
			goad_detach (handle);
	}
}

/* Fairness can be judged while all hogs run: when the first of them ends, the CPU
 * times of all are noted.  A run that is over has been judged already. */
static void note_first_end (struct run *run, uint64_t now)
{
	if (run->opt.for_ns != 0 && now - atomic_load (&run->start_ns) >= run->opt.for_ns)
		return;
	if (atomic_exchange (&run->first_ended, 1))
		return;
	if (!run_gate_enter (run))
		return;
	for (unsigned i = 0; i < run->tasks_n; i++) {
		goad_task_t *handle = atomic_load (&run->tasks[i].handle);
		goad_task_stats_t s;

		if (handle != NULL && goad_task_stats (handle, &s) == 0)
			run->tasks[i].fair_cpu_ns = s.cpu_ns;
	}
	run_gate_leave (run);
	atomic_store (&run->fair_ns, now);
}

static void task_main (void *arg)
{
	struct task *t = arg;

	atomic_store (&t->id, goad_id ());
	atomic_store (&t->phase, TASK_STARTED);
	t->status = t->spec->work->body (t);
	uint64_t now = goad_now ();
	if (!(t->spec->work->flags & WORK_ASIDE))
		note_first_end (t->run, now);
	(void) goad_task_stats (NULL, &t->final);
	t->final.state = GOAD_STATE_DEAD;
	atomic_store (&t->ended_ns, now);
	atomic_store (&t->phase, TASK_ENDED);
	release (t->run);
}

void run_first (void *arg)
{
	struct run *run = arg;

	atomic_store (&run->start_ns, goad_now ());
	for (unsigned i = 0; i < run->tasks_n; i++) {
		struct task *t = &run->tasks[i];
		goad_attr_t attr = GOAD_ATTR_INIT;
		goad_task_t *handle;

		attr.name = t->name;
		attr.weight = t->weight;
		t->spawned_ns = goad_now ();
		atomic_fetch_add (&run->alive, 1);
		int e = goad_spawn (&handle, &attr, task_main, t);
		if (e < 0) {
			atomic_fetch_sub (&run->alive, 1);
			atomic_store (&run->spawn_error, e);
			break;
		}
		atomic_store (&t->handle, handle);
	}
	release (run);
}

bool run_over (const struct task *task)
{
	const struct run *run = task->run;

	if (run->opt.for_ns == 0)
		return atomic_load (&task->passes) > 0;
	return goad_now () - atomic_load (&run->start_ns) >= run->opt.for_ns;
}

/* The result of one round.  The first is kept; each later one must be the same. */
void run_result (struct task *task, const char *format, ...)
{
	char text[sizeof task->result];
	uint64_t passes = atomic_load (&task->passes);
	va_list ap;

	va_start (ap, format);
	vsnprintf (text, sizeof text, format, ap);
	va_end (ap);
	if (passes == 0)
		memcpy (task->result, text, sizeof text);
	else if (strcmp (text, task->result) != 0)
		atomic_fetch_add (&task->differs, 1);
	atomic_store (&task->passes, passes + 1);
}

static void read_task (struct task *t, bool inside)
{
	goad_task_t *handle = inside ? atomic_load (&t->handle) : NULL;

	t->rounds = atomic_load (&t->passes);
	t->ended = atomic_load (&t->phase) == TASK_ENDED;
	if (t->ended)
		t->last = t->final;
	else if (handle != NULL)
		(void) goad_task_stats (handle, &t->last);
}

/* Brings what the report tells up to date, for the live table and the end: from then
 * on it stands still, though works go on while the report is written.  False: the
 * last task has ended, and with it the runtime does. */
bool run_read_tasks (struct run *run)
{
	bool inside = run_gate_enter (run);

	if (inside)
		(void) goad_stats (&run->stats);
	for (unsigned i = 0; i < run->tasks_n; i++)
		read_task (&run->tasks[i], inside);
	if (inside)
		run_gate_leave (run);
	return inside;
}
