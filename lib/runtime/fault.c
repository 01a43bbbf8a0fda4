/* SPDX-License-Identifier: MIT */
#include "runtime/fault.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/fatal.h"
#include "base/os.h"
#include "base/syscall.h"
#include "runtime/backtrace.h"

#define REACH ((uintptr_t) 64 << 10) /* how far below the guard a large frame may hit */

#define SIGSET_BYTES 8 /* the kernel's sigset_t */

static const int signals[2] = { SIGSEGV, SIGBUS };

static struct {
	goad__fault_ask *ask;
	goad__fault_walk *walk;
	struct sigaction old[2];
	_Atomic bool once_used[2]; /* an SA_RESETHAND handler had its one call */
	_Atomic bool installed;
	_Atomic int reporter; /* thread that writes the report */
} fault;

/* ---- the backtrace -------------------------------------------------------------------- */

static uintptr_t context_sp (const ucontext_t *uc)
{
#if defined __x86_64__
	return (uintptr_t) uc->uc_mcontext.gregs[REG_RSP];
#elif defined __aarch64__
	return (uintptr_t) uc->uc_mcontext.sp;
#endif
}

static int walk_frame_pointers (const void *ucontext, const struct goad__fault_subject *on,
                                uintptr_t *pc, int max)
{
	const ucontext_t *uc = ucontext;
#if defined __x86_64__
	uintptr_t fp = (uintptr_t) uc->uc_mcontext.gregs[REG_RBP];
	uintptr_t ip = (uintptr_t) uc->uc_mcontext.gregs[REG_RIP];
#elif defined __aarch64__
	uintptr_t fp = (uintptr_t) uc->uc_mcontext.regs[29];
	uintptr_t ip = (uintptr_t) uc->uc_mcontext.pc;
#endif
	int n = 0;

	pc[n++] = ip;
	while (n < max && fp >= on->lo && fp <= on->hi - 2 * sizeof fp && fp % sizeof fp == 0) {
		const uintptr_t *frame = (const uintptr_t *) fp;
		if (frame[1] == 0)
			break;
		pc[n++] = frame[1];
		if (frame[0] <= fp)
			break;
		fp = frame[0];
	}
	return n;
}

/* ---- the overflow ----------------------------------------------------------------------- */

static bool is_overflow (const siginfo_t *info, const ucontext_t *uc,
                         const struct goad__fault_subject *s)
{
	uintptr_t at = (uintptr_t) info->si_addr, sp = context_sp (uc);

	/* SI_KERNEL is a general protection fault, which has no address. */
	if (info->si_code <= 0 || info->si_code == SI_KERNEL || at >= s->lo)
		return false;
	if (at >= s->guard_lo)
		return true;
	return at >= s->guard_lo - REACH && sp >= s->guard_lo - REACH && sp < s->lo + GOAD__PAGE;
}

/* Two threads may overflow at a time: the second waits for the first to end it all. */
static void report (const ucontext_t *uc, const struct goad__fault_subject *s)
{
	static uintptr_t pc[GOAD__BACKTRACE_MAX];
	static struct goad__namer namer; /* an alternate signal stack is small */
	int nobody = 0, n;

	if (!atomic_compare_exchange_strong (&fault.reporter, &nobody, goad__gettid ())) {
		struct timespec second = { 1, 0 };
		goad__syscall3 (SYS_nanosleep, (long) &second, 0, 0);
		return;
	}
	goad__line ("stack overflow in coroutine %lu '%s' (stack size %zu bytes; ask for more with "
	            "goad_attr_t.stack_size or GOAD_STACK_SIZE)",
	            (unsigned long) s->id, s->name ? s->name : "", s->size);
	n = (fault.walk ? fault.walk : walk_frame_pointers) (uc, s, pc, GOAD__BACKTRACE_MAX);
	goad__backtrace_print (2, goad__backtrace_name (&namer, pc, n, true), n);
	if (n == GOAD__BACKTRACE_MAX)
		goad__line ("  ...");
	if (goad__fatal_hook)
		goad__fatal_hook ();
}

/* ---- what was there before ---------------------------------------------------------------- */

/* Ends the handler so that the default action follows: a fault comes again when the
 * instruction is tried again; a signal that was sent is sent again, and is blocked
 * until the handler returns. */
static void fall_to_default (int signo, siginfo_t *info)
{
	struct sigaction dfl;

	memset (&dfl, 0, sizeof dfl);
	dfl.sa_handler = SIG_DFL;
	sigaction (signo, &dfl, NULL);
	if (info->si_code <= 0 || info->si_code == SI_KERNEL)
		goad__syscall4 (SYS_tgkill, getpid (), goad__gettid (), signo, 0);
}

static void call_old (int which, int signo, siginfo_t *info, void *context)
{
	const struct sigaction *old = &fault.old[which];
	bool sent = info->si_code <= 0;
	sigset_t mask = old->sa_mask;

	/* The kernel lets nobody ignore a fault. */
	if (!(old->sa_flags & SA_SIGINFO) && old->sa_handler == SIG_IGN && sent)
		return;
	if (!(old->sa_flags & SA_SIGINFO) &&
	    (old->sa_handler == SIG_IGN || old->sa_handler == SIG_DFL)) {
		fall_to_default (signo, info);
		return;
	}
	if ((old->sa_flags & (int) SA_RESETHAND) && atomic_exchange (&fault.once_used[which], true)) {
		fall_to_default (signo, info);
		return;
	}
	/* What the kernel would have blocked for it; the return from this handler puts the
	 * mask back. */
	goad__syscall4 (SYS_rt_sigprocmask, SIG_BLOCK, (long) &mask, 0, SIGSET_BYTES);
	if (old->sa_flags & SA_NODEFER) {
		sigemptyset (&mask);
		sigaddset (&mask, signo);
		if (!sigismember (&old->sa_mask, signo))
			goad__syscall4 (SYS_rt_sigprocmask, SIG_UNBLOCK, (long) &mask, 0, SIGSET_BYTES);
	}
	if (old->sa_flags & SA_SIGINFO)
		old->sa_sigaction (signo, info, context);
	else
		old->sa_handler (signo);
}

static void on_fault (int signo, siginfo_t *info, void *context)
{
	struct goad__fault_subject s;

	memset (&s, 0, sizeof s);
	if (atomic_load (&fault.installed) && fault.ask (&s) && is_overflow (info, context, &s)) {
		report (context, &s);
		fall_to_default (signo, info);
		return;
	}
	call_old (signo == SIGBUS, signo, info, context);
}

/* ---- the whole ------------------------------------------------------------------------------ */

static bool is_ours (const struct sigaction *a)
{
	return (a->sa_flags & SA_SIGINFO) && a->sa_sigaction == on_fault;
}

int goad__fault_init (goad__fault_ask *ask, goad__fault_walk *walk)
{
	fault.ask = ask;
	fault.walk = walk;
	atomic_store (&fault.reporter, 0);
	for (int i = 0; i < 2; i++) {
		struct sigaction ours, was;
		if (sigaction (signals[i], NULL, &was) != 0)
			return -errno;
		/* Somebody put it back after an earlier fini: what it hides is known. */
		if (is_ours (&was))
			continue;
		fault.old[i] = was;
		atomic_store (&fault.once_used[i], false);
		memset (&ours, 0, sizeof ours);
		ours.sa_sigaction = on_fault;
		ours.sa_flags = SA_SIGINFO | SA_ONSTACK;
		/* A sent signal interrupts system calls as it did before. */
		if ((was.sa_flags & SA_RESTART) || was.sa_handler == SIG_IGN)
			ours.sa_flags |= SA_RESTART;
		if (sigaction (signals[i], &ours, NULL) != 0)
			return -errno;
	}
	atomic_store (&fault.installed, true);
	return 0;
}

void goad__fault_fini (void)
{
	atomic_store (&fault.installed, false);
	for (int i = 0; i < 2; i++) {
		struct sigaction now;
		if (sigaction (signals[i], NULL, &now) == 0 && is_ours (&now)) {
			/* It would have been gone after its one call. */
			if (atomic_load (&fault.once_used[i])) {
				fault.old[i].sa_handler = SIG_DFL;
				fault.old[i].sa_flags &= ~SA_SIGINFO;
			}
			sigaction (signals[i], &fault.old[i], NULL);
		}
	}
}
