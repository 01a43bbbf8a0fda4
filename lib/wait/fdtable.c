/* SPDX-License-Identifier: MIT */
/* A descriptor's entry holds a list of waiters under a lock of its own.  A waiter is in
 * the list until one of four takes it out under that lock: an event, its deadline, a
 * close, or the discovery that its file is gone.  Whoever takes it out readies it, so it
 * is readied exactly once, and after that nobody here touches it: it lies on the stack of
 * who waits.
 *
 * No event is lost.  Go registers a descriptor once, edge-triggered, and must remember
 * edges that came while nobody waited (pollDesc.rg and wg).  Here the descriptor is armed
 * for one event each time that somebody comes to wait, under the lock under which the
 * waiter joins the list; arming makes the kernel look at the state as it is, so what
 * happened before is seen by that, what happens later is an event, and who brings the
 * event waits for the lock.  It costs one system call a wait.  What it saves is events
 * that nobody waits for (each wakes a thread), and the question whether the number still
 * means the same file: the kernel answers it by ENOENT.  Then those who waited for the
 * file that was there hear -ECANCELED, and the entry gets a new sequence number, so that
 * late events of the old file (which may live on under another number) are dropped.
 *
 * The table has two levels, touched where descriptors are waited for.
 */
#include "wait/fdtable.h"

#include <errno.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "base/os.h"
#include "sched/sched.h"
#include "wait/epoll.h"
#include "wait/netpoll.h"

#define CHUNK 4096u       /* entries: 256 KiB of address space */
#define CHUNKS (1u << 19) /* 2^31 descriptors: the most that the kernel can be set to */

struct goad__netpoll goad__netpoll = { .lock = GOAD__SPINLOCK_INIT (GOAD__RANK_LEAF) };

#define np goad__netpoll

struct fd_entry *goad__fd_find (int fd)
{
	struct fd_entry *c;

	if (fd < 0 || !atomic_load_explicit (&np.used, memory_order_acquire)) /* [ord:poll-used] */
		return NULL;
	c = atomic_load_explicit (&np.chunk[(unsigned) fd / CHUNK], memory_order_acquire);
	return c ? c + (unsigned) fd % CHUNK : NULL;
}

/* Under np.lock. */
static int start_using (void)
{
	void *p = mmap (NULL, CHUNKS * sizeof *np.chunk, PROT_READ | PROT_WRITE,
	                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	int err;

	if (p == MAP_FAILED)
		return -ENOMEM;
	err = goad__epoll_open (); /* if it could not be opened when the runtime began */
	if (err) {
		munmap (p, CHUNKS * sizeof *np.chunk);
		return err;
	}
	np.chunk = p;
	atomic_store_explicit (&np.used, 1, memory_order_seq_cst); /* [ord:poll-used] */
	return 0;
}

static int make_entry (int fd, struct fd_entry **out)
{
	_Atomic (struct fd_entry *) *at;
	struct fd_entry *c = NULL;
	bool first;
	int err = 0;

	goad__spin_lock (&np.lock);
	first = !atomic_load_explicit (&np.used, memory_order_relaxed);
	if (first)
		err = start_using ();
	if (err == 0) {
		at = &np.chunk[(unsigned) fd / CHUNK];
		c = atomic_load_explicit (at, memory_order_relaxed);
		if (!c && (c = goad__pages_get (CHUNK * sizeof *c)))
			atomic_store_explicit (at, c, memory_order_release);
		if (!c)
			err = -ENOMEM;
	}
	if (c && (unsigned) fd / CHUNK >= np.chunks)
		np.chunks = (unsigned) fd / CHUNK + 1;
	goad__spin_unlock (&np.lock);
	if (first && err == 0)
		goad__sysmon_wake (); /* it sleeps on its futex: it shall come over */
	*out = c ? c + (unsigned) fd % CHUNK : NULL;
	return err;
}

int goad__fd_entry (int fd, struct fd_entry **out)
{
	if (fd < 0)
		return -EBADF;
	*out = goad__fd_find (fd);
	return *out ? 0 : make_entry (fd, out);
}

void goad__fd_each (void (*fn) (struct fd_entry *e))
{
	uint32_t chunks;

	goad__spin_lock (&np.lock);
	chunks = np.chunks;
	goad__spin_unlock (&np.lock);
	for (unsigned i = 0; i < chunks; i++) {
		struct fd_entry *c = atomic_load_explicit (&np.chunk[i], memory_order_acquire);
		for (unsigned j = 0; c && j < CHUNK; j++)
			fn (c + j);
	}
}

void goad__fd_table_free (void)
{
	for (unsigned i = 0; i < np.chunks; i++)
		goad__pages_put (atomic_load_explicit (&np.chunk[i], memory_order_relaxed),
		                 CHUNK * sizeof (struct fd_entry));
	munmap (np.chunk, CHUNKS * sizeof *np.chunk);
	np.chunk = NULL;
	np.chunks = 0;
}

static void append (struct fd_entry *e, struct fd_waiter *w)
{
	w->next = NULL;
	w->prev = e->last;
	*(e->last ? &e->last->next : &e->first) = w;
	e->last = w;
	w->queued = true;
}

void goad__fd_remove (struct fd_entry *e, struct fd_waiter *w)
{
	*(w->prev ? &w->prev->next : &e->first) = w->next;
	*(w->next ? &w->next->prev : &e->last) = w->prev;
	w->queued = false;
}

/* After this w is gone, but for its coroutine in the batch. */
static void wake_one (struct fd_entry *e, struct fd_waiter *w, int result, struct gbatch *due)
{
	struct g *g = w->w.g;

	goad__fd_remove (e, w);
	w->result = result;
	if (g) {
		goad__g_set (&g->ready_at, goad__now ());
		goad__g_transit (g, G_WAITING, G_RUNNABLE);
		gbatch_add (due, g);
	} else {
		/* [ord:fd-word]; the thread may be gone once it sees the 1, as in goad_join */
		atomic_store_explicit (&w->w.word, 1, memory_order_release);
		goad__wake_foreign (&w->w);
	}
}

void goad__fd_wake (struct fd_entry *e, uint32_t events, int result, struct gbatch *due)
{
	for (struct fd_waiter *w = e->first, *next; w; w = next) {
		next = w->next;
		if (w->events & events)
			wake_one (e, w, result, due);
	}
}

/* What everybody in the list waits for, of what the kernel knows. */
static uint32_t interest (const struct fd_entry *e)
{
	uint32_t events = 0;

	for (const struct fd_waiter *w = e->first; w; w = w->next)
		events |= w->events;
	return events & FD_KERNEL_EVENTS;
}

static int arm (int fd, struct fd_entry *e, uint32_t events)
{
	return goad__epoll_arm (fd, events, (uint64_t) e->seq << 32 | (uint32_t) fd, &e->known);
}

static void file_is_gone (struct fd_entry *e, struct gbatch *due)
{
	goad__fd_wake (e, UINT32_MAX, -ECANCELED, due);
	e->known = false;
	e->seq++;
}

static int arm_newcomer (int fd, struct fd_entry *e, uint32_t events, struct gbatch *due)
{
	bool known = e->known;
	int err = arm (fd, e, events | interest (e));

	if (!known || (err != -ENOENT && err != -EBADF))
		return err;
	file_is_gone (e, due);
	return arm (fd, e, events);
}

/* An event has disarmed it, or the number may mean another file now. */
void goad__fd_arm_rest (int fd, struct fd_entry *e, struct gbatch *due)
{
	uint32_t events = interest (e);

	if (events && arm (fd, e, events) != 0)
		file_is_gone (e, due);
}

/* The number is about to be closed. */
void goad__fd_forget (int fd, struct fd_entry *e, struct gbatch *due)
{
	if (e->known)
		goad__epoll_forget (fd);
	file_is_gone (e, due);
	e->turn[GOAD__FD_IN] = e->turn[GOAD__FD_OUT] = NULL;
}

bool goad__fd_enqueue (struct fd_waiter *w, struct gbatch *due)
{
	struct fd_entry *e = w->entry;
	bool waits = false;

	goad__spin_lock (&e->lock);
	/* [ord:poll-live]; nobody has put a word to the list of a runtime that ends */
	if (!w->w.g && !atomic_load_explicit (&np.live, memory_order_seq_cst)) {
		w->result = 0;
	} else if (!w->fired) {
		if (w->events & FD_KERNEL_EVENTS)
			w->result = arm_newcomer (w->fd, e, w->events, due);
		else /* for a turn, if it has not come by now */
			w->result = e->turn[w->events != FD_TURN (GOAD__FD_IN)] ? 0 : -EALREADY;
		waits = w->result == 0;
		if (waits)
			append (e, w);
	}
	w->seq = e->seq; /* now that it is known whose number this is */
	goad__spin_unlock (&e->lock);
	return waits;
}

/* On a P's own M they go into its queue, but for the bound ones. */
void goad__fd_ready (struct gbatch *due)
{
	struct p *p = goad__own_p (goad__m ());
	struct gbatch rest = { 0 };

	if (due->n == 0)
		return;
	for (struct g *g; (g = gbatch_take (due));) {
		if (g->bound)
			goad__ready_bound (g);
		else if (p)
			goad__runq_put_or_spill (p, g);
		else
			gbatch_add (&rest, g);
	}
	if (rest.n) {
		goad__globq_put (&rest);
	} else if (p) {
		/* [ord:idle-recheck] */
		atomic_thread_fence (memory_order_seq_cst);
		goad__sched_wake ();
	}
}
