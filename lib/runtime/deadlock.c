/* SPDX-License-Identifier: MIT */
/* All coroutines are asleep: is it for ever?
 *
 * Asked by the last M to go idle, under the scheduler's lock: no P runs, no queue holds
 * anybody, but coroutines are alive.  It is for ever if no timer is armed, nobody waits
 * for a descriptor, and every thread of the process is the runtime's: a foreign thread may
 * wake somebody at any time, and what it waits for is not ours to know.
 */
#include <dirent.h>
#include <fcntl.h>

#include "base/clock.h"
#include "base/fatal.h"
#include "base/syscall.h"
#include "core/stack.h"
#include "runtime/dump.h"
#include "runtime/runtime.h"
#include "sched/source.h"
#include "wait/timer.h"

#define FIRST_PAUSE UINT64_C (1000000) /* ns */
#define LONGEST_PAUSE UINT64_C (10000000000)

struct entry { /* of getdents64 */
	uint64_t ino, off;
	unsigned short len;
	unsigned char type;
	char name[];
};

/* Threads of this process, without malloc; -1: /proc is not there. */
static int count_threads (void)
{
	char buf[1024] __attribute__ ((aligned (8)));
	long fd = goad__syscall4 (SYS_openat, AT_FDCWD, (long) "/proc/self/task",
	                          O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	int count = 0;
	long n;

	if (fd < 0)
		return -1;
	while ((n = goad__syscall3 (SYS_getdents64, fd, (long) buf, sizeof buf)) > 0)
		for (long at = 0; at < n;) {
			const struct entry *e = (const struct entry *) (buf + at);
			count += e->name[0] != '.';
			at += e->len;
		}
	goad__syscall3 (SYS_close, fd, 0, 0);
	return count;
}

/* Somebody is about to run, or in the kernel, from where it comes back. */
static bool someone_is_on;

static void look_at (struct slot slot)
{
	switch (goad__g_state (goad__stack_room (goad__stack_of (slot)))) {
	case G_RUNNABLE:
	case G_RUNNING:
	case G_SYSCALL:
		someone_is_on = true;
		break;
	case G_IDLE:
	case G_WAITING:
	case G_DEAD:
		break;
	}
}

static bool someone_on_a_thread (void)
{
	someone_is_on = false;
	goad__slab_each_taken (look_at);
	return someone_is_on;
}

/* What the runtime itself knows of that will wake somebody: each other place that work
 * can come from has a word here. */
static bool work_will_come (void)
{
	const struct sched *s = &goad__sched;

	return s->nm_starting || s->nblocked || goad__global_waits () || goad__timers_live () != 0 ||
	       goad__sources_waiting ();
}

/* The rest of the question costs more, so it is not put at each idle moment.  And it is
 * put again, by sysmon, after a pause that doubles: a thread that has ended is listed for
 * a moment longer, and one that could have woken somebody may end without having done
 * so. */
static struct {
	uint64_t pause;      /* under the scheduler's lock     */
	_Atomic uint64_t at; /* UINT64_MAX: nothing to ask yet */
} again;

static bool somebody_may_come (void)
{
	uint64_t at = atomic_load_explicit (&again.at, memory_order_relaxed);
	uint64_t now = goad__now ();

	if (at != UINT64_MAX && now < at)
		return true;
	if (count_threads () == goad__threads_count () && !someone_on_a_thread ())
		return false;
	again.pause = goad__min64 (again.pause * 2, LONGEST_PAUSE);
	atomic_store_explicit (&again.at, now + again.pause, memory_order_relaxed);
	goad__monitor_housekeep ();
	return true;
}

static bool deadlocked (void)
{
	if (work_will_come () || somebody_may_come ())
		return false;
	goad__line ("all coroutines are asleep - deadlock!");
	goad__dump_all (2);
	return true;
}

uint64_t goad__deadlock_look (uint64_t now)
{
	uint64_t at = atomic_load_explicit (&again.at, memory_order_relaxed);

	if (at > now)
		return at;
	/* Before the question, which may set it anew. */
	atomic_store_explicit (&again.at, UINT64_MAX, memory_order_relaxed);
	goad__idle_look ();
	return atomic_load_explicit (&again.at, memory_order_relaxed);
}

void goad__deadlock_init (void)
{
	again.pause = FIRST_PAUSE / 2;
	atomic_store_explicit (&again.at, UINT64_MAX, memory_order_relaxed);
	goad__deadlock_hook = deadlocked;
}
