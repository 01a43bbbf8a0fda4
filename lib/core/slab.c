/* SPDX-License-Identifier: MIT */
#include "core/slab.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/uio.h>

#ifdef HAVE_VALGRIND
#include <valgrind/valgrind.h>
#endif

#include "base/fatal.h"
#include "base/lock.h"
#include "base/os.h"
#include "base/san.h"
#include "base/syscall.h"

#define ADVICE_GUARD_INSTALL 102 /* Linux 6.13 */
#define OURSELVES (-10000)       /* PIDFD_SELF, Linux 6.14 */
#ifndef SYS_process_madvise
#define SYS_process_madvise 440
#endif

#define PORTION 64 /* slots that are looked at with the lock held */
#define TRIES 1000 /* for the lock, by who must not wait for it   */

#define CHUNK_SIZE ((size_t) 64 << 10)

struct chunk {
	struct chunk *next;
	struct slab slabs[(CHUNK_SIZE - sizeof (struct chunk *)) / sizeof (struct slab)];
};

#define CHUNK_SLABS (sizeof ((struct chunk *) 0)->slabs / sizeof (struct slab))

/* All under the lock, but for what init sets.  The slow system calls are made outside
 * it: on slots and slabs that nobody else can see at the time. */
static struct {
	struct goad__spinlock lock;
	struct slab *first[GOAD__STACK_CLASSES], *last[GOAD__STACK_CLASSES];
	struct slab *empty[GOAD__STACK_CLASSES]; /* cold all over, kept */
	struct slab *records;
	struct chunk *chunks;
	_Atomic size_t reserved;
	uint32_t shade;
	bool install;  /* MADV_GUARD_INSTALL works                     */
	bool vectored; /* process_madvise takes this process and these */
	_Atomic bool sparse, explained;
	uint64_t map_limit; /* vm.max_map_count                        */
	uint64_t guards;    /* PROT_NONE pages promised to slabs       */
} pool = { .lock = GOAD__SPINLOCK_INIT (GOAD__RANK_STACK) };

/* ---- the kernel's words ------------------------------------------------------------- */

static int advise (const struct iovec *iov, unsigned n, int advice)
{
	size_t total = 0;
	long err = 0;

	for (unsigned i = 0; i < n; i++)
		total += iov[i].iov_len;
	/* One call for all is a quarter (guards) to a half (giving back) cheaper. */
	if (pool.vectored && n > 1 &&
	    goad__syscall6 (SYS_process_madvise, OURSELVES, (long) iov, n, advice, 0, 0) ==
	        (long) total)
		return 0;
	for (unsigned i = 0; i < n && err == 0; i++)
		do
			err = goad__syscall3 (SYS_madvise, (long) iov[i].iov_base, (long) iov[i].iov_len,
			                      advice);
		while (err == -EINTR);
	return (int) err;
}

static void *map (size_t size, int *err)
{
	/* MAP_STACK and NOHUGEPAGE keep huge pages out: a stack costs what it touches. */
	long p = goad__syscall6 (SYS_mmap, 0, (long) size, PROT_READ | PROT_WRITE,
	                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
	if (p < 0 && p > -4096) {
		*err = p == -EAGAIN ? -EAGAIN : -ENOMEM;
		return NULL;
	}
	goad__syscall3 (SYS_madvise, p, (long) size, MADV_NOHUGEPAGE);
	return (void *) p;
}

static void unmap (void *p, size_t size)
{
	goad__syscall3 (SYS_munmap, (long) p, (long) size, 0);
}

/* The number in a file of one line, or def. */
static uint64_t read_number (const char *path, uint64_t def)
{
	char buf[24];
	uint64_t v = 0;
	long fd = goad__syscall4 (SYS_openat, AT_FDCWD, (long) path, O_RDONLY | O_CLOEXEC, 0);
	long n = fd < 0 ? 0 : goad__syscall3 (SYS_read, fd, (long) buf, sizeof buf);

	if (fd >= 0)
		goad__syscall3 (SYS_close, fd, 0, 0);
	if (n <= 0 || buf[0] < '0' || buf[0] > '9')
		return def;
	for (long i = 0; i < n && buf[i] >= '0' && buf[i] <= '9'; i++)
		v = v * 10 + (uint64_t) (buf[i] - '0');
	return v;
}

static uint64_t count_mappings (void)
{
	static char buf[4096]; /* one caller, once: see explain */
	uint64_t lines = 0;
	long n, fd = goad__syscall4 (SYS_openat, AT_FDCWD, (long) "/proc/self/maps",
	                             O_RDONLY | O_CLOEXEC, 0);

	if (fd < 0)
		return 0;
	while ((n = goad__syscall3 (SYS_read, fd, (long) buf, sizeof buf)) > 0)
		for (long i = 0; i < n; i++)
			lines += buf[i] == '\n';
	goad__syscall3 (SYS_close, fd, 0, 0);
	return lines;
}

/* Says, once, which limit stands in the way. */
GOAD__COLD static void explain (const char *what, size_t size)
{
	struct rlimit64 as = { RLIM64_INFINITY, RLIM64_INFINITY };
	char limit[32] = "unlimited";

	if (atomic_exchange (&pool.explained, true))
		return;
	goad__syscall4 (SYS_prlimit64, 0, RLIMIT_AS, 0, (long) &as);
	if (as.rlim_cur != RLIM64_INFINITY)
		goad__format (limit, sizeof limit, "%lu bytes", (unsigned long) as.rlim_cur);
	goad__line ("no memory for another stack: %s of %zu bytes failed with %zu bytes of stacks "
	            "reserved; RLIMIT_AS is %s, vm.overcommit_memory is %lu, %lu of "
	            "vm.max_map_count=%lu mappings are in use",
	            what, size, goad__slab_reserved (), limit,
	            (unsigned long) read_number ("/proc/sys/vm/overcommit_memory", 0),
	            (unsigned long) count_mappings (), (unsigned long) pool.map_limit);
}

/* ---- guards --------------------------------------------------------------------------- */

/* A guard by mprotect splits a mapping in three.  Half of the limit goes to slabs with
 * a guard for each stack, a quarter of it more to slabs with one for every eighth;
 * after that a slab has one at its low end, which is enough for millions of stacks. */
static uint32_t choose_spacing (uint32_t slots)
{
	uint64_t most = pool.map_limit / 2;

	if (pool.install || pool.guards + slots <= most / 2)
		return 1;
	if (!atomic_exchange (&pool.sparse, true))
		goad__line ("this kernel lacks MADV_GUARD_INSTALL, and vm.max_map_count=%lu allows no "
		            "more mappings: from here on most stacks have no guard page "
		            "(sysctl -w vm.max_map_count=%lu gives room)",
		            (unsigned long) pool.map_limit, (unsigned long) pool.map_limit * 16);
	return pool.guards + (slots + 7) / 8 <= most / 4 * 3 ? 8 : slots;
}

/* Slots that nobody else sees; their guarded bits are set already. */
static int put_guards (const struct slot *s, unsigned n)
{
	struct iovec iov[GOAD__SLAB_TAKE];
	int err;

	for (unsigned i = 0; i < n; i++) {
		iov[i].iov_base = goad__slot_lo (s[i]) - GOAD__GUARD;
		iov[i].iov_len = GOAD__GUARD;
	}
	if (pool.install) {
		err = n ? advise (iov, n, ADVICE_GUARD_INSTALL) : 0;
		if (err)
			explain ("MADV_GUARD_INSTALL", GOAD__GUARD);
		return err ? -ENOMEM : 0;
	}
	/* The program itself may have used up the mappings.  Its coroutines are worth more
	 * than the guards, and a canary is left. */
	for (unsigned i = 0; i < n; i++)
		if (goad__slot_guarded (s[i]) &&
		    goad__syscall3 (SYS_mprotect, (long) iov[i].iov_base, GOAD__GUARD, PROT_NONE) < 0)
			atomic_store (&pool.sparse, true);
	return 0;
}

/* It does not know process_madvise, and says so each time. */
static bool on_valgrind (void)
{
#ifdef HAVE_VALGRIND
	return RUNNING_ON_VALGRIND != 0;
#else
	return false;
#endif
}

static void probe_kernel (void)
{
	int err;
	char *p = map (2 * GOAD__PAGE, &err);
	struct iovec iov[2] = { { p, GOAD__PAGE }, { p ? p + GOAD__PAGE : p, GOAD__PAGE } };

	pool.install = pool.vectored = false;
	if (!p)
		return;
	pool.install = !goad__env_flag ("GOAD_NO_GUARD_INSTALL") &&
	               goad__syscall3 (SYS_madvise, (long) p, GOAD__PAGE, ADVICE_GUARD_INSTALL) == 0;
	pool.vectored = !on_valgrind () &&
	                goad__syscall6 (SYS_process_madvise, OURSELVES, (long) iov, 2, MADV_DONTNEED, 0,
	                                0) == (long) (2 * GOAD__PAGE);
	unmap (p, 2 * GOAD__PAGE);
}

/* ---- slabs ------------------------------------------------------------------------------ */

static void unlink_slab (struct slab *s)
{
	*(s->prev ? &s->prev->next : &pool.first[s->class_]) = s->next;
	*(s->next ? &s->next->prev : &pool.last[s->class_]) = s->prev;
	s->next = s->prev = NULL;
}

static void link_slab (struct slab *s, bool at_end)
{
	struct slab **first = &pool.first[s->class_], **last = &pool.last[s->class_];

	s->prev = at_end ? *last : NULL;
	s->next = at_end ? NULL : *first;
	*(s->prev ? &s->prev->next : first) = s;
	*(s->next ? &s->next->prev : last) = s;
}

static struct slab *get_record (void)
{
	struct slab *s = pool.records;

	if (!s) {
		struct chunk *c = goad__pages_get (sizeof *c);
		if (!c)
			return NULL;
		c->next = pool.chunks;
		pool.chunks = c;
		for (size_t i = 0; i < CHUNK_SLABS; i++) {
			c->slabs[i].next = pool.records;
			pool.records = &c->slabs[i];
		}
		s = pool.records;
	}
	pool.records = s->next;
	return s;
}

static void put_record (struct slab *s)
{
	s->base = NULL;
	s->next = pool.records;
	pool.records = s;
}

/* Called and left with the lock held, which it drops for the mapping; another thread
 * may add a slab meanwhile, and then there are two. */
static struct slab *add_slab (unsigned class_, int *err)
{
	size_t stride = goad__class_stride (class_);
	uint32_t slots = (uint32_t) goad__min64 (GOAD__SLAB_SIZE / stride, GOAD__SLAB_SLOTS);
	struct slab *s;
	char *base;

	if (slots == 0)
		slots = 1;
	goad__spin_unlock (&pool.lock);
	/* Short of address space, a small slab is better than none. */
	while (!(base = map (slots * stride, err)) && slots > 1)
		slots /= 2;
	if (!base)
		explain ("mmap", stride);
	goad__spin_lock (&pool.lock);
	if (!base)
		return NULL;
	s = get_record ();
	if (!s) {
		unmap (base, slots * stride);
		*err = -ENOMEM;
		return NULL;
	}
	*s = (struct slab){ .base = base, .class_ = class_, .slots = slots, .ncold = slots };
	s->spacing = choose_spacing (slots);
	s->nguards = pool.install ? 0 : (slots + s->spacing - 1) / s->spacing;
	s->shade = pool.shade;
	pool.shade += slots;
	pool.guards += s->nguards;
	atomic_fetch_add_explicit (&pool.reserved, slots * stride, memory_order_relaxed);
	for (uint32_t i = 0; i < slots; i++)
		s->cold[i / 64] |= UINT64_C (1) << i % 64;
	link_slab (s, false);
	pool.empty[class_] = s;
	return s;
}

/* Takes it out of the books; the mapping is the caller's. */
static void forget_slab (struct slab *s)
{
	pool.guards -= s->nguards;
	atomic_fetch_sub_explicit (&pool.reserved, s->slots * goad__class_stride (s->class_),
	                           memory_order_relaxed);
}

/* ---- slots ------------------------------------------------------------------------------ */

/* Under the lock.  Those that need a guard go to bare. */
static unsigned take_from (struct slab *s, unsigned want, struct slot *out, struct slot *bare,
                           unsigned *nbare)
{
	unsigned n = 0;

	if (pool.empty[s->class_] == s)
		pool.empty[s->class_] = NULL;
	for (uint32_t w = 0; w < (s->slots + 63) / 64 && n < want; w++)
		while (s->cold[w] && n < want) {
			uint64_t bit = s->cold[w] & -s->cold[w];
			struct slot slot = { s, w * 64 + (uint32_t) __builtin_ctzll (bit) };
			s->cold[w] ^= bit;
			if (!(s->guarded[w] & bit))
				bare[(*nbare)++] = slot;
			s->guarded[w] |= bit;
			out[n++] = slot;
		}
	s->ncold -= n;
	if (s->ncold == 0)
		unlink_slab (s);
	return n;
}

unsigned goad__slab_take (unsigned class_, unsigned want, struct slot *out, int *err)
{
	struct slot bare[GOAD__SLAB_TAKE];
	unsigned n = 0, nbare = 0;
	struct slab *s;

	goad__assert (want > 0 && want <= GOAD__SLAB_TAKE && class_ < GOAD__STACK_CLASSES);
	goad__spin_lock (&pool.lock);
	s = pool.first[class_] ? pool.first[class_] : add_slab (class_, err);
	if (s)
		n = take_from (s, want, out, bare, &nbare);
	goad__spin_unlock (&pool.lock);
	if (nbare == 0 || (*err = put_guards (bare, nbare)) == 0)
		return n;

	goad__spin_lock (&pool.lock);
	for (unsigned i = 0; i < nbare; i++)
		bare[i].slab->guarded[bare[i].index / 64] &= ~(UINT64_C (1) << bare[i].index % 64);
	goad__spin_unlock (&pool.lock);
	goad__slab_give (out, n);
	return 0;
}

/* Under the lock: the slab, if it is to be unmapped. */
static struct slab *give_one (struct slot slot)
{
	struct slab *s = slot.slab;

	goad__assert (!(s->cold[slot.index / 64] >> slot.index % 64 & 1));
	s->cold[slot.index / 64] |= UINT64_C (1) << slot.index % 64;
	if (s->ncold++ == 0)
		link_slab (s, false);
	if (s->ncold < s->slots)
		return NULL;
	unlink_slab (s);
	if (s->slots > 1 && !pool.empty[s->class_]) {
		/* Last, so that slabs that hold something anyway are filled up first. */
		pool.empty[s->class_] = s;
		link_slab (s, true);
		return NULL;
	}
	forget_slab (s);
	return s;
}

void goad__slab_give (const struct slot *slots, unsigned n)
{
	struct iovec iov[GOAD__SLAB_TAKE];
	struct slab *gone = NULL, *s;

	for (unsigned i = 0; i < n; i++) {
		iov[i].iov_base = goad__slot_lo (slots[i]);
		iov[i].iov_len = goad__class_size (slots[i].slab->class_);
#ifdef GOAD__ASAN
		__asan_unpoison_memory_region (iov[i].iov_base, iov[i].iov_len);
#endif
	}
	if (n)
		advise (iov, n, MADV_DONTNEED);
	goad__spin_lock (&pool.lock);
	for (unsigned i = 0; i < n; i++)
		if ((s = give_one (slots[i]))) {
			s->next = gone;
			gone = s;
		}
	goad__spin_unlock (&pool.lock);
	while ((s = gone)) {
		gone = s->next;
		unmap (s->base, s->slots * goad__class_stride (s->class_));
		goad__spin_lock (&pool.lock);
		put_record (s);
		goad__spin_unlock (&pool.lock);
	}
}

static void each_slab (void (*fn) (struct slab *s, void *arg), void *arg)
{
	goad__spin_lock (&pool.lock);
	for (struct chunk *c = pool.chunks; c; c = c->next)
		for (size_t i = 0; i < CHUNK_SLABS; i++)
			if (c->slabs[i].base)
				fn (&c->slabs[i], arg);
	goad__spin_unlock (&pool.lock);
}

static bool is_taken (const struct slab *s, uint32_t i)
{
	return s->base && i < s->slots && !(s->cold[i / 64] >> i % 64 & 1);
}

void goad__slab_hold (void)
{
	goad__spin_lock (&pool.lock);
}

void goad__slab_release (void)
{
	goad__spin_unlock (&pool.lock);
}

static void each_taken (struct slab *s, void *arg)
{
	void (**fn) (struct slot) = arg;

	for (uint32_t i = 0; i < s->slots; i++)
		if (is_taken (s, i))
			(*fn) ((struct slot){ s, i });
}

void goad__slab_each_taken (void (*fn) (struct slot s))
{
	each_slab (each_taken, &fn);
}

/* Whoever dies of a fault in here, or holds the lock for ever, must not stop a report. */
static bool lock_pool (bool patient)
{
	if (patient) {
		goad__spin_lock (&pool.lock);
		return true;
	}
	for (int i = 0; i < TRIES; i++) {
		if (goad__spin_trylock (&pool.lock))
			return true;
		goad__syscall3 (SYS_sched_yield, 0, 0, 0);
	}
	return false;
}

static void portion (struct slab_cursor *c, struct slab *s, void (*fn) (struct slot s, void *arg),
                     void *arg)
{
	uint32_t end = c->slot + PORTION;

	for (; c->slot < end; c->slot++)
		if (is_taken (s, c->slot))
			fn ((struct slot){ s, c->slot }, arg);
}

bool goad__slab_next_taken (struct slab_cursor *c, bool patient,
                            void (*fn) (struct slot s, void *arg), void *arg)
{
	struct chunk *k;

	if (c->ended || !lock_pool (patient))
		return false;
	k = c->chunk ? c->chunk : pool.chunks; /* newer ones come before */
	while (k && (c->slab == CHUNK_SLABS || c->slot >= k->slabs[c->slab].slots ||
	             !k->slabs[c->slab].base)) {
		c->slot = 0;
		if (c->slab < CHUNK_SLABS)
			c->slab++;
		if (c->slab == CHUNK_SLABS) {
			k = k->next;
			c->slab = 0;
		}
	}
	c->chunk = k;
	c->ended = !k;
	if (k)
		portion (c, &k->slabs[c->slab], fn, arg);
	goad__spin_unlock (&pool.lock);
	return k != NULL;
}

void goad__slab_if_taken (struct slot s, bool patient, void (*fn) (struct slot s, void *arg),
                          void *arg)
{
	if (!lock_pool (patient))
		return;
	if (is_taken (s.slab, s.index))
		fn (s, arg);
	goad__spin_unlock (&pool.lock);
}

struct slot goad__slab_slot_at (const void *addr, bool patient)
{
	struct slot found = { NULL, UINT32_MAX };

	if (!lock_pool (patient))
		return found;
	for (struct chunk *c = pool.chunks; c; c = c->next)
		for (size_t i = 0; i < CHUNK_SLABS; i++) {
			struct slab *s = &c->slabs[i];
			size_t at = (size_t) ((const char *) addr - s->base);
			size_t stride = s->base ? goad__class_stride (s->class_) : 1;
			if (s->base && at / stride < s->slots && is_taken (s, (uint32_t) (at / stride)))
				found = (struct slot){ s, (uint32_t) (at / stride) };
		}
	goad__spin_unlock (&pool.lock);
	return found;
}

/* ---- the whole ---------------------------------------------------------------------------- */

void goad__slab_init (void)
{
	probe_kernel ();
	pool.map_limit = read_number ("/proc/sys/vm/max_map_count", 65530);
	pool.guards = 0;
	pool.shade = 0;
	atomic_store (&pool.reserved, 0);
	atomic_store (&pool.sparse, false);
	atomic_store (&pool.explained, false);
}

static void drop_slab (struct slab *s, void *arg)
{
	(void) arg;
	unmap (s->base, s->slots * goad__class_stride (s->class_));
}

void goad__slab_fini (void)
{
	struct chunk *c;

	each_slab (drop_slab, NULL);
	while ((c = pool.chunks)) {
		pool.chunks = c->next;
		goad__pages_put (c, sizeof *c);
	}
	for (unsigned i = 0; i < GOAD__STACK_CLASSES; i++)
		pool.first[i] = pool.last[i] = pool.empty[i] = NULL;
	pool.records = NULL;
	atomic_store (&pool.reserved, 0);
}

size_t goad__slab_reserved (void)
{
	return atomic_load_explicit (&pool.reserved, memory_order_relaxed);
}

bool goad__slab_sparse (void)
{
	return atomic_load_explicit (&pool.sparse, memory_order_relaxed);
}
