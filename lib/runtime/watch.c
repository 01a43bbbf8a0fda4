/* SPDX-License-Identifier: MIT */
/* What threads do while sysmon looks away: whether one computes, sleeps in the kernel or
 * gets no CPU, and the list of those that have lost their P while they slept.
 *
 * A thread's CPU clock says whether it has run since the last look; what it does now is
 * in /proc/self/task/TID/syscall: "running", or the number of the call it sleeps in and
 * its arguments, or -1 if it sleeps in the kernel for another reason: a page fault.
 * Where that file is not there, the state letter in "stat" has to do
 * (GOAD_NO_PROC_SYSCALL=1).  All by raw system calls: malloc's lock may be what the
 * thread waits for.
 *
 * The list is sysmon's alone; the Ms on it come back without touching it, and are taken
 * off when it is next walked.  An M is never freed while the runtime runs.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "base/fatal.h"
#include "base/os.h"
#include "base/syscall.h"
#include "preempt/preempt.h"
#include "runtime/runtime.h"
#include "runtime/watch.h"

#define AT_ONCE 64 /* threads on the list that one look asks after */
#define KEPT 32    /* "syscall" files kept open; a power of two */

static struct {
	uint64_t tick, cpu;
} probed[GOAD__MAX_PROCS];

static struct {
	struct m *first, *last; /* the first is asked after next */
	int n;
} list;
static bool no_syscall_file;

/* Opening and closing such a file takes several times as long as reading it, so those last
 * read stay open, each in the place of its thread's number.  A file is tied to its thread:
 * read when that is gone it gives an error, and is opened again by name.  A program may
 * close what it does not know, and the number means something else then, to be neither
 * read nor closed: so the file must be the one that was opened. */
static struct kept {
	int tid, fd;
	dev_t dev;
	ino_t ino;
} kept[KEPT];

uint64_t goad__watch_cpu (int tid)
{
	/* the kernel's MAKE_THREAD_CPUCLOCK (tid, CPUCLOCK_SCHED) */
	clockid_t id = (clockid_t) ((~(unsigned) tid << 3) | 6u);
	struct timespec ts;

	if (clock_gettime (id, &ts) != 0)
		return 0;
	return (uint64_t) ts.tv_sec * 1000000000u + (uint64_t) ts.tv_nsec;
}

static long open_file (int tid, const char *name)
{
	char path[64];

	goad__format (path, sizeof path, "/proc/self/task/%d/%s", tid, name);
	return goad__syscall4 (SYS_openat, AT_FDCWD, (long) path, O_RDONLY | O_CLOEXEC, 0);
}

static bool read_file (long fd, char *text, size_t size)
{
	long n = goad__syscall4 (SYS_pread64, fd, (long) text, (long) size - 1, 0);

	text[n > 0 ? n : 0] = 0;
	return n > 0;
}

/* /proc/self/task/TID/name; false: not readable. */
static bool read_file_of (int tid, const char *name, char *text, size_t size)
{
	long fd = open_file (tid, name);
	bool good;

	if (fd < 0)
		return false;
	good = read_file (fd, text, size);
	goad__syscall3 (SYS_close, fd, 0, 0);
	return good;
}

static bool still_there (const struct kept *k)
{
	struct stat st;

	return k->tid && goad__syscall3 (SYS_fstat, k->fd, (long) &st, 0) == 0 && st.st_ino == k->ino &&
	       st.st_dev == k->dev;
}

static void forget (struct kept *k)
{
	if (still_there (k))
		goad__syscall3 (SYS_close, k->fd, 0, 0);
	k->tid = 0;
}

static bool keep (struct kept *k, int tid)
{
	long fd = open_file (tid, "syscall");
	struct stat st;

	if (fd < 0)
		return false;
	if (goad__syscall3 (SYS_fstat, fd, (long) &st, 0) != 0) {
		goad__syscall3 (SYS_close, fd, 0, 0);
		return false;
	}
	*k = (struct kept){ tid, (int) fd, st.st_dev, st.st_ino };
	return true;
}

static bool read_syscall (int tid, char *text, size_t size)
{
	struct kept *k = &kept[tid & (KEPT - 1)];

	if (k->tid == tid && still_there (k) && read_file (k->fd, text, size))
		return true;
	forget (k);
	return keep (k, tid) && read_file (k->fd, text, size);
}

static uint64_t number (const char **at, unsigned base)
{
	uint64_t v = 0;

	for (;; ++*at) {
		unsigned c = (unsigned char) **at;
		unsigned digit = c - '0' < 10 ? c - '0' : (c | 32) - 'a' < 6 ? (c | 32) - 'a' + 10 : base;
		if (digit >= base)
			return v;
		v = v * base + digit;
	}
}

/* By the state letter, which comes after a name that may hold anything but ") ". */
static enum goad__doing by_letter (int tid)
{
	char text[64];
	const char *end = NULL;

	if (!read_file_of (tid, "stat", text, sizeof text))
		return DOING_UNKNOWN;
	for (const char *c = text; *c; c++)
		if (*c == ')')
			end = c;
	if (!end || end[1] != ' ')
		return DOING_UNKNOWN;
	return end[2] == 'S' || end[2] == 'D' ? DOING_SLEEP : end[2] == 'R' ? DOING_RUN : DOING_UNKNOWN;
}

/* " 0x..": the next of the numbers; 0: there is none. */
static uint64_t next_hex (const char **at)
{
	if ((*at)[0] != ' ' || (*at)[1] != '0' || (*at)[2] != 'x')
		return 0;
	*at += 3;
	return number (at, 16);
}

/* What is in a thread's "syscall" file; NULL: it could not be read. */
static enum goad__doing tell (int tid, const char *text, struct goad__call *c)
{
	const char *at = text;

	*c = (struct goad__call){ .nr = -1 };
	if (!text)
		return by_letter (tid);
	if (text[0] == '-')
		return by_letter (tid) == DOING_SLEEP ? DOING_FAULT : DOING_UNKNOWN;
	if (text[0] < '0' || text[0] > '9')
		return DOING_RUN;
	c->nr = (long) number (&at, 10);
	c->arg = next_hex (&at);
	for (int i = 1; i < 6; i++)
		next_hex (&at);
	c->sp = next_hex (&at);
	c->pc = next_hex (&at);
	return DOING_SLEEP;
}

enum goad__doing goad__watch_look (int tid, struct goad__call *c)
{
	char text[256];
	bool got = !no_syscall_file && read_file_of (tid, "syscall", text, sizeof text);

	return tell (tid, got ? text : NULL, c);
}

/* What m's thread does now; a call that it sleeps in is noted, or since when it is in none
 * at most. */
static enum goad__doing look_at (struct m *m, int tid)
{
	uint64_t before = goad__now ();
	char text[256];
	bool got = !no_syscall_file && read_syscall (tid, text, sizeof text);
	struct goad__call c;
	enum goad__doing doing = tell (tid, got ? text : NULL, &c);

	if (c.nr >= 0)
		atomic_store_explicit (&m->call_arg, c.arg, memory_order_relaxed);
	atomic_store_explicit (&m->call, c.nr, memory_order_relaxed);
	if (doing == DOING_RUN)
		atomic_store_explicit (&m->computed_at, before, memory_order_relaxed);
	return doing;
}

enum sysmon_thread goad__watch_probe (int i, uint64_t tick)
{
	struct p *p = &goad__sched.p[i];
	struct m *m = goad__p_m (p);
	int tid = atomic_load_explicit (&p->tid, memory_order_relaxed);
	uint64_t cpu = goad__watch_cpu (tid);
	bool known = probed[i].tick == tick;
	bool moved = probed[i].cpu != cpu;

	probed[i].tick = tick;
	probed[i].cpu = cpu;
	if (!m)
		return SYSMON_NO_CPU; /* the slice is just over */
	/* Before the clock: it may have run since the last look, and sleep now. */
	switch (look_at (m, tid)) {
	case DOING_SLEEP:
		return SYSMON_IN_KERNEL;
	case DOING_FAULT: /* in most cases it is over by now */
		return known && !moved ? SYSMON_IN_KERNEL : SYSMON_NO_CPU;
	case DOING_RUN:
	case DOING_UNKNOWN:
		break;
	}
	return known && !moved ? SYSMON_NO_CPU : SYSMON_COMPUTES;
}

bool goad__watch_sleeps (struct m *m, int tid)
{
	return look_at (m, tid) == DOING_SLEEP;
}

static void append (struct m *m)
{
	m->loose_next = NULL;
	if (list.last)
		list.last->loose_next = m;
	else
		list.first = m;
	list.last = m;
}

static struct m *first (void)
{
	struct m *m = list.first;

	list.first = m->loose_next;
	if (!list.first)
		list.last = NULL;
	return m;
}

int goad__watch_take (int i, uint64_t tick)
{
	struct p *p = &goad__sched.p[i];
	struct m *m = goad__p_m (p);
	uint64_t cpu = probed[i].cpu;
	int err;

	if (!m || probed[i].tick != tick ||
	    goad__watch_cpu (atomic_load_explicit (&m->tid, memory_order_relaxed)) != cpu)
		return -ESTALE;
	err = goad__retake (p, tick);
	if (err)
		return err;
	m->loose_cpu = cpu;
	m->loose_at = goad__now ();
	if (!m->listed) {
		m->listed = true;
		append (m);
		list.n++;
	}
	return 0;
}

bool goad__watch_any (void)
{
	return list.first != NULL;
}

/* True: it runs, without a P.  One that goes from one short sleep to the next is left
 * alone: the signal would meet it in the next one, and it takes little from the others. */
static bool rein_in (struct m *m, uint64_t now)
{
	int tid = atomic_load_explicit (&m->tid, memory_order_relaxed);
	uint64_t cpu = goad__watch_cpu (tid);
	uint64_t ran = cpu - m->loose_cpu, since = now - m->loose_at;

	if (ran == 0)
		return false;
	m->loose_cpu = cpu;
	m->loose_at = now;
	if (look_at (m, tid) == DOING_SLEEP)
		return false;
	if (ran < since / 8)
		return true; /* another look will tell */
	atomic_store_explicit (&m->wanted, true, memory_order_relaxed);
	if (goad__thread_signal (tid, goad__sched.signo, goad__signal_cookie) == 0)
		atomic_fetch_add_explicit (&goad__signals_sent, 1, memory_order_relaxed);
	return true;
}

int goad__watch_rein (void)
{
	int n = list.n < AT_ONCE ? list.n : AT_ONCE;
	uint64_t now = goad__now ();
	int running = 0;

	while (n-- > 0) {
		struct m *m = first ();

		if (atomic_load_explicit (&m->loose, memory_order_relaxed)) {
			running += rein_in (m, now);
			append (m);
		} else {
			m->listed = false;
			list.n--;
		}
	}
	return running;
}

void goad__watch_reset (void)
{
	for (int i = 0; i < GOAD__MAX_PROCS; i++)
		probed[i].tick = probed[i].cpu = UINT64_MAX;
	list.first = list.last = NULL;
	list.n = 0;
	no_syscall_file = goad__env_flag ("GOAD_NO_PROC_SYSCALL");
}

void goad__watch_end (void)
{
	for (int i = 0; i < KEPT; i++)
		forget (&kept[i]);
}
