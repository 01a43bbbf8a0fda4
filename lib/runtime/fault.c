/* SPDX-License-Identifier: MIT */
#include "runtime/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/fatal.h"
#include "base/os.h"
#include "base/syscall.h"

#define REACH ((uintptr_t) 64 << 10) /* how far below the guard a large frame may hit */
#define TRACE_MAX 32
#define MODULE_NAME 96

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

/* Which module an address lies in, from /proc/self/maps: dladdr takes the loader's
 * lock, which the dying coroutine may hold. */
struct place {
	uintptr_t offset;
	char name[MODULE_NAME];
};

struct maps_line {
	uintptr_t start, end, file_offset;
	char path[256];
};

static bool is_hex (char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static const char *parse_hex (const char *s, uintptr_t *v)
{
	for (*v = 0; is_hex (*s); s++)
		*v = *v * 16 + (uintptr_t) (*s <= '9' ? *s - '0' : *s - 'a' + 10);
	return *s ? s + 1 : s;
}

/* "start-end perms offset dev inode   path" */
static void parse_line (const char *s, struct maps_line *l)
{
	size_t n;

	s = parse_hex (s, &l->start);
	s = parse_hex (s, &l->end);
	while (*s && *s++ != ' ')
		;
	s = parse_hex (s, &l->file_offset);
	for (int words = 0; words < 2; words++)
		while (*s && *s++ != ' ')
			;
	while (*s == ' ')
		s++;
	n = strlen (s);
	if (n >= sizeof l->path)
		n = sizeof l->path - 1;
	memcpy (l->path, s, n);
	l->path[n] = 0;
}

static void locate (const struct maps_line *l, uintptr_t base, const uintptr_t *pc, int n,
                    struct place *at)
{
	const char *slash = strrchr (l->path, '/');
	const char *name = slash ? slash + 1 : l->path;

	for (int i = 0; i < n; i++)
		if (pc[i] >= l->start && pc[i] < l->end && *name) {
			at[i].offset = pc[i] - base;
			goad__format (at[i].name, sizeof at[i].name, "%s", name);
		}
}

static void locate_all (const uintptr_t *pc, int n, struct place *at)
{
	static char buf[4096], line[512]; /* the alternate stack is small */
	static struct maps_line now;
	static char module[sizeof now.path];
	uintptr_t base = 0;
	size_t len = 0;
	long got, fd = goad__syscall4 (SYS_openat, AT_FDCWD, (long) "/proc/self/maps",
	                               O_RDONLY | O_CLOEXEC, 0);

	module[0] = 0;
	while (fd >= 0 && (got = goad__syscall3 (SYS_read, fd, (long) buf, sizeof buf)) > 0)
		for (long i = 0; i < got; i++) {
			if (buf[i] != '\n') {
				if (len < sizeof line - 1)
					line[len++] = buf[i];
				continue;
			}
			line[len] = 0;
			len = 0;
			parse_line (line, &now);
			/* A module's first mapping tells where it was loaded. */
			if (strcmp (module, now.path) != 0) {
				memcpy (module, now.path, sizeof module);
				base = now.start - now.file_offset;
			}
			locate (&now, base, pc, n, at);
		}
	if (fd >= 0)
		goad__syscall3 (SYS_close, fd, 0, 0);
}

void goad__fault_print_trace (const uintptr_t *pc, int n)
{
	static struct place at[TRACE_MAX];

	if (n > TRACE_MAX)
		n = TRACE_MAX;
	memset (at, 0, sizeof at);
	locate_all (pc, n, at);
	for (int i = 0; i < n; i++)
		if (at[i].name[0])
			goad__line ("  #%d %p %s+%p", i, (void *) pc[i], at[i].name, (void *) at[i].offset);
		else
			goad__line ("  #%d %p", i, (void *) pc[i]);
}

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
	static uintptr_t pc[TRACE_MAX];
	int nobody = 0, n;

	if (!atomic_compare_exchange_strong (&fault.reporter, &nobody, goad__gettid ())) {
		struct timespec second = { 1, 0 };
		goad__syscall3 (SYS_nanosleep, (long) &second, 0, 0);
		return;
	}
	goad__line ("stack overflow in coroutine %lu '%s' (stack size %zu bytes; ask for more with "
	            "goad_attr_t.stack_size or GOAD_STACK_SIZE)",
	            (unsigned long) s->id, s->name ? s->name : "", s->size);
	n = (fault.walk ? fault.walk : walk_frame_pointers) (uc, s, pc, TRACE_MAX);
	goad__fault_print_trace (pc, n);
	if (n == TRACE_MAX)
		goad__line ("  ...");
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
