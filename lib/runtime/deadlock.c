/* SPDX-License-Identifier: MIT */
/* All coroutines are asleep: is it for ever?
 *
 * Asked by the last M to go idle, under the scheduler's lock: no P runs, no queue holds
 * anybody, but coroutines are alive.  It is for ever if no timer is armed, nobody waits for
 * a descriptor, and every thread of the process is the runtime's: a foreign thread may wake somebody at any
 * time, and what it waits for is not ours to know.
 */
#include <dirent.h>
#include <fcntl.h>

#include "base/fatal.h"
#include "base/syscall.h"
#include "core/stack.h"
#include "runtime/runtime.h"
#include "sched/source.h"
#include "wait/timer.h"

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

static void tell (struct slot slot)
{
	struct stack *st = goad__stack_of (slot);
	struct g *g = goad__stack_room (st);

	if (goad__g_state (g) == G_WAITING)
		goad__line ("  coroutine %lu '%s' [%s]", (unsigned long) g->id, g->name,
		            goad__g_state_name (goad__g_state (g)));
}

static bool deadlocked (void)
{
	struct sched *s = &goad__sched;

	if (s->nm_starting || s->nblocked || goad__global_waits () || goad__timers_live () != 0 ||
	    goad__sources_waiting () || count_threads () != goad__threads_count ())
		return false;
	goad__line ("all coroutines are asleep - deadlock!");
	goad__slab_each_taken (tell);
	return true;
}

void goad__deadlock_init (void)
{
	goad__deadlock_hook = deadlocked;
}
