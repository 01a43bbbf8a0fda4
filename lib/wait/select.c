/* SPDX-License-Identifier: MIT */
/* Waiting for one of several channels.  Go's select.go is the model:
 *
 *	1. lock all channels, in the order of their addresses, so that two selects cannot
 *	   wait for each other's locks;
 *	2. if some cases can happen, choose one of them and do it;
 *	3. else put a record into the queue of each, unlock all, and wait;
 *	4. whoever first claims the wait ends it (wait/wait.h), and the others pass over it;
 *	   take the records out of the queues of the rest.
 *
 * A select that acts is never itself in a queue, so a claim is all that it takes to end
 * the wait of another: no two of them need to agree.
 *
 * Not Go's: (2) counts instead of shuffling first: the k-th that can happen takes the
 * place of the one chosen so far with probability 1/k (reservoir sampling, Vitter 1985),
 * which makes each as likely.  And (4) locks only the channels whose queue it is in
 * still; the one that ended the wait is not touched again, and may be destroyed.
 */
#include <errno.h>
#include <limits.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "base/rng.h"
#include "base/syscall.h"
#include "core/p.h"
#include "wait/chan.h"

#define FEW 8u   /* records in the frame; */
#define SOME 64u /* in a larger frame;    */
                 /* above, in memory from the system, for the time of the call */

static uint64_t random_word (void)
{
	static _Atomic uint64_t outside;
	struct p *p = goad__own_p (goad__m ());

	if (likely (p != NULL))
		return goad__random (&p->rng);
	return goad__mix (
	    atomic_fetch_add_explicit (&outside, 0x9e3779b97f4a7c15u, memory_order_relaxed) +
	    goad__now ());
}

/* Shell's sort: for a few by insertion, and good enough for thousands. */
static void sort (struct goad_chan **a, size_t n)
{
	size_t gap = 1;

	while (gap < n / 3)
		gap = 3 * gap + 1;
	for (; gap > 0; gap /= 3)
		for (size_t i = gap; i < n; i++) {
			struct goad_chan *ch = a[i];
			size_t k = i;
			for (; k >= gap && (uintptr_t) a[k - gap] > (uintptr_t) ch; k -= gap)
				a[k] = a[k - gap];
			a[k] = ch;
		}
}

static void find_order (struct select *s)
{
	size_t n = 0, once = 0;

	for (size_t i = 0; i < s->n; i++)
		if (s->cases[i].chan)
			s->order[n++] = s->cases[i].chan;
	sort (s->order, n);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || s->order[i] != s->order[once - 1])
			s->order[once++] = s->order[i];
	s->nlocks = once;
}

static void lock_all (const struct select *s)
{
	for (size_t i = 0; i < s->nlocks; i++)
		goad__spin_lock_more (&s->order[i]->lock, i > 0);
}

static void unlock_all (const struct select *s)
{
	for (size_t i = s->nlocks; i-- > 0;)
		goad__spin_unlock (&s->order[i]->lock);
}

/* One of those that can happen, each as likely; -1: none. */
static int choose (const struct select *s)
{
	uint64_t rng = 0;
	uint32_t found = 0;
	int chosen = -1;

	for (size_t i = 0; i < s->n; i++) {
		const goad_case_t *c = &s->cases[i];
		if (!c->chan || !goad__chan_ready (c->chan, c->op))
			continue;
		if (found == 1)
			rng = random_word ();
		if (++found == 1 || goad__random_below (&rng, found) == 0)
			chosen = (int) i;
	}
	return chosen;
}

/* Does one; the index, or -1: none can happen.  Between the look and the deed a peer's
 * wait may be ended by someone else, on a channel that is not locked here: look again. */
static int act (const struct select *s, struct wait **peer)
{
	int i, rc;

	while ((i = choose (s)) >= 0) {
		goad_case_t *c = &s->cases[i];
		rc = c->op == GOAD_SEND ? goad__chan_send (c->chan, c->elem, peer)
		                        : goad__chan_recv (c->chan, c->elem, peer);
		if (rc != CHAN_WOULD_WAIT) {
			c->status = rc;
			return i;
		}
	}
	return -1;
}

/* The locks are held, and given up. */
static int wait_for_one (const struct select *s, uint64_t deadline)
{
	struct wait w;
	struct chan_wait *won;
	int err;

	goad__wait_init (&w, deadline, true);
	for (size_t i = 0; i < s->n; i++) {
		const goad_case_t *c = &s->cases[i];
		s->record[i] = (struct chan_wait){ .w = &w, .chan = c->chan, .elem = c->elem };
		if (c->chan)
			goad__chan_enqueue (c->chan, c->op, &s->record[i]);
	}
	unlock_all (s);
	err = goad__wait (&w, s->nlocks ? "select" : "select (no channels)", s);
	for (size_t i = 0; i < s->n; i++)
		if (s->record[i].queued)
			goad__chan_withdraw (&s->record[i], s->cases[i].op);
	if (err != 0)
		return err;
	won = w.won;
	s->cases[won - s->record].status = won->status;
	return (int) (won - s->record);
}

static int run (goad_case_t *cases, size_t n, uint64_t deadline, struct chan_wait *record,
                struct goad_chan **order)
{
	struct select s = { .cases = cases, .n = n, .record = record, .order = order };
	struct wait *peer = NULL;
	int rc;

	find_order (&s);
	goad__pin ();
	lock_all (&s);
	rc = act (&s, &peer);
	if (rc >= 0) {
		unlock_all (&s);
		if (peer)
			goad__wait_done (peer);
	} else if (deadline != UINT64_MAX && (deadline == 0 || goad__now () >= deadline)) {
		unlock_all (&s);
		rc = deadline == 0 ? -EAGAIN : -ETIMEDOUT;
	} else {
		rc = wait_for_one (&s, deadline);
	}
	goad__wait_leave ();
	return rc;
}

GOAD__NOINLINE static int run_some (goad_case_t *cases, size_t n, uint64_t deadline)
{
	struct chan_wait record[SOME];
	struct goad_chan *order[SOME];

	return run (cases, n, deadline, record, order);
}

GOAD__NOINLINE static int run_many (goad_case_t *cases, size_t n, uint64_t deadline)
{
	size_t bytes = n * (sizeof (struct chan_wait) + sizeof (struct goad_chan *));
	long at = goad__syscall6 (SYS_mmap, 0, (long) bytes, PROT_READ | PROT_WRITE,
	                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct chan_wait *record = (struct chan_wait *) at;
	int rc;

	if (at < 0 && at > -4096)
		return -ENOMEM;
	rc = run (cases, n, deadline, record, (struct goad_chan **) (void *) (record + n));
	goad__syscall3 (SYS_munmap, at, (long) bytes, 0);
	return rc;
}

GOAD__NOINLINE static int run_few (goad_case_t *cases, size_t n, uint64_t deadline)
{
	struct chan_wait record[FEW];
	struct goad_chan *order[FEW];

	return run (cases, n, deadline, record, order);
}

static bool valid (const goad_case_t *cases, size_t n)
{
	if (n > INT_MAX || (n > 0 && !cases))
		return false;
	for (size_t i = 0; i < n; i++)
		if ((cases[i].op != GOAD_SEND && cases[i].op != GOAD_RECV) ||
		    (cases[i].chan && goad__chan_bad_elem (cases[i].chan, cases[i].op, cases[i].elem)))
			return false;
	return true;
}

GOAD__API int goad_select_until (goad_case_t *cases, size_t n, uint64_t deadline)
{
	if (!valid (cases, n))
		return -EINVAL;
	if (n == 1 && cases->chan) {
		int rc = goad__chan_operate (cases->chan, cases->op, cases->elem, deadline);
		if (rc != 0 && rc != -EPIPE)
			return rc;
		cases->status = rc;
		return 0;
	}
	if (n <= FEW)
		return run_few (cases, n, deadline);
	return n <= SOME ? run_some (cases, n, deadline) : run_many (cases, n, deadline);
}

GOAD__API int goad_select (goad_case_t *cases, size_t n)
{
	return goad_select_until (cases, n, UINT64_MAX);
}
