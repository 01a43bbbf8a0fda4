/* SPDX-License-Identifier: MIT */
/* GOAD_SCHEDTRACE=ms: a line each period on stderr, with the fields of Go's schedtrace, so
 * that what reads those reads these.  Whose queue is how long is seen without locks. */
#include "base/clock.h"
#include "base/fatal.h"
#include "base/syscall.h"
#include "runtime/tracer.h"
#include "sched/sched.h"

static uint64_t began;

void goad__schedtrace_begin (void)
{
	began = goad__now ();
}

static uint32_t queued (const struct p *p)
{
	return goad__runq_len (&p->runq) +
	       (atomic_load_explicit (&p->runnext, memory_order_relaxed) != NULL);
}

/* The longest: as many numbers as there can be Ps. */
#define LONGEST (256 + 11 * GOAD__MAX_PROCS)

/* Go's `runqueue` is the global one; here that is two, and their sum.  Nobody is ever
 * wanted to spin but does not, so needspinning is 0. */
void goad__schedtrace_line (uint64_t now)
{
	struct sched *s = &goad__sched;
	int n = s->nprocs;
	static char line[LONGEST];
	size_t at;

	at = goad__format (line, sizeof line,
	                   "SCHED %lums: gomaxprocs=%d idleprocs=%u threads=%u spinningthreads=%u "
	                   "needspinning=0 idlethreads=%u runqueue=%u [",
	                   (unsigned long) ((now - began) / 1000000), n,
	                   atomic_load_explicit (&s->npidle, memory_order_relaxed),
	                   atomic_load_explicit (&s->nm, memory_order_relaxed),
	                   atomic_load_explicit (&s->nmspinning, memory_order_relaxed),
	                   atomic_load_explicit (&s->nmidle, memory_order_relaxed),
	                   atomic_load_explicit (&s->nglobal, memory_order_relaxed) +
	                       atomic_load_explicit (&s->fairq.n, memory_order_relaxed));
	for (int i = 0; i < n; i++)
		at += goad__format (line + at, sizeof line - at, i ? " %u" : "%u", queued (&s->p[i]));
	at += goad__format (line + at, sizeof line - at, "]\n");
	goad__syscall3 (SYS_write, 2, (long) line, (long) at);
}
