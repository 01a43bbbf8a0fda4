/* SPDX-License-Identifier: MIT */
/* Where sysmon sleeps, and how it is woken: see bed.h.
 *
 * A sleep of some microseconds is none: to set a timer, leave the CPU and come back to it
 * takes longer (20 us on a virtual machine), and whoever had the CPU meanwhile has lost its
 * caches for nothing.  So sysmon looks at the clock until then.
 */
#include "runtime/bed.h"

#include <time.h>

#include "base/clock.h"
#include "base/futex.h"
#include "base/os.h"
#include "core/ring.h"
#include "sched/sched.h"
#include "wait/netpoll.h"
#include "wait/timer.h"

#define NAP UINT64_C (10000) /* ns: a shorter sleep is none */

enum bed { AWAKE, NAPPING, ON_FUTEX, IN_NETPOLL };

static struct {
	/* enum bed.  [ord:sysmon-sleep] the waker stores its news, then exchanges this for
	 * AWAKE; the sleeper says where it sleeps, then looks for news: one sees the other.
	 * The waker learns from the word itself how to wake: there is no moment at which
	 * sysmon moves from the one bed to the other that a wake-up could fall into. */
	_Atomic uint32_t asleep;
	_Atomic uint32_t news;
	_Atomic uint64_t cpu_ns;
} bed;

void goad__bed_reset (void)
{
	bed.asleep = bed.news = 0;
	bed.cpu_ns = 0;
}

void goad__bed_wake (void)
{
	/* [ord:sysmon-sleep] */
	atomic_store_explicit (&bed.news, 1, memory_order_seq_cst);
	switch (atomic_exchange_explicit (&bed.asleep, AWAKE, memory_order_seq_cst)) {
	case ON_FUTEX:
		goad__futex_wake (&bed.asleep, 1);
		break;
	case IN_NETPOLL: /* [ord:poll-break] */
		goad__netpoll_break ();
		break;
	}
}

void goad__bed_note_cpu (void)
{
	struct timespec ts;

	clock_gettime (CLOCK_THREAD_CPUTIME_ID, &ts);
	atomic_store_explicit (&bed.cpu_ns, (uint64_t) ts.tv_sec * 1000000000u + (uint64_t) ts.tv_nsec,
	                       memory_order_relaxed);
}

uint64_t goad__bed_cpu (void)
{
	return atomic_load_explicit (&bed.cpu_ns, memory_order_relaxed);
}

/* Says where it sleeps; is there news? */
static bool lie_down (enum bed where)
{
	/* [ord:sysmon-sleep]; [ord:sysmon-alarm] is the other half of goad__tell_sysmon */
	atomic_store_explicit (&bed.asleep, where, memory_order_seq_cst);
	return atomic_exchange_explicit (&bed.news, 0, memory_order_seq_cst) != 0;
}

static bool lies (uint64_t deadline)
{
	return atomic_load_explicit (&bed.asleep, memory_order_relaxed) != AWAKE &&
	       goad__now () < deadline;
}

static void nap (uint64_t deadline)
{
	if (!lie_down (NAPPING))
		while (lies (deadline))
			goad__cpu_relax ();
}

static void sleep_on_futex (uint64_t deadline)
{
	if (!lie_down (ON_FUTEX))
		while (lies (deadline))
			goad__futex_wait (&bed.asleep, ON_FUTEX, deadline);
}

static void sleep_in_netpoll (uint64_t deadline)
{
	goad__netpoll_sleep (lie_down (IN_NETPOLL) ? 0 : deadline);
}

/* Once anybody has waited for a descriptor it sleeps with the netpoller, and readies whom
 * events concern, unless an idle M does so; before, and for processes without descriptors, a
 * futex is enough. */
void goad__bed_sleep (uint64_t deadline, bool resting)
{
	bool polls = !resting && goad__netpoll_bed (&deadline);

	goad__bed_note_cpu ();
	if (!resting)
		deadline = goad__timers_sleeps (deadline);
	goad__trace (sysmon_sleep, goad__now (), deadline);
	if (polls)
		sleep_in_netpoll (deadline);
	else if (deadline <= goad__now () + NAP)
		nap (deadline);
	else
		sleep_on_futex (deadline);
	atomic_store_explicit (&bed.asleep, AWAKE, memory_order_relaxed);
	goad__netpoll_up ();
	atomic_exchange_explicit (&bed.news, 0, memory_order_seq_cst);
	goad__timers_woke ();
	goad__trace_0 (sysmon_wake, goad__now ());
}
