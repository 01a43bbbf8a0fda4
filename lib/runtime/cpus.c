/* SPDX-License-Identifier: MIT */
/* How many CPUs this process may use: the affinity of its threads, and the CPU quota of
 * its cgroup and of all above that, rounded up.  Both are looked at again while it runs,
 * at most once a second and only while a coroutine runs; sysmon looks, and the maker,
 * who may wait, changes the number of Ps.
 *
 * Whose affinity?  All of the runtime's own threads', taken together: sched_setaffinity
 * (0, ...) and `taskset -p` change one thread, and one that was pinned for a purpose says
 * nothing of the others.  New threads have the maker's, that is of who started the
 * runtime.
 *
 * Files are read by raw system calls into fixed buffers: a coroutine that was stopped may
 * hold the locks of stdio.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fatal.h"
#include "base/os.h"
#include "base/syscall.h"
#include "core/gate.h"
#include "runtime/runtime.h"

#define EVERY UINT64_C (1000000000)
#define PATIENCE UINT64_C (20000000) /* ns; who cannot be stopped must not hold up all others */
#define NO_LIMIT GOAD__MAX_PROCS
#define PATH_ROOM 4096u
#define MASK_WORDS 256u /* 16384 CPUs */

static _Atomic bool following;
static _Atomic uint64_t looked_at;
static _Atomic int wanted;
static char cgroup_root[256]; /* as it was at the start: the environment may change */

struct mask {
	uint64_t word[MASK_WORDS];
};

static void add_affinity (struct mask *sum, int tid)
{
	struct mask m = { { 0 } };

	if (goad__syscall3 (SYS_sched_getaffinity, tid, sizeof m, (long) &m) <= 0)
		return;
	for (unsigned i = 0; i < MASK_WORDS; i++)
		sum->word[i] |= m.word[i];
}

/* Ms are not freed, so the list may be followed without the lock from any head of it. */
static int affinity (void)
{
	struct sched *s = &goad__sched;
	struct mask sum = { { 0 } };
	struct m *m = NULL;
	bool inside = goad__gate_enter ();
	int n = 0;

	if (inside) {
		goad__pin ();
		goad__spin_lock (&s->lock);
		m = s->allm;
		goad__spin_unlock (&s->lock);
		goad__unpin ();
	}
	if (!m)
		add_affinity (&sum, 0);
	for (; m; m = m->all_next)
		if (atomic_load_explicit (&m->tid, memory_order_relaxed))
			add_affinity (&sum, atomic_load_explicit (&m->tid, memory_order_relaxed));
	if (inside)
		goad__gate_leave ();
	for (unsigned i = 0; i < MASK_WORDS; i++)
		n += __builtin_popcountll (sum.word[i]);
	return n < 1 ? 1 : n;
}

/* The beginning of a file as a string; false: it cannot be read. */
static bool read_file (const char *path, char *buf, size_t size)
{
	long fd = goad__syscall4 (SYS_openat, AT_FDCWD, (long) path, O_RDONLY | O_CLOEXEC, 0);
	size_t n = 0;
	long got = 0;

	if (fd < 0)
		return false;
	while (n < size - 1 &&
	       (got = goad__syscall3 (SYS_read, fd, (long) (buf + n), (long) (size - 1 - n))) > 0)
		n += (size_t) got;
	goad__syscall3 (SYS_close, fd, 0, 0);
	buf[n] = 0;
	return got >= 0;
}

/* A number at *at, which then stands behind it and the blanks after it; -1: none there
 * ("max", "-1"). */
static int64_t number (const char **at)
{
	const char *c = *at;
	int64_t v = 0;

	if (*c < '0' || *c > '9')
		return -1;
	for (; *c >= '0' && *c <= '9'; c++)
		v = v > INT64_MAX / 20 ? v : v * 10 + (*c - '0');
	while (*c == ' ' || *c == '\n')
		c++;
	*at = c;
	return v;
}

static int of_quota (int64_t quota, int64_t period)
{
	int64_t n;

	if (quota < 0 || period <= 0)
		return NO_LIMIT;
	n = quota / period + (quota % period != 0);
	return n < 1 ? 1 : n > NO_LIMIT ? NO_LIMIT : (int) n;
}

static bool join (char *path, const char *dir, const char *file)
{
	return goad__format (path, PATH_ROOM, "%s/%s", dir, file) < PATH_ROOM;
}

static int quota_v2 (const char *dir)
{
	char path[PATH_ROOM], text[64];
	const char *at = text;
	int64_t quota;

	if (!join (path, dir, "cpu.max") || !read_file (path, text, sizeof text))
		return NO_LIMIT;
	quota = number (&at);
	return of_quota (quota, number (&at));
}

static int64_t number_in (const char *dir, const char *file)
{
	char path[PATH_ROOM], text[64];
	const char *at = text;

	return join (path, dir, file) && read_file (path, text, sizeof text) ? number (&at) : -1;
}

static int quota_v1 (const char *dir)
{
	return of_quota (number_in (dir, "cpu.cfs_quota_us"), number_in (dir, "cpu.cfs_period_us"));
}

/* The least of a group's and of all above it, the mount point too: in a container the
 * path may be one of the host's, and only the last is there. */
static int quota_up (const char *mount, const char *group, size_t len, int (*quota) (const char *))
{
	char dir[PATH_ROOM];
	size_t base = strlen (mount);
	int least = NO_LIMIT;

	if (base + len >= sizeof dir)
		return NO_LIMIT;
	memcpy (dir, mount, base);
	memcpy (dir + base, group, len);
	for (size_t n = base + len; n >= base; n--) {
		if (n > base && dir[n - 1] == '/')
			continue;
		if (n < base + len && n > base && dir[n] != '/')
			continue;
		dir[n] = 0;
		int q = quota (dir);
		least = q < least ? q : least;
	}
	return least;
}

static bool has_word (const char *list, size_t len, const char *word)
{
	size_t n = strlen (word);

	for (size_t i = 0; i + n <= len; i++)
		if ((i == 0 || list[i - 1] == ',') && (i + n == len || list[i + n] == ',') &&
		    memcmp (list + i, word, n) == 0)
			return true;
	return false;
}

/* A line of /proc/self/cgroup: number:controllers:path; no controllers: version 2. */
static int quota_of_line (const char *root, const char *line, size_t len)
{
	const char *list = memchr (line, ':', len);
	const char *path = list ? memchr (list + 1, ':', len - (size_t) (list + 1 - line)) : NULL;
	char mount[PATH_ROOM];
	size_t nlist;

	if (!path)
		return NO_LIMIT;
	nlist = (size_t) (path - ++list);
	len -= (size_t) (++path - line);
	if (nlist == 0)
		return quota_up (root, path, len, quota_v2);
	if (!has_word (list, nlist, "cpu") || strlen (root) + nlist + 2 > sizeof mount)
		return NO_LIMIT;
	goad__format (mount, sizeof mount, "%s/", root);
	memcpy (mount + strlen (root) + 1, list, nlist); /* mounted as cpu,cpuacct ... */
	mount[strlen (root) + 1 + nlist] = 0;
	int both = quota_up (mount, path, len, quota_v1);
	goad__format (mount, sizeof mount, "%s/cpu", root); /* ... or as cpu */
	int alone = quota_up (mount, path, len, quota_v1);
	return both < alone ? both : alone;
}

int goad__cpus_quota (const char *root, const char *self)
{
	char text[PATH_ROOM];
	int least = NO_LIMIT;

	if (!read_file (self, text, sizeof text))
		return NO_LIMIT;
	for (const char *line = text; *line;) {
		size_t len = strcspn (line, "\n");
		int q = quota_of_line (root, line, len);
		least = q < least ? q : least;
		line += len + (line[len] != 0);
	}
	return least;
}

int goad__cpus (void)
{
	int quota = goad__cpus_quota (cgroup_root, "/proc/self/cgroup");
	int n = affinity ();

	return n < quota ? n : quota;
}

static void note_root (void)
{
	const char *root = getenv ("GOAD_CGROUP_ROOT"); /* for tests */

	if (!root || !*root || strlen (root) >= sizeof cgroup_root)
		root = "/sys/fs/cgroup";
	strcpy (cgroup_root, root);
}

void goad__cpus_follow (bool on)
{
	if (on)
		note_root ();
	atomic_store (&following, on);
	atomic_store (&looked_at, goad__now ());
}

/* Or is about to: its P leaves the idle list before it leaves its queue. */
static bool somebody_runs (void)
{
	struct sched *s = &goad__sched;

	return goad__work_somewhere () ||
	       atomic_load_explicit (&s->npidle, memory_order_relaxed) < (uint32_t) s->nprocs;
}

/* Nobody runs, so sysmon may sleep until somebody does.  [ord:sysmon-run] here: the wish,
 * then the look at the idle Ps; who takes one of them: off the list, then the wish. */
static bool may_rest (void)
{
	atomic_fetch_or_explicit (&goad__sched.sysmon_armed, NEWS_RUN, memory_order_seq_cst);
	return !somebody_runs ();
}

uint64_t goad__cpus_housekeep (uint64_t now)
{
	uint64_t next = atomic_load_explicit (&looked_at, memory_order_relaxed) + EVERY;

	if (!atomic_load_explicit (&following, memory_order_relaxed))
		return UINT64_MAX;
	if (now < next)
		return next;
	atomic_store_explicit (&looked_at, now, memory_order_relaxed);
	atomic_store_explicit (&wanted, goad__cpus (), memory_order_relaxed);
	if (wanted != goad__sched.nprocs)
		goad__ask_maker (MAKER_PROCS);
	return somebody_runs () || !may_rest () ? now + EVERY : UINT64_MAX;
}

void goad__cpus_resize (void)
{
	int n = atomic_load_explicit (&wanted, memory_order_relaxed);

	if (atomic_load (&following) && n != goad__sched.nprocs) /* refused: a second later again */
		(void) goad__resize (n, goad__add_time (goad__now (), PATIENCE));
}
