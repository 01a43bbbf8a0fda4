/* SPDX-License-Identifier: MIT */
/* Kernel threads: M0, the Ms, and the maker that makes them.
 *
 * pthread_create calls malloc, whose lock a handed-off coroutine may hold.  Nobody on
 * a scheduling path may wait for that, sysmon least of all; so Ms are made by a
 * thread that does nothing else (Go's template thread, for other reasons).  It is
 * asked by a futex word, and what it makes finds an idle P by itself or waits as a
 * spare.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "base/fatal.h"
#include "base/futex.h"
#include "base/os.h"
#include "base/rng.h"
#include "runtime/runtime.h"
#include "runtime/thread.h"
#include "runtime/top.h"
#include "runtime/tracer.h"

#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

#ifdef GOAD__TSAN
#define G0_STACK ((size_t) 4 << 20) /* ThreadSanitizer wants its 900 KiB of thread-locals there */
#else
#define G0_STACK ((size_t) 256 << 10)
#endif
#define HANDLER_ROOM ((size_t) 64 << 10) /* a handed-off handler, and a fault's report */

static struct {
	pthread_t thread;
	void *stack;
	bool running;
} maker;

__attribute__ ((weak)) void *__cxa_get_globals (void);

/* All blocked but the preemption signal and what a thread sends itself by a fault. */
void goad__thread_mask (sigset_t *set, int signo)
{
	static const int faults[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS, SIGABRT };

	sigfillset (set);
	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
		sigdelset (set, faults[i]);
	if (signo)
		sigdelset (set, signo);
}

static struct m *m_new (void)
{
	struct sched *s = &goad__sched;
	struct m *m = goad__pages_get (sizeof *m);

	if (!m)
		return NULL;
	goad__spin_lock (&s->lock);
	m->id = s->next_m++;
	m->all_next = s->allm;
	s->allm = m;
	goad__spin_unlock (&s->lock);
	return m;
}

/* Nothing is left in it of the thread that had it. */
static bool m_set_up (struct m *m)
{
	size_t min = getauxval (AT_MINSIGSTKSZ);

	m->curg = m->after_g = NULL;
	m->oldp = NULL;
	m->spinning = false;
	atomic_store_explicit (&m->slow, goad__slow (M_NO_P), memory_order_relaxed);
	atomic_store_explicit (&m->loose, false, memory_order_relaxed);
	atomic_store_explicit (&m->wanted, false, memory_order_relaxed);
	atomic_store_explicit (&m->call, -1, memory_order_relaxed);
	atomic_store_explicit (&m->park, PARK_NOT, memory_order_relaxed);
	atomic_store_explicit (&m->nextp, NULL, memory_order_relaxed);
	m->altstack_size = goad__round_up ((min > (size_t) MINSIGSTKSZ ? min : (size_t) MINSIGSTKSZ) +
	                                       HANDLER_ROOM,
	                                   GOAD__PAGE);
	m->altstack = goad__pages_get (m->altstack_size + GOAD__PAGE);
	if (!m->altstack)
		return false;
	mprotect (m->altstack, GOAD__PAGE, PROT_NONE);
	return true;
}

static void free_stacks (struct m *m)
{
	if (m->altstack)
		goad__pages_put (m->altstack, m->altstack_size + GOAD__PAGE);
	if (m->g0_stack)
		goad__pages_put (m->g0_stack, G0_STACK);
	m->altstack = m->g0_stack = NULL;
}

/* sysmon, which takes no lock, may have found m by a P just before m ended, and look at the
 * thread's pins still (sched/retake.c): they lie on that stack, which so stays mapped, with
 * no memory behind it, for the next thread.  It reads 0, and fails to change m->slow. */
static void empty_stacks (struct m *m)
{
	goad__pages_put (m->altstack, m->altstack_size + GOAD__PAGE);
	m->altstack = NULL;
	madvise ((char *) m->g0_stack + GOAD__PAGE, G0_STACK - GOAD__PAGE, MADV_DONTNEED);
}

/* The thread has gone, or never came.  Under lock. */
static void m_put (struct m *m)
{
	struct sched *s = &goad__sched;

	m->life = M_FREE;
	m->leaving = false;
	atomic_store_explicit (&m->tid, 0, memory_order_relaxed);
	m->idle_next = s->mfree;
	s->mfree = m;
	s->nm--;
}

/* An M without its thread; NULL: there is no memory, or *full: as many as there may be.
 * It counts from now on, but as one on its way: who wants to take another thread for
 * himself (goad__lock_thread) may not reckon with one that the system may refuse. */
static struct m *m_make (bool *full)
{
	struct sched *s = &goad__sched;
	struct m *m;

	goad__spin_lock (&s->lock);
	*full = s->nm >= (uint32_t) s->max_threads;
	if (!*full) {
		s->nm++;
		s->nm_starting++;
	}
	if (s->nm > s->nm_max)
		s->nm_max = s->nm;
	m = *full ? NULL : s->mfree;
	if (m) {
		s->mfree = m->idle_next;
		m->locked_g = NULL; /* it is on the list of all, where others look */
		m->life = M_LIVE;
	}
	goad__spin_unlock (&s->lock);
	if (*full)
		return NULL;
	if (!m)
		m = m_new ();
	if (m && m_set_up (m))
		return m;
	goad__spin_lock (&s->lock);
	s->nm_starting--;
	if (m)
		m_put (m);
	else
		s->nm--;
	goad__spin_unlock (&s->lock);
	return NULL;
}

static void m_enter (struct m *m)
{
	stack_t alt = { .ss_sp = (char *) m->altstack + GOAD__PAGE, .ss_size = m->altstack_size };

	goad__set_pins (1);
	goad__clear_pending ();
	goad__set_g (NULL);
	goad__set_m (m);
	goad__ring_begin ();
	__atomic_store_n (&m->self, goad__self_at (), __ATOMIC_RELAXED);
	sigaltstack (&alt, &m->old_altstack);
	goad__san_make (&m->san, NULL, 0);
	m->cxa = __cxa_get_globals ? __cxa_get_globals () : NULL;
	atomic_store_explicit (&m->tid, goad__gettid (), memory_order_relaxed);
}

static void m_leave (struct m *m)
{
	stack_t off = { .ss_flags = SS_DISABLE };

	goad__ring_end ();
	goad__set_m (NULL);
	goad__set_pins (0);
	goad__clear_pending ();
	sigaltstack (m->old_altstack.ss_sp ? &m->old_altstack : &off, NULL);
}

static void take_idle_p (struct m *m)
{
	struct sched *s = &goad__sched;
	struct p *p = NULL;

	goad__spin_lock (&s->lock);
	s->nm_starting--;
	if (!atomic_load_explicit (&s->done, memory_order_relaxed))
		p = goad__pidle_get ();
	goad__spin_unlock (&s->lock);
	if (!p)
		return;
	goad__acquire_p (m, p);
	m->spinning = true;
	atomic_fetch_add_explicit (&s->nmspinning, 1, memory_order_seq_cst);
}

/* The thread ends while the runtime goes on: the maker joins it. */
static void tell_end (struct m *m)
{
	struct sched *s = &goad__sched;

	goad__spin_lock (&s->lock);
	m->life = M_ENDED;
	m->idle_next = s->mended;
	s->mended = m;
	goad__spin_unlock (&s->lock);
	goad__ask_maker (MAKER_REAP);
}

static void *m_run (void *arg)
{
	struct m *m = arg;

	m_enter (m);
	prctl (PR_SET_NAME, "goad-m");
	take_idle_p (m);
	goad__sched_loop ();
	m_leave (m);
	if (m->leaving)
		tell_end (m);
	return NULL;
}

int goad__thread_start (pthread_t *t, void *(*fn) (void *), void *arg, int signo, void **stack)
{
	pthread_attr_t attr;
	sigset_t set, old;
	int err;

	/* Ours, not glibc's: it keeps up to 40 MiB of them when threads have ended. */
	if (!*stack)
		*stack = goad__pages_get (G0_STACK);
	if (!*stack)
		return -ENOMEM;
	mprotect (*stack, GOAD__PAGE, PROT_NONE);
	pthread_attr_init (&attr);
	pthread_attr_setstack (&attr, (char *) *stack + GOAD__PAGE, G0_STACK - GOAD__PAGE);
	goad__thread_mask (&set, signo);
	pthread_sigmask (SIG_SETMASK, &set, &old);
	err = pthread_create (t, &attr, fn, arg);
	pthread_sigmask (SIG_SETMASK, &old, NULL);
	pthread_attr_destroy (&attr);
	return -err;
}

void goad__thread_unused (void **stack)
{
	goad__pages_put (*stack, G0_STACK);
	*stack = NULL;
}

void goad__thread_end (pthread_t t, void **stack)
{
	pthread_join (t, NULL);
	goad__thread_unused (stack);
}

/* 0; -EDQUOT: max_threads; else why the system refuses. */
static int new_m (void)
{
	struct sched *s = &goad__sched;
	bool full;
	struct m *m = m_make (&full);
	int err = -ENOMEM;

	if (full)
		return -EDQUOT;
	if (m)
		err = goad__thread_start (&m->thread, m_run, m, s->signo, &m->g0_stack);
	goad__spin_lock (&s->lock);
	s->refused = err != 0;
	if (err && m) {
		s->nm_starting--;
		m_put (m);
		goad__idle_settle ();
	}
	goad__spin_unlock (&s->lock);
	if (err && m)
		free_stacks (m);
	return err;
}

int goad__threads_count (void)
{
	return (int) goad__sched.nm + 2 /* the maker and sysmon */ + goad__tracer_threads () +
	       goad__top_threads ();
}

static void tell_limit (const char *why)
{
	bool told;

	goad__spin_lock (&goad__sched.lock);
	told = goad__sched.limit_told;
	goad__sched.limit_told = true;
	goad__spin_unlock (&goad__sched.lock);
	if (!told)
		goad__line ("%u threads run and no more can be had (%s); coroutines wait for one",
		            goad__sched.nm, why);
}

/* The kernel shows a thread for a moment after it can be joined; until it has gone, a
 * deadlock would be taken for a process with a thread that is not ours. */
static void await_gone (int tid)
{
	struct timespec pause = { 0, 100000 };

	for (int i = 0; i < 1000 && goad__thread_signal (tid, 0, NULL) == 0; i++)
		nanosleep (&pause, NULL);
}

static void reap (void)
{
	struct sched *s = &goad__sched;
	struct m *m;

	for (;;) {
		goad__spin_lock (&s->lock);
		m = s->mended;
		if (m)
			s->mended = m->idle_next;
		goad__spin_unlock (&s->lock);
		if (!m)
			return;
		pthread_join (m->thread, NULL);
		await_gone (atomic_load_explicit (&m->tid, memory_order_relaxed));
		empty_stacks (m);
		goad__spin_lock (&s->lock);
		m_put (m);
		s->nm_locked--; /* it served nobody since it was told to go */
		goad__idle_settle ();
		goad__spin_unlock (&s->lock);
	}
}

static void make (uint32_t n)
{
	while (n-- > 0) {
		int err = new_m ();
		if (err == -EDQUOT)
			tell_limit ("max_threads");
		else if (err)
			tell_limit ("the system refuses");
	}
}

static void *maker_run (void *arg)
{
	struct sched *s = &goad__sched;
	(void) arg;

	prctl (PR_SET_NAME, "goad-maker");
	goad__set_pins (1); /* it takes the scheduler's lock */
	for (;;) {
		uint32_t what = atomic_exchange_explicit (&s->maker_word, 0, memory_order_acquire);
		if (what & MAKER_STOP)
			return NULL;
		if (what & MAKER_REAP)
			reap ();
		if (what & MAKER_PROCS)
			goad__cpus_resize ();
		make (what & MAKER_COUNT);
		goad__futex_wait (&s->maker_word, 0, UINT64_MAX);
	}
}

static int start_m0 (void)
{
	struct sched *s = &goad__sched;
	bool full;
	struct m *m = m_make (&full);
	sigset_t set;

	if (!m)
		return -ENOMEM;
	m_enter (m);
	sigemptyset (&set);
	sigaddset (&set, s->signo);
	pthread_sigmask (SIG_UNBLOCK, &set, &m->old_mask);
	goad__spin_lock (&s->lock);
	s->nm_starting--;
	struct p *p = goad__pidle_get ();
	goad__spin_unlock (&s->lock);
	goad__acquire_p (m, p);
	return 0;
}

int goad__threads_start (bool with_m0)
{
	struct sched *s = &goad__sched;
	int err = with_m0 ? start_m0 () : new_m ();

	if (err)
		return err;
	/* One spare at once, so that the first preemption finds it. */
	atomic_store_explicit (&s->maker_word, with_m0 ? 1 : 0, memory_order_relaxed);
	err = goad__thread_start (&maker.thread, maker_run, NULL, 0, &maker.stack);
	maker.running = err == 0;
	return err;
}

void goad__threads_end (void)
{
	struct sched *s = &goad__sched;
	struct m *self = goad__m ();

	if (maker.running) {
		atomic_store_explicit (&s->maker_word, MAKER_STOP, memory_order_release);
		goad__futex_wake (&s->maker_word, 1);
		goad__thread_end (maker.thread, &maker.stack);
		maker.running = false;
	}
	goad__idle_end (); /* also those that came while it ended */
	while (s->allm) {
		struct m *m = s->allm;
		s->allm = m->all_next;
		if (m == self) {
			m_leave (m);
			pthread_sigmask (SIG_SETMASK, &m->old_mask, NULL);
		} else if (m->life != M_FREE) {
			pthread_join (m->thread, NULL);
		}
		free_stacks (m);
		goad__pages_put (m, sizeof *m);
	}
	s->midle = s->mended = s->mfree = NULL;
	s->nmidle = s->nm = s->nm_locked = 0;
}
