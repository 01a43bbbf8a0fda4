/* SPDX-License-Identifier: MIT */
#include "core/stack.h"

#include <errno.h>
#include <sys/mman.h>

#ifdef HAVE_VALGRIND
#include <valgrind/valgrind.h>
#endif

#include "base/fatal.h"
#include "base/lock.h"
#include "base/san.h"
#include "base/syscall.h"

#define SECOND UINT64_C (1000000000)

enum {
	CHUNK = 32,      /* stacks that go from old to hot at once              */
	FRESH = 32,      /* cold slots made into stacks at once, at most        */
	PROBE = 1024,    /* puts between two looks at how deep a stack is       */
	PROBE_FROM = 64, /* KiB below hi: where a deep stack has touched pages, */
	PROBE_TO = 32,   /* and a shallow one has not                           */
	PROBE_KEEP = 16  /* KiB of a deep one that stay                         */
};

_Static_assert(sizeof (struct stack) == 64, "a line");
_Static_assert(GOAD__PAGE - (GOAD__STACK_COLOURS - 1) * 64 - sizeof (struct stack) - GOAD__G_ROOM >=
                   1536,
               "room for frames in the top page");

/* Lists of lists, by age. */
struct shelf {
	struct stack *fresh, *aged, *dying;
};

static struct {
	struct goad__spinlock lock;
	struct shelf shelf[GOAD__STACK_CLASSES];
	size_t cached;         /* stacks in the shelves and in victims */
	uint64_t turned;       /* when the epoch began                 */
	struct stack *victims; /* trim's alone                         */
} depot = { .lock = GOAD__SPINLOCK_INIT (GOAD__RANK_STACK) };

_Atomic uint32_t goad__stack_epoch;

/* ---- one stack -------------------------------------------------------------------------- */

struct stack *goad__stack_of (struct slot slot)
{
	char *hi = goad__slot_lo (slot) + goad__class_size (slot.slab->class_);
	uint32_t colour = (slot.index + slot.slab->shade) % GOAD__STACK_COLOURS;

	return (struct stack *) (hi - colour * 64) - 1;
}

/* Its first touch: this faults the top page in. */
static struct stack *make_stack (struct slot slot)
{
	struct stack *s = goad__stack_of (slot);

	goad__san_clean (goad__slot_lo (slot), goad__class_size (slot.slab->class_));
	s->lo = goad__slot_lo (slot);
	s->hi = s->lo + goad__class_size (slot.slab->class_);
	s->slab = slot.slab;
	s->index = slot.index;
	s->class_ = (uint16_t) slot.slab->class_;
	s->colour = (uint16_t) ((slot.index + slot.slab->shade) % GOAD__STACK_COLOURS);
	s->canary = goad__stack_canary (s);
#ifdef HAVE_VALGRIND
	if (RUNNING_ON_VALGRIND)
		s->valgrind = (uint32_t) VALGRIND_STACK_REGISTER (s->lo, s->hi);
#endif
	return s;
}

static struct slot unmake_stack (struct stack *s)
{
	if (unlikely (!goad__stack_intact (s)))
		goad__stack_smashed (s);
#ifdef HAVE_VALGRIND
	if (RUNNING_ON_VALGRIND)
		VALGRIND_STACK_DEREGISTER (s->valgrind);
#endif
	return (struct slot){ s->slab, s->index };
}

_Noreturn void goad__stack_smashed (const struct stack *s)
{
	if (goad__slab_sparse ())
		goad__fatal ("stack overflow into the stack below, which ends at %p: its owner has no "
		             "guard page, because vm.max_map_count was met",
		             (const void *) goad__round_up ((uintptr_t) (s + 1), GOAD__PAGE));
	goad__fatal ("the bookkeeping of a stack, at %p, was overwritten", (const void *) s);
}

static bool is_touched (const char *from, const char *to)
{
	unsigned char vec[PROBE_FROM / 4];

	if (goad__syscall3 (SYS_mincore, (long) from, to - from, (long) vec) != 0)
		return false;
	for (long i = 0; i < (to - from) / (long) GOAD__PAGE; i++)
		if (vec[i] & 1)
			return true;
	return false;
}

/* Stacks that are used again and again never become cold, so one that once went deep
 * would keep it all for ever.  Now and then one is looked at. */
static void shed_depth (struct stack *s)
{
	if (s->hi - s->lo < 2 * PROBE_FROM * 1024 ||
	    !is_touched (s->hi - PROBE_FROM * 1024, s->hi - PROBE_TO * 1024))
		return;
	goad__syscall3 (SYS_madvise, (long) s->lo, s->hi - PROBE_KEEP * 1024 - s->lo, MADV_DONTNEED);
}

size_t goad__stack_used (uintptr_t lo, uintptr_t hi)
{
	unsigned char vec[256];

	for (uintptr_t at = lo; at < hi; at += sizeof vec * GOAD__PAGE) {
		size_t pages = goad__min64 ((hi - at) / GOAD__PAGE, sizeof vec);
		if (goad__syscall3 (SYS_mincore, (long) at, (long) (pages * GOAD__PAGE), (long) vec))
			break;
		for (size_t i = 0; i < pages; i++)
			if (vec[i] & 1)
				return hi - at - i * GOAD__PAGE;
	}
	return GOAD__PAGE;
}

/* ---- the depot: all under its lock ------------------------------------------------------ */

static void shelve (struct shelf *sh, struct stack *list, uint32_t n)
{
	list->batch = sh->fresh;
	list->count = n;
	sh->fresh = list;
	depot.cached += n;
}

static struct stack **youngest (struct shelf *sh)
{
	return sh->fresh ? &sh->fresh : sh->aged ? &sh->aged : &sh->dying;
}

/* A whole list, or NULL; list->count says how many. */
static struct stack *unshelve (struct shelf *sh)
{
	struct stack **at = youngest (sh), *list = *at;

	if (list) {
		*at = list->batch;
		depot.cached -= list->count;
	}
	return list;
}

/* One at a time, for threads without a P: onto the youngest list, and from it. */
static void shelve_one (struct shelf *sh, struct stack *s)
{
	struct stack *top = sh->fresh;

	s->next = NULL;
	if (!top || top->count >= GOAD__STACK_HOT) {
		shelve (sh, s, 1);
		return;
	}
	s->next = top;
	s->batch = top->batch;
	s->count = top->count + 1;
	sh->fresh = s;
	depot.cached++;
}

static struct stack *unshelve_one (struct shelf *sh)
{
	struct stack **at = youngest (sh), *s = *at, *next;

	if (!s)
		return NULL;
	next = s->next;
	if (next) {
		next->batch = s->batch;
		next->count = s->count - 1;
	}
	*at = next ? next : s->batch;
	depot.cached--;
	return s;
}

/* ---- get ---------------------------------------------------------------------------------- */

/* Makes cold slots into stacks, as a list; more at a time the more were wanted lately,
 * since guards are cheaper by the dozen. */
static struct stack *get_cold (unsigned class_, uint32_t want, uint32_t *n, int *err)
{
	struct slot slots[FRESH];
	struct stack *list = NULL;

	*n = goad__slab_take (class_, want, slots, err);
	for (uint32_t i = *n; i-- > 0;) {
		struct stack *s = make_stack (slots[i]);
		s->next = list;
		list = s;
	}
	return list;
}

static struct stack *get_alone (unsigned class_, int *err)
{
	struct stack *s;
	uint32_t n;

	goad__spin_lock (&depot.lock);
	s = unshelve_one (&depot.shelf[class_]);
	goad__spin_unlock (&depot.lock);
	return s ? s : get_cold (class_, 1, &n, err);
}

/* Moves the first few of old to hot: all of old would never grow old. */
static void refill_from_old (struct stack_bin *b)
{
	struct stack *s = b->old;
	uint32_t n = 1, nold = goad__stack_count (&b->nold);

	b->hot = s;
	for (; n < CHUNK && s->next; n++)
		s = s->next;
	b->old = s->next;
	s->next = NULL;
	goad__stack_count_set (&b->nhot, n);
	goad__stack_count_set (&b->nold, nold - n);
}

static void refill_from_depot (struct stack_cache *cache, unsigned class_, int *err)
{
	struct stack_bin *b = &cache->bin[class_];
	struct stack *list;
	uint32_t n = 0;

	goad__spin_lock (&depot.lock);
	list = unshelve (&depot.shelf[class_]);
	goad__spin_unlock (&depot.lock);
	if (list) {
		n = list->count;
	} else {
		uint32_t want = cache->fresh ? cache->fresh : 1;
		list = get_cold (class_, want, &n, err);
		if (want < FRESH)
			cache->fresh = want * 2;
	}
	b->hot = list;
	goad__stack_count_set (&b->nhot, n);
}

struct stack *goad__stack_get_slow (struct stack_cache *cache, unsigned class_, int *err)
{
	struct stack_bin *b;
	struct stack *s;

	if (class_ >= GOAD__STACK_CLASSES) {
		*err = -EINVAL;
		return NULL;
	}
	if (!cache)
		return get_alone (class_, err);
	b = &cache->bin[class_];
	if (b->old)
		refill_from_old (b);
	else
		refill_from_depot (cache, class_, err);
	s = b->hot;
	if (s) {
		b->hot = s->next;
		goad__stack_count_set (&b->nhot, goad__stack_count (&b->nhot) - 1);
	}
	return s;
}

/* ---- put ---------------------------------------------------------------------------------- */

/* What nobody wanted goes to the depot, hot becomes old. */
static void age_bin (struct stack_bin *b, unsigned class_)
{
	if (b->old) {
		goad__spin_lock (&depot.lock);
		shelve (&depot.shelf[class_], b->old, goad__stack_count (&b->nold));
		goad__spin_unlock (&depot.lock);
	}
	b->old = b->hot;
	goad__stack_count_set (&b->nold, goad__stack_count (&b->nhot));
	b->hot = NULL;
	goad__stack_count_set (&b->nhot, 0);
}

static void age_cache (struct stack_cache *cache)
{
	for (unsigned i = 0; i < GOAD__STACK_CLASSES; i++)
		age_bin (&cache->bin[i], i);
	cache->fresh = 1;
}

void goad__stack_put_slow (struct stack_cache *cache, struct stack *s)
{
	uint32_t epoch = atomic_load_explicit (&goad__stack_epoch, memory_order_relaxed);
	struct stack_bin *b;
	uint32_t n;

	if (!cache) {
		goad__spin_lock (&depot.lock);
		shelve_one (&depot.shelf[s->class_], s);
		goad__spin_unlock (&depot.lock);
		return;
	}
	if (cache->puts % PROBE == 0 || cache->epoch != epoch)
		shed_depth (s);
	if (cache->epoch != epoch) {
		cache->epoch = epoch;
		age_cache (cache);
	}
	b = &cache->bin[s->class_];
	n = goad__stack_count (&b->nhot);
	if (n >= GOAD__STACK_HOT) {
		age_bin (b, s->class_);
		n = 0;
	}
	s->next = b->hot;
	b->hot = s;
	goad__stack_count_set (&b->nhot, n + 1);
}

void goad__stack_cache_flush (struct stack_cache *cache)
{
	age_cache (cache);
	age_cache (cache);
}

/* ---- giving back ---------------------------------------------------------------------------- */

static void turn_shelf (struct shelf *sh)
{
	if (sh->dying) /* trim is behind: let it finish first */
		return;
	sh->dying = sh->aged;
	sh->aged = sh->fresh;
	sh->fresh = NULL;
}

/* Victims are out of everybody's reach, so one list at a time. */
static void choose_victims (uint64_t now)
{
	goad__spin_lock (&depot.lock);
	if (depot.turned == 0)
		depot.turned = now;
	if (now >= depot.turned + SECOND) {
		depot.turned = now;
		atomic_fetch_add_explicit (&goad__stack_epoch, 1, memory_order_relaxed);
		for (unsigned i = 0; i < GOAD__STACK_CLASSES; i++)
			turn_shelf (&depot.shelf[i]);
	}
	for (unsigned i = 0; i < GOAD__STACK_CLASSES && !depot.victims; i++)
		if ((depot.victims = depot.shelf[i].dying))
			depot.shelf[i].dying = depot.victims->batch;
	goad__spin_unlock (&depot.lock);
}

size_t goad__stack_trim (uint64_t now_ns)
{
	struct slot slots[GOAD__SLAB_TAKE];
	unsigned n = 0;

	choose_victims (now_ns);
	while (n < GOAD__SLAB_TAKE && depot.victims) {
		struct stack *s = depot.victims;
		depot.victims = s->next;
		slots[n++] = unmake_stack (s);
	}
	if (n == 0)
		return 0;
	goad__slab_give (slots, n);
	goad__spin_lock (&depot.lock);
	depot.cached -= n;
	goad__spin_unlock (&depot.lock);
	return n * GOAD__PAGE;
}

uint64_t goad__stack_trim_due (uint64_t now_ns)
{
	uint64_t due;

	goad__spin_lock (&depot.lock);
	due = depot.cached == 0 ? UINT64_MAX : goad__max64 (depot.turned + SECOND, now_ns);
	if (depot.victims)
		due = now_ns;
	for (unsigned i = 0; i < GOAD__STACK_CLASSES; i++)
		if (depot.shelf[i].dying)
			due = now_ns;
	goad__spin_unlock (&depot.lock);
	return due;
}

void goad__stack_totals (size_t *cached, size_t *reserved_bytes)
{
	goad__spin_lock (&depot.lock);
	*cached = depot.cached;
	goad__spin_unlock (&depot.lock);
	*reserved_bytes = goad__slab_reserved ();
}

/* ---- the whole ------------------------------------------------------------------------------ */

int goad__stack_init (void)
{
	goad__slab_init ();
	return 0;
}

#ifdef HAVE_VALGRIND
static void forget_slot (struct slot slot)
{
	VALGRIND_STACK_DEREGISTER (goad__stack_of (slot)->valgrind);
}
#endif

void goad__stack_fini (void)
{
#ifdef HAVE_VALGRIND
	if (RUNNING_ON_VALGRIND)
		goad__slab_each_taken (forget_slot);
#endif
	for (unsigned i = 0; i < GOAD__STACK_CLASSES; i++)
		depot.shelf[i] = (struct shelf){ NULL, NULL, NULL };
	depot.cached = 0;
	depot.turned = 0;
	depot.victims = NULL;
	goad__slab_fini ();
}
