/* SPDX-License-Identifier: MIT */
/* How the kernel's scheduler is told that sysmon is in a hurry.
 *
 * sysmon computes for some 10 us at a time, and when it wakes it is to take a CPU from a
 * coroutine that computes.  Linux (EEVDF, since 6.6) lets a waking thread do so only if it is
 * eligible, that is, if it has not had more than its share so far.  One that has just slept
 * after 50 us of work has, by some 25; if it is woken then, it is queued, and nobody looks at
 * the queue again before the scheduler's next tick: 4 ms with 250 Hz.  Seen 150 times a second
 * where sysmon had much to do, and each of these was a wake-up, a timer or a slice that came
 * late by 2 ms in the mean.
 *
 * So it asks for a slice of 100 us (Linux 6.12), because among the eligible the shortest slice
 * goes first; and, if GOAD_URGENT asks for it, for a nice value 20 below the program's, whose
 * share is so large that it is as good as always eligible.  That needs CAP_SYS_NICE or
 * RLIMIT_NICE; else it is left at the program's.
 *
 * Not by default, because of CPUs that others want too.  Slices are measured by the clock, and
 * a coroutine whose thread waits for a CPU uses its slice up in waiting.  A sysmon that waits
 * like the threads it watches asks it to go the later for it; one that never waits has it
 * preempted as soon as it gets the CPU.  Beside four other processes that compute, a test that
 * preempts each 100 us took 30 s and more instead of 5.
 */
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "base/os.h"
#include "base/syscall.h"
#include "runtime/bed.h"

#define SHORT_SLICE UINT64_C (100000) /* ns */
#define NICE_LEAST (-20)

struct sched_attr_v0 {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

static long ask (int nice, uint64_t slice)
{
	struct sched_attr_v0 a = {
		.size = sizeof a, .policy = SCHED_OTHER, .nice = nice, .runtime = slice
	};

	return goad__syscall3 (SYS_sched_setattr, 0, (long) &a, 0);
}

void goad__urgent (void)
{
	uint64_t slice = goad__env_flag ("GOAD_NO_SHORT_SLICE") ? 0 : SHORT_SLICE;
	int policy = sched_getscheduler (0);
	int nice = getpriority (PRIO_PROCESS, 0); /* the program's: a thread inherits it */
	int best = nice < 0 ? NICE_LEAST : nice + NICE_LEAST;

	if (policy == SCHED_FIFO || policy == SCHED_RR || policy == SCHED_DEADLINE)
		return; /* beside such Ms it would have nothing as SCHED_OTHER */
	if (goad__env_flag ("GOAD_URGENT") && ask (best, slice) == 0)
		return;
	if (slice)
		ask (nice, slice); /* older kernels ignore or refuse it */
}
