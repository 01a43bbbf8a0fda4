/* SPDX-License-Identifier: MIT */
/* The handler of the preemption signal, on the M's alternate stack.
 *
 * What it may touch: raw system calls, atomics, our tables, and the runtime's own lock,
 * since it backs out when the thread is in the runtime (core/self.h).  In this order:
 *	not ours: to whoever was there before
 *	asked where it stands: an answer (sample.c)
 *	in the runtime: `pending`; the runtime looks at it on its way out
 *	without a P, taken while it slept in the kernel: wait for one
 *	stale: the slice that it is about is over
 *	preemption disabled: noted; the last enable looks
 *	libc and the like, no room on the stack, a foreign stack: hand off, here and now
 *	else: inject a call, and return; decide.c goes on from there
 */
#include <errno.h>
#include <link.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/os.h"
#include "base/syscall.h"
#include "preempt/preempt.h"
#include "preempt/safepoint.h"
#include "preempt/sample.h"
#include "sched/account.h"
#include "sched/feedback.h"

char goad__signal_cookie[1];

static struct sigaction before;
static int our_signo;
static bool installed;

static bool ignored_by_default (int signo)
{
	return signo == SIGURG || signo == SIGCHLD || signo == SIGWINCH || signo == SIGCONT;
}

/* The signal is somebody else's. */
static void chain (int signo, siginfo_t *info, void *uc)
{
	struct sigaction dfl = { .sa_handler = SIG_DFL };

	if (before.sa_flags & SA_SIGINFO) {
		before.sa_sigaction (signo, info, uc);
	} else if (before.sa_handler == SIG_DFL) {
		if (ignored_by_default (signo))
			return;
		/* its default action, once this handler has returned */
		sigaction (signo, &dfl, NULL);
		goad__thread_signal (goad__gettid (), signo, NULL);
	} else if (before.sa_handler != SIG_IGN) {
		before.sa_handler (signo);
	}
}

void goad__preempt_not_needed (struct p *p, struct g *g)
{
	uint64_t t = goad__p_time_exact (p);

	goad__p_expire (p, g);
	if (goad__p_asked_for_fresh (p)) {
		goad__p_new_slice (p, atomic_load_explicit (&p->slice_start, memory_order_relaxed));
		if (goad__hog_runs (p)) /* not to be asked again at once */
			atomic_store_explicit (&p->spare_at, t + goad__sched.granularity, memory_order_relaxed);
	} else {
		goad__p_new_slice (p, t);
	}
}

/* For fresh work one would be made a hog that may have nothing to do with the time which sysmon
 * saw.  Now it is read; should this one stay as long, it is asked again. */
bool goad__preempt_too_soon (struct p *p, struct g *g, uintptr_t pc)
{
	if (!goad__p_asked_for_fresh (p) || goad__hog_runs (p) || !goad__p_began_later (p))
		return false;
	goad__decided (HOW_UNNEEDED, "it may have begun just now", pc, 0);
	goad__p_expire (p, g);
	goad__p_new_slice (p, goad__p_time_exact (p));
	return true;
}

static bool in_entry (uintptr_t pc)
{
	return pc >= (uintptr_t) goad_preempt_entry && pc < (uintptr_t) goad__preempt_entry_end;
}

static bool has_room (const struct g *g, uintptr_t sp)
{
	return sp <= (uintptr_t) g && sp >= (uintptr_t) g->stack->lo + goad__arch_inject_room ();
}

enum action { INJECT, HAND_OFF, DEFER };

static const char *reason (enum goad__class class)
{
	switch (class) {
	case GOAD__DENIED:
		return "code of the C library, the loader or their like";
	case GOAD__BOUND:
		return "an object that keeps something for each thread";
	case GOAD__RUNTIME:
		return "code of the runtime";
	case GOAD__UNKNOWN:
		return "code that is not known";
	case GOAD__SCANNED:
		break;
	}
	return "code whose frames are judged next";
}

/* *why: static text. */
static enum action choose (const struct g *g, uintptr_t pc, uintptr_t sp, const char **why)
{
	int mode = goad__g_mode (g);
	enum goad__class class = goad__modules_class (pc);

	*why = reason (class);
	if (mode == GOAD_PREEMPT_HANDOFF)
		*why = "the mode is hand-off";
	else if (g->bound)
		*why = "it is locked to its thread";
	else if (in_entry (pc))
		*why = "it is being preempted already";
	else if (!has_room (g, sp))
		*why = "another stack, or no room on its own";
	else if (class == GOAD__SCANNED)
		return INJECT;
	else if (mode == GOAD_PREEMPT_YIELD)
		return class == GOAD__BOUND ? INJECT : DEFER;
	return in_entry (pc) && mode == GOAD_PREEMPT_YIELD ? DEFER : HAND_OFF;
}

void goad__preempt_hand_off (struct m *m, struct g *g, const char *why, uintptr_t pc, int depth)
{
	struct g_preempted was = g->last;
	struct p *p = m->p;

	if (goad__without (GOAD_F_NO_HANDOFF)) {
		goad__deferred (p, g, "hand-off is disabled", pc, depth);
		return;
	}
	goad__g_last (g, LAST_HANDED, pc, why);
	goad__decided (HOW_HANDOFF, why, pc, depth);
	switch (goad__handoff_in_handler (m, g)) {
	case HANDOFF_DONE:
		break;
	case HANDOFF_NOBODY_WAITS:
		g->last = was;
		goad__decided (HOW_UNNEEDED, "nobody waits any more", pc, depth);
		goad__preempt_not_needed (p, g);
		break;
	case HANDOFF_NO_THREAD:
		goad__deferred (p, g, "there is no thread to hand the P to", pc, depth);
		break;
	}
}

/* The same in the handler; a dump finds the registers in uc. */
static void hand_off_here (struct m *m, struct g *g, const ucontext_t *uc, const char *why)
{
	m->stopped = uc;
	g->place = AT_SIGNAL;
	goad__preempt_hand_off (m, g, why, goad__arch_pc (uc), 0);
	g->place = AT_SP;
}

/* The world is to stop.  Who is not to be preempted does so at his next call; if he sleeps
 * meanwhile, for a lock whose holder has stopped already, sysmon takes his P. */
static void halt (struct m *m, struct g *g, ucontext_t *uc)
{
	int mode = goad__g_mode (g);

	if (g->nopreempt)
		g->preempt_held = 1;
	else if (mode == GOAD_PREEMPT_COOP || mode == GOAD_PREEMPT_OFF)
		goad__set_pending ();
	else {
		m->stopped = uc;
		g->place = AT_SIGNAL;
		goad__world_halt (m, g);
		g->place = AT_SP;
	}
}

/* A function of libc may have been called by ThreadSanitizer's stand-in for it, which told
 * ThreadSanitizer to look away: what this thread takes or hands over here it would not see.
 * sysmon asks again. */
static bool unseen (const ucontext_t *uc)
{
#ifdef GOAD__TSAN
	enum goad__class class = goad__modules_class (goad__arch_pc (uc));

	return class != GOAD__SCANNED && class != GOAD__BOUND;
#else
	(void) uc;
	return false;
#endif
}

/* The request is good, and the coroutine may be stopped.  As act. */
static bool stop_it (struct m *m, struct g *g, ucontext_t *uc)
{
	uintptr_t pc = goad__arch_pc (uc);
	const char *why;

	switch (choose (g, pc, goad__arch_sp (uc), &why)) {
	case INJECT:
		goad__decided (HOW_INJECT, why, pc, 0);
		goad__arch_inject (uc);
		return true;
	case HAND_OFF:
		hand_off_here (m, g, uc, why);
		break;
	case DEFER:
		goad__deferred (m->p, g, why, pc, 0);
		break;
	}
	return false;
}

/* Pinned.  True: stays so, for the injected call. */
static bool act (struct m *m, struct g *g, ucontext_t *uc)
{
	uintptr_t pc = goad__arch_pc (uc);
	struct p *p;

	if (unseen (uc))
		return false;
	p = goad__own_p (m);

	/* Back from a call in which its P was taken: no preemption, and so whatever its mode. */
	if (!p && g) {
		m->stopped = uc;
		g->place = AT_SIGNAL;
		goad__block_rejoin (m, g);
		g->place = AT_SP;
		return false;
	}
	if (!g || !p)
		return false;
	if (goad__stopping ()) {
		goad__decided (HOW_HALT, "the world is to stop", pc, 0);
		halt (m, g, uc);
		return false;
	}
	goad__trace_n (signal, goad__now (), pc, atomic_load_explicit (&p->tick, memory_order_relaxed));
	/* [ord:request] the tick asked about, which was stored before the signal was sent */
	if (!goad__p_expired (p)) {
		goad__decided (HOW_STALE, "the slice that was to end is over", pc, 0);
		return false;
	}
	if (goad__g_mode (g) == GOAD_PREEMPT_OFF)
		return false;
	if (g->nopreempt) {
		g->preempt_held = 1;
		goad__deferred (p, g, "preemption is disabled", pc, 0);
		return false;
	}
	if (goad__g_mode (g) == GOAD_PREEMPT_COOP) {
		goad__set_pending ();
		return false;
	}
	if (!goad__preempt_wanted (p)) {
		goad__decided (HOW_UNNEEDED, "nobody waits any more", pc, 0);
		goad__preempt_not_needed (p, g);
		return false;
	}
	if (goad__preempt_too_soon (p, g, pc))
		return false;
	return stop_it (m, g, uc);
}

#ifdef GOAD__TSAN

/* ThreadSanitizer puts a handler of its own before ours, which puts ours off until the
 * thread makes a system call: a loop would never end.  So ours goes to the kernel behind
 * its back, and stays away from its code, whose locks a thread may hold there. */
struct kernel_action {
	void (*handler) (int, siginfo_t *, void *);
	unsigned long flags;
	void (*restorer) (void);
	uint64_t mask;
};

static struct kernel_action kernel_before;
static uintptr_t tsan_lo, tsan_hi;

static int note_tsan (struct dl_phdr_info *info, size_t size, void *arg)
{
	uintptr_t at = (uintptr_t) __tsan_get_current_fiber;
	(void) size, (void) arg;

	for (int i = 0; i < info->dlpi_phnum; i++) {
		uintptr_t lo = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
		uintptr_t hi = lo + info->dlpi_phdr[i].p_memsz;
		if (info->dlpi_phdr[i].p_type == PT_LOAD && at >= lo && at < hi) {
			tsan_lo = lo;
			tsan_hi = hi;
		}
	}
	return 0;
}

static int install (const struct sigaction *sa)
{
	struct kernel_action k = { sa->sa_sigaction,
		                       (unsigned) sa->sa_flags | 0x04000000 /* RESTORER */, goad__sigreturn,
		                       0 };

	sigaction (our_signo, NULL, &before); /* what the program asked for: TSan's is no use */
	dl_iterate_phdr (note_tsan, NULL);
	return (int) goad__syscall4 (SYS_rt_sigaction, our_signo, (long) &k, (long) &kernel_before, 8);
}

static void uninstall (void)
{
	goad__syscall4 (SYS_rt_sigaction, our_signo, (long) &kernel_before, 0, 8);
}

#define NO_TSAN __attribute__ ((no_sanitize ("thread")))

NO_TSAN static bool in_tsan (const void *uc)
{
	uintptr_t pc = (uintptr_t) ((const ucontext_t *) uc)->uc_mcontext.gregs[REG_RIP];
	return pc >= tsan_lo && pc < tsan_hi;
}

#else

static int install (const struct sigaction *sa)
{
	return sigaction (our_signo, sa, &before);
}

static void uninstall (void)
{
	sigaction (our_signo, &before, NULL);
}

#define NO_TSAN

static inline bool in_tsan (const void *uc)
{
	(void) uc;
	return false;
}

#endif

/* Where RLIMIT_SIGPENDING leaves no room for it the kernel delivers a signal without
 * what was sent along.  Then it counts as ours if a slice is to end. */
NO_TSAN static bool is_ours (const siginfo_t *info)
{
	const struct m *m = goad__m ();

	if (info->si_code == SI_QUEUE)
		return info->si_value.sival_ptr == goad__signal_cookie;
	return info->si_code == SI_USER && info->si_pid == 0 && info->si_uid == 0 && m && m->p &&
	       goad__p_expired (m->p);
}

#define AT_ONCE 200000u  /* ns */
#define STALL 100000000u /* ns */

/* For how long, at most, the thread can have been in the system call that the signal broke
 * off, in ns: since sysmon saw it compute.  If it sent the signal at once after that, all the
 * rest is the signal's way, which the host can make long, and no loss to who sleeps: then
 * it is 0.  signalled_at is for one signal; another's sender, who did not look, may come
 * later. */
NO_TSAN static uint64_t call_lasts (struct m *m)
{
	uint64_t seen = atomic_load_explicit (&m->computed_at, memory_order_relaxed);
	uint64_t sent = atomic_exchange_explicit (&m->signalled_at, 0, memory_order_relaxed);
	uint64_t now;

	if (!seen)
		return UINT64_MAX;
	now = goad__now ();
	return sent && sent - seen <= AT_ONCE && now - sent <= STALL ? 0 : now - seen;
}

NO_TSAN static void handler (int signo, siginfo_t *info, void *uc)
{
	uint64_t lasts;
	struct m *m;

	if (in_tsan (uc))
		return; /* sysmon asks again */

	if (!is_ours (info)) {
		chain (signo, info, uc);
		return;
	}
	m = goad__m ();
	if (!m)
		return;
	lasts = call_lasts (m);      /* in any case: a signal that has come is not another's */
	goad__sample_answer (m, uc); /* and goes on: one signal can be for several */
	if (goad__pinned ()) {
		goad__set_pending ();
		return;
	}
	(void) goad__arch_restart (uc, lasts);
	goad__pin ();
	if (!act (m, goad__g (), uc))
		goad__unpin_quietly ();
}

int goad__signal_init (int signo)
{
	struct sigaction sa;

	memset (&sa, 0, sizeof sa);
	sa.sa_sigaction = handler;
	sa.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
	sigemptyset (&sa.sa_mask);
	our_signo = signo;
	installed = install (&sa) == 0;
	return installed ? 0 : -EINVAL;
}

void goad__signal_fini (void)
{
	if (installed) /* else the start failed before it was */
		uninstall ();
	installed = false;
}
