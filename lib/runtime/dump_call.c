/* SPDX-License-Identifier: MIT */
/* Who wants a dump: the program (goad_dump), its user (SIGQUIT), and what goes wrong. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>

#include "arch.h"
#include "base/fatal.h"
#include "base/os.h"
#include "base/syscall.h"
#include "core/gate.h"
#include "goad/sync.h"
#include "runtime/dump.h"
#include "runtime/runtime.h"

#define ROOM ((uintptr_t) 10 << 10) /* stack that a dump may need */
#define SIGSET_BYTES 8              /* the kernel's sigset_t      */

/* ---- the program ----------------------------------------------------------------------- */

/* The frames of the calling coroutine, this one first; NULL: there is none. */
GOAD__NOINLINE static struct goad__where *own_frames (struct goad__where *w)
{
	const struct g *g = goad__g ();
	struct goad__regs here;

	if (!g)
		return NULL;
	goad__arch_here_regs (here.r);
	goad__where_of (&here, (uintptr_t) g->stack->lo, (uintptr_t) g->stack->hi, w);
	return w;
}

/* One at a time, so that two do not mix.  Nothing of the runtime is needed once it has been
 * looked at, so that a thread from outside does not keep it from ending as long as it writes. */
GOAD__API int goad_dump (int fd)
{
	static goad_mutex_t turn = GOAD_MUTEX_INIT;
	struct goad__where where;
	struct dump *d;
	long rc = goad__syscall3 (SYS_fcntl, fd, F_GETFL, 0);

	if (rc < 0)
		return (int) rc;
	if ((rc & O_ACCMODE) == O_RDONLY)
		return -EBADF;
	if (goad__forked ())
		return -EPERM;
	goad_mutex_lock (&turn);
	if (!goad__gate_enter ()) {
		goad_mutex_unlock (&turn);
		return -EPERM;
	}
	d = goad__dump_take (DUMP_ASK | DUMP_PATIENT, own_frames (&where));
	goad__gate_leave ();
	rc = d ? goad__dump_tell (d, fd, "") : -ENOMEM;
	goad__dump_drop (d);
	goad_mutex_unlock (&turn);
	return (int) rc;
}

/* ---- SIGQUIT ------------------------------------------------------------------------------- */

/* The handler may be anywhere, so it only leaves word: sysmon, which waits for nobody, writes
 * the dump and ends the process. */
static struct {
	struct sigaction before;
	bool installed;
	_Atomic bool asked;
} quit;

static void die_of (int signo)
{
	struct sigaction dfl;
	sigset_t set;

	memset (&dfl, 0, sizeof dfl);
	dfl.sa_handler = SIG_DFL;
	sigaction (signo, &dfl, NULL);
	sigemptyset (&set);
	sigaddset (&set, signo);
	goad__syscall4 (SYS_rt_sigprocmask, SIG_UNBLOCK, (long) &set, 0, SIGSET_BYTES);
	goad__thread_signal (goad__gettid (), signo, NULL);
}

/* Who asks again does not want to wait. */
static void on_quit (int signo)
{
	int e = errno;

	if (atomic_exchange_explicit (&quit.asked, true, memory_order_relaxed))
		die_of (signo);
	else
		goad__monitor_housekeep ();
	errno = e;
}

void goad__quit_look (void)
{
	struct dump *d;

	if (likely (!atomic_load_explicit (&quit.asked, memory_order_relaxed)))
		return;
	goad__line ("SIGQUIT");
	d = goad__dump_take (DUMP_ASK, NULL);
	if (d)
		goad__dump_tell (d, 2, "goad: ");
	die_of (SIGQUIT);
}

int goad__quit_init (void)
{
	struct sigaction sa;

	quit.installed = false;
	atomic_store_explicit (&quit.asked, false, memory_order_relaxed);
	if (!goad__env_flag ("GOAD_DUMP_ON_QUIT"))
		return 0;
	memset (&sa, 0, sizeof sa);
	sa.sa_handler = on_quit;
	sa.sa_flags = SA_ONSTACK | SA_RESTART;
	if (sigaction (SIGQUIT, &sa, &quit.before) != 0)
		return -errno;
	quit.installed = true;
	return 0;
}

void goad__quit_fini (void)
{
	struct sigaction now;

	/* What the program has put there meanwhile stays. */
	if (quit.installed && sigaction (SIGQUIT, NULL, &now) == 0 && !(now.sa_flags & SA_SIGINFO) &&
	    now.sa_handler == on_quit)
		sigaction (SIGQUIT, &quit.before, NULL);
	quit.installed = false;
}

/* ---- what goes wrong ------------------------------------------------------------------------ */

static _Atomic int reporter; /* the thread that is at it, or has been */

static bool runs (void)
{
	int life = atomic_load_explicit (&goad__life, memory_order_relaxed);

	return life == LIFE_MAIN || life == LIFE_EMBEDDED || life == LIFE_STOPPING;
}

void goad__dump_last (const struct goad__where *self)
{
	struct timespec second = { 1, 0 };
	int nobody = 0, me = goad__gettid ();
	struct dump *d;

	if (!runs ())
		return;
	if (!atomic_compare_exchange_strong (&reporter, &nobody, me)) {
		if (nobody != me) /* else it has gone wrong in here */
			goad__syscall3 (SYS_nanosleep, (long) &second, 0, 0);
		return;
	}
	goad__pin (); /* for good */
	d = goad__dump_take (DUMP_ASK, self);
	if (d)
		goad__dump_tell (d, 2, "goad: ");
}

/* A line has been written that says what it is. */
static void on_fatal (void)
{
	struct g *g = goad__g ();
	uintptr_t here = (uintptr_t) __builtin_frame_address (0);
	struct goad__where where;

	where.n = 0;
	where.exact = false;
	if (g && here > (uintptr_t) g->stack->lo && here < (uintptr_t) g->stack->hi) {
		if (here - (uintptr_t) g->stack->lo < ROOM)
			return;
		own_frames (&where);
	}
	goad__dump_last (g ? &where : NULL); /* on the signal stack: without frames */
}

bool goad__dump_wanted (void)
{
#ifdef GOAD_DEBUG_BUILD
	return true;
#else
	return goad__env_flag ("GOAD_DUMP_ON_FATAL");
#endif
}

void goad__dump_init (void)
{
	atomic_store (&reporter, 0);
	goad__fatal_hook = goad__dump_wanted () ? on_fatal : NULL;
}
