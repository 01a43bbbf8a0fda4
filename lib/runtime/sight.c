/* SPDX-License-Identifier: MIT */
#include "runtime/sight.h"

#include <string.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/uio.h>

#include "arch.h"
#include "base/os.h"
#include "base/syscall.h"

GOAD__FOREIGN uintptr_t goad__sight_word (uintptr_t at)
{
	return *(const volatile uintptr_t *) at;
}

GOAD__FOREIGN static void copy_words (void *to, const void *from, size_t n)
{
	volatile uintptr_t *out = to;
	const volatile uintptr_t *in = from;

	for (size_t i = 0; i < n / sizeof *in; i++)
		out[i] = in[i];
}

/* The kernel's is shorter than ucontext_t. */
#define USED_OF_UCONTEXT \
	(offsetof (ucontext_t, uc_mcontext) + sizeof ((ucontext_t *) 0)->uc_mcontext.gregs)

bool goad__sight_peek (const void *at, void *to, size_t n)
{
	struct iovec mine = { to, n }, theirs = { (void *) at, n };
	long got = -1, fd;

	if (!goad__env_flag ("GOAD_NO_VM_READV"))
		got = goad__syscall6 (SYS_process_vm_readv, goad__syscall3 (SYS_getpid, 0, 0, 0),
		                      (long) &mine, 1, (long) &theirs, 1, 0);
	if (got == (long) n || got == -EFAULT)
		return got == (long) n;
	fd = goad__syscall4 (SYS_openat, AT_FDCWD, (long) "/proc/self/mem", O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return false;
	got = goad__syscall4 (SYS_pread64, fd, (long) to, (long) n, (long) at);
	goad__syscall3 (SYS_close, fd, 0, 0);
	return got == (long) n;
}

_Static_assert(sizeof (struct g) % sizeof (uintptr_t) == 0, "it is copied by words");

/* Its own stack's, as far as the copy can be believed. */
GOAD__FOREIGN static void bounds (struct goad__sight *s)
{
	s->lo = (uintptr_t) s->c.stack->lo;
	s->hi = (uintptr_t) s->c.stack->hi;
}

bool goad__sight_read (struct goad__sight *s, const struct g *g)
{
	s->g = g;
	s->run_since = 0;
	s->m = s->p = -1;
	s->call = (struct goad__call){ .nr = -1 };
	s->note = NULL;
	copy_words (&s->c, g, sizeof s->c);
	atomic_thread_fence (memory_order_acquire); /* the copy, then the stack */
	s->c.name[sizeof s->c.name - 1] = 0;
	switch (goad__g_state (&s->c)) {
	case G_RUNNABLE:
	case G_RUNNING:
	case G_WAITING:
	case G_SYSCALL:
		if (!s->c.stack || s->c.id == 0)
			return false;
		bounds (s);
		return true;
	case G_IDLE:
	case G_DEAD:
		break;
	}
	return false;
}

GOAD__FOREIGN bool goad__sight_same (const struct goad__sight *s)
{
	atomic_thread_fence (memory_order_acquire); /* the stack, then this */
	return __atomic_load_n (&s->g->slices, __ATOMIC_RELAXED) == s->c.slices &&
	       *(const volatile uint64_t *) &s->g->id == s->c.id &&
	       goad__g_state (s->g) == goad__g_state (&s->c);
}

bool goad__sight_regs (const struct goad__sight *s, struct goad__regs *regs, bool *exact)
{
	const struct g *c = &s->c;
	uintptr_t sp = (uintptr_t) c->sp, stopped;
	struct goad__context context;
	ucontext_t uc;

	if (goad__g_state (c) != G_RUNNABLE && goad__g_state (c) != G_WAITING)
		return false;
	if (c->place == AT_SIGNAL && c->bound) {
		*exact = true;
		/* If it goes on meanwhile, and then ends, its thread's signal stack goes. */
		stopped = goad__sight_word ((uintptr_t) &c->bound->stopped);
		if (!goad__sight_peek ((const void *) stopped, &uc, USED_OF_UCONTEXT))
			return false;
		goad__arch_ucontext_regs (&uc, regs->r);
		return true;
	}
	*exact = false;
	if (c->place != AT_SP || sp < s->lo || sp % sizeof sp != 0 || sp > s->hi - sizeof context)
		return false;
	copy_words (&context, c->sp, sizeof context);
	goad__arch_context_regs (&context, regs->r);
	regs->r[7] = sp + sizeof context; /* not that of the copy */
	return true;
}

void goad__sight_walk (const struct goad__sight *s, const struct goad__regs *regs, bool exact,
                       struct goad__where *w)
{
	goad__where_of (regs, s->lo, s->hi, w);
	w->exact = exact;
}

void goad__where_of (const struct goad__regs *regs, uintptr_t lo, uintptr_t hi,
                     struct goad__where *w)
{
	w->exact = true;
	w->n = goad__safepoint_frames (regs, lo, hi, w->pc, w->slot, GOAD__BACKTRACE_MAX);
}

uint64_t goad__sight_since (const struct goad__sight *s)
{
	return goad__g_state (&s->c) == G_RUNNING ? s->run_since : s->c.ready_at;
}
