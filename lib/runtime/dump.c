/* SPDX-License-Identifier: MIT */
#include "runtime/dump.h"

#include <string.h>

#include "base/clock.h"
#include "base/os.h"
#include "core/m.h"
#include "runtime/runtime.h"
#include "wait/chan.h"
#include "wait/sync.h"

#define WALK_TIME UINT64_C (5000000000) /* ns; who comes later is told without frames */

static uint32_t *chain (uint32_t *table, uint64_t key)
{
	return &table[(key * 0x9e3779b97f4a7c15u) >> 50];
}
_Static_assert(DUMP_HASH == 1 << (64 - 50), "the hash fits");

static enum dump_class class_of (const struct g *c)
{
	switch (goad__g_state (c)) {
	case G_RUNNING:
		return DUMP_RUNNING;
	case G_SYSCALL:
		return DUMP_BLOCKED;
	case G_WAITING:
		return DUMP_WAITING;
	case G_IDLE:
	case G_RUNNABLE:
	case G_DEAD:
		break;
	}
	return DUMP_RUNNABLE;
}

static const char *kind_of (const struct g *c)
{
	return goad__g_state (c) == G_WAITING ? c->wait_kind : NULL;
}

/* ---- groups --------------------------------------------------------------------------- */

static struct dump_group *new_group (struct dump_group *gr, enum dump_class class_,
                                     const char *kind)
{
	gr->first = gr->last = DUMP_NONE;
	gr->count = gr->told = 0;
	gr->id_min = gr->since_min = UINT64_MAX;
	gr->id_max = gr->since_max = 0;
	gr->class_ = class_;
	gr->kind = kind;
	gr->note = NULL;
	gr->n = 0;
	return gr;
}

static uint32_t group_without (enum dump_class class_)
{
	return DUMP_GROUPS + class_;
}

static uint64_t key_of (const struct dump *d, enum dump_class class_, const char *kind)
{
	uint64_t key = (uint64_t) class_ + (uintptr_t) kind + (uintptr_t) d->sight.note;

	for (int i = 0; i < d->where.n; i++)
		key = (key ^ d->where.pc[i]) * 0x100000001b3u;
	return key;
}

/* The group of those frames. */
static uint32_t group_of (struct dump *d)
{
	const struct goad__where *w = &d->where;
	enum dump_class class_ = class_of (&d->sight.c);
	const char *kind = kind_of (&d->sight.c);
	uint32_t *at = chain (d->group_hash, key_of (d, class_, kind));
	struct dump_group *gr;

	for (uint32_t i = *at; i != 0; i = gr->next_hash) {
		gr = &d->group[i - 1];
		if (gr->class_ == class_ && gr->kind == kind && gr->note == d->sight.note &&
		    gr->n == w->n && gr->exact == w->exact &&
		    memcmp (gr->pc, w->pc, (size_t) w->n * sizeof *w->pc) == 0)
			return i - 1;
	}
	if (d->groups == DUMP_GROUPS)
		return group_without (class_);
	gr = new_group (&d->group[d->groups], class_, kind);
	gr->note = d->sight.note;
	gr->n = w->n;
	gr->exact = w->exact;
	memcpy (gr->pc, w->pc, (size_t) w->n * sizeof *w->pc);
	gr->next_hash = *at;
	*at = ++d->groups;
	return d->groups - 1;
}

/* ---- shapes ---------------------------------------------------------------------------- */

static size_t depth_of (const struct goad__sight *s)
{
	return (size_t) ((const char *) s->g - (const char *) s->c.sp);
}

static uint64_t shape_key (const struct goad__sight *s, uintptr_t pc)
{
	return pc ^ (uint64_t) depth_of (s) << 40 ^ (uintptr_t) kind_of (&s->c) ^
	       (uint64_t) class_of (&s->c);
}

static bool fits (const struct dump *d, const struct dump_shape *sh, uintptr_t pc)
{
	const struct goad__sight *s = &d->sight;
	const struct dump_group *gr = &d->group[sh->group];

	if (sh->depth != depth_of (s) || sh->pc != pc || gr->kind != kind_of (&s->c) ||
	    gr->class_ != class_of (&s->c))
		return false;
	for (int i = 0; i < gr->n; i++)
		if (goad__sight_word ((uintptr_t) s->g - sh->below[i]) != gr->pc[i])
			return false;
	return true;
}

static uint32_t find_shape (struct dump *d, uintptr_t pc)
{
	const struct dump_shape *sh;

	for (uint32_t i = *chain (d->shape_hash, shape_key (&d->sight, pc)); i; i = sh->next_hash) {
		sh = &d->shape[i - 1];
		if (fits (d, sh, pc))
			return sh->group;
	}
	return DUMP_NONE;
}

/* What the walk of a coroutine from its saved context at pc has found. */
static void keep_shape (struct dump *d, uint32_t group, uintptr_t pc)
{
	const struct goad__where *w = &d->where;
	struct dump_shape *sh = &d->shape[d->shapes];
	uintptr_t g = (uintptr_t) d->sight.g;
	uint32_t *at;

	if (d->shapes == DUMP_SHAPES || group >= DUMP_GROUPS)
		return;
	for (int i = 0; i < w->n; i++) {
		if (w->slot[i] == 0 || w->slot[i] >= g || g - w->slot[i] > depth_of (&d->sight))
			return;
		sh->below[i] = (uint32_t) (g - w->slot[i]);
	}
	at = chain (d->shape_hash, shape_key (&d->sight, pc));
	sh->group = group;
	sh->pc = pc;
	sh->depth = (uint32_t) depth_of (&d->sight);
	sh->next_hash = *at;
	*at = ++d->shapes;
}

/* ---- one coroutine ----------------------------------------------------------------------- */

static void fill_entry (const struct goad__sight *s, struct dump_entry *e)
{
	const struct g *c = &s->c;
	uint64_t now = goad__now ();

	e->seen = now;
	e->id = c->id;
	e->class_ = (uint8_t) class_of (c);
	e->locked = c->locked > 0;
	e->handed = c->bound && c->place != AT_SP && e->class_ == DUMP_RUNNABLE;
	e->since = goad__sight_since (s);
	e->cpu = c->cpu;
	if (s->run_since && now > s->run_since)
		e->cpu += now - s->run_since;
	e->slices = c->slices;
	e->yielded = c->n_yielded;
	e->handed_off = c->n_handed;
	e->deferred = c->n_deferred;
	e->last = c->last;
	e->call = s->call;
	e->m = s->m;
	e->p = s->p;
	if (e->m < 0 && c->bound)
		e->m = c->bound->id;
	e->on = c->wait_on;
	e->size = s->hi - s->lo;
	e->used = goad__stack_used (s->lo, s->hi);
	e->depth = c->place == AT_SP && e->class_ >= DUMP_RUNNABLE ? depth_of (s) : 0;
	memcpy (e->name, c->name, sizeof e->name);
}

static void name_one (struct dump *d, struct dump_group *gr)
{
	uint32_t i = d->entries;

	if (gr->told == DUMP_LINES)
		return;
	if (i == DUMP_ENTRIES) {
		d->more_entries++;
		return;
	}
	d->entries++;
	gr->told++;
	d->entry[i].next = DUMP_NONE;
	if (gr->last == DUMP_NONE)
		gr->first = i;
	else
		d->entry[gr->last].next = i;
	gr->last = i;
	fill_entry (&d->sight, &d->entry[i]);
}

static void file (struct dump *d, uint32_t group)
{
	struct dump_group *gr = &d->group[group];
	uint64_t since = goad__sight_since (&d->sight);

	d->seen++;
	gr->count++;
	gr->id_min = goad__min64 (gr->id_min, d->sight.c.id);
	gr->id_max = goad__max64 (gr->id_max, d->sight.c.id);
	gr->since_min = goad__min64 (gr->since_min, since);
	gr->since_max = goad__max64 (gr->since_max, since);
	name_one (d, gr);
}

void goad__dump_file (struct dump *d)
{
	file (d, group_of (d));
}

/* The frame of the switch itself tells nothing: which one it is depends on who came next. */
static void leave_out_switch (struct goad__where *w)
{
	if (w->n < 2)
		return;
	w->n--;
	memmove (w->pc, w->pc + 1, (size_t) w->n * sizeof *w->pc);
	memmove (w->slot, w->slot + 1, (size_t) w->n * sizeof *w->slot);
}

/* By its shape, or else by a walk.  False: it ran meanwhile. */
static bool look_standing (struct dump *d, const struct goad__regs *regs, bool exact)
{
	bool saved = d->sight.c.place == AT_SP;
	uint32_t group = saved ? find_shape (d, regs->r[16]) : DUMP_NONE;

	if (group == DUMP_NONE) {
		if (goad__now () > d->deadline) {
			file (d, group_without (class_of (&d->sight.c)));
			return true;
		}
		d->walked++;
		goad__sight_walk (&d->sight, regs, exact, &d->where);
		if (!goad__sight_same (&d->sight))
			return false;
		if (saved)
			leave_out_switch (&d->where);
		group = group_of (d);
		if (saved)
			keep_shape (d, group, regs->r[16]);
	} else if (!goad__sight_same (&d->sight)) {
		return false;
	}
	file (d, group);
	return true;
}

bool goad__dump_look (struct dump *d, struct slot slot)
{
	struct goad__regs regs;
	bool exact = false;

	if (!goad__sight_read (&d->sight, goad__stack_room (goad__stack_of (slot))))
		return true;
	return goad__sight_regs (&d->sight, &regs, &exact) && look_standing (d, &regs, exact);
}

static void look (struct slot slot, void *arg)
{
	struct dump *d = arg;

	if (goad__dump_look (d, slot))
		return;
	if (d->pending == DUMP_PENDING) {
		d->more_pending++;
		return;
	}
	d->todo[d->pending++] = (struct dump_pending){ .slot = slot };
}

/* ---- who holds what they wait for ---------------------------------------------------------- */

static void note_holder (struct slot slot, void *arg)
{
	struct dump_entry *e = arg;
	const struct g *g = goad__stack_room (goad__stack_of (slot));
	struct goad__sight s;

	if ((uintptr_t) g != e->holder_thread || !goad__sight_read (&s, g))
		return;
	e->holder_id = s.c.id;
	memcpy (e->holder_name, s.c.name, sizeof e->holder_name);
}

static void look_at_chan (struct dump_entry *e)
{
	struct goad_chan copy;

	if (!goad__sight_peek (e->on, &copy, sizeof copy))
		return;
	e->len = atomic_load_explicit (&copy.len, memory_order_relaxed);
	e->cap = copy.cap;
}

static void look_at_select (struct dump_entry *e)
{
	struct select copy;
	goad_case_t c;

	if (!goad__sight_peek (e->on, &copy, sizeof copy))
		return;
	e->ncases = copy.n;
	for (size_t i = 0; i < copy.n && i < DUMP_CASES; i++)
		if (goad__sight_peek (&copy.cases[i], &c, sizeof c))
			e->cases[i] = (struct dump_case){ c.chan, c.op };
}

static void find_holder (struct dump *d, struct dump_entry *e, const char *kind)
{
	bool patient = d->how & DUMP_PATIENT;
	union {
		goad_mutex_t mutex;
		goad_rwlock_t rwlock;
	} copy;
	struct slot slot;

	if (strcmp (kind, "mutex") == 0) {
		if (!goad__sight_peek (e->on, &copy.mutex, sizeof copy.mutex))
			return;
		e->holder_thread = goad__mutex_owner (&copy.mutex);
	} else if (strcmp (kind, "read lock") == 0 || strcmp (kind, "write lock") == 0) {
		if (!goad__sight_peek (e->on, &copy.rwlock, sizeof copy.rwlock))
			return;
		e->holder_thread = goad__rwlock_owner (&copy.rwlock, &e->readers);
	} else if (strcmp (kind, "join") == 0) {
		e->holder_thread = (uintptr_t) e->on;
	} else if (strcmp (kind, "select") == 0) {
		look_at_select (e);
	} else if (strncmp (kind, "chan ", 5) == 0) {
		look_at_chan (e);
	}
	if (!e->holder_thread)
		return;
	slot = goad__slab_slot_at ((const void *) e->holder_thread, patient);
	if (slot.index != UINT32_MAX)
		goad__slab_if_taken (slot, patient, note_holder, e);
}

static void find_holders (struct dump *d)
{
	for (uint32_t i = 0; i < d->groups + DUMP_CLASSES; i++) {
		uint32_t index = i < d->groups ? i : DUMP_GROUPS + i - d->groups;
		const struct dump_group *gr = &d->group[index];

		for (uint32_t k = gr->first; gr->kind && k != DUMP_NONE; k = d->entry[k].next) {
			goad__pin ();
			find_holder (d, &d->entry[k], gr->kind);
			goad__unpin ();
		}
	}
}

/* ---- Ps and Ms ------------------------------------------------------------------------------ */

static uint64_t get (const _Atomic uint64_t *c)
{
	return atomic_load_explicit (c, memory_order_relaxed);
}

static void look_at_procs (struct dump *d)
{
	struct sched *s = &goad__sched;

	d->now = goad__now ();
	d->procs = (uint32_t) s->nprocs;
	for (uint32_t i = 0; i < d->procs; i++) {
		struct p *p = &s->p[i];
		const struct m *m = goad__p_m (p);

		d->proc[i] = (struct dump_proc){
			.id = p->id,
			.m = m ? m->id : -1,
			.state = atomic_load_explicit (&p->state, memory_order_relaxed),
			.queued = goad__runq_len (&p->runq),
			.running = get (&p->curg_id),
			.since = get (&p->slice_start),
			.switches = get (&p->n_switches),
			.yielded = get (&p->n_yielded),
			.handed = get (&p->n_handed),
			.deferred = get (&p->n_deferred),
			.next = atomic_load_explicit (&p->runnext, memory_order_relaxed) != NULL,
		};
	}
	d->global = atomic_load_explicit (&s->nglobal, memory_order_relaxed);
	d->preempted = atomic_load_explicit (&s->fairq.n, memory_order_relaxed);
	d->alive = goad__alive ();
}

/* What they point to may be gone by now: it is compared, or read as what it was. */
GOAD__FOREIGN static void look_at_thread (const struct m *m, struct dump_thread *t)
{
	const struct g *g = (const struct g *) goad__sight_word ((uintptr_t) &m->curg);
	const struct g *locked = (const struct g *) goad__sight_word ((uintptr_t) &m->locked_g);
	const struct p *p = (const struct p *) goad__sight_word ((uintptr_t) &m->p);
	uint32_t state = G_DEAD;

	*t = (struct dump_thread){ .id = m->id, .p = p ? p->id : -1, .spinning = m->spinning };
	t->tid = atomic_load_explicit (&m->tid, memory_order_relaxed);
	t->call.nr = -1;
	if (g && goad__sight_peek (&g->id, &t->g, sizeof t->g))
		goad__sight_peek (&g->state, &state, sizeof state);
	t->state = (enum g_state) state;
	if (locked)
		goad__sight_peek (&locked->id, &t->locked_g, sizeof t->locked_g);
	if (t->tid == 0)
		return;
	t->cpu = goad__watch_cpu (t->tid);
	if (t->tid != goad__gettid ()) /* else it is just reading that file */
		goad__watch_look (t->tid, &t->call);
}

/* Who may not wait for the lock tries; he may have it himself. */
static bool lock_sched (const struct dump *d)
{
	struct goad__spinlock *l = &goad__sched.lock;

	if (d->how & DUMP_PATIENT) {
		goad__spin_lock (l);
		return true;
	}
	for (int i = 0; i < 100; i++) {
		if (goad__spin_trylock (l))
			return true;
		goad__cpu_relax ();
	}
	return false;
}

/* The list of Ms only grows, at its front. */
GOAD__FOREIGN void goad__dump_threads (struct dump *d)
{
	bool locked;

	goad__pin ();
	locked = lock_sched (d);
	d->first_m = goad__sched.allm;
	if (locked)
		goad__spin_unlock (&goad__sched.lock);
	goad__unpin ();
}

static void look_at_threads (struct dump *d)
{
	goad__dump_threads (d);
	for (const struct m *m = d->first_m; m; m = m->all_next) {
		if (atomic_load_explicit (&m->tid, memory_order_relaxed) == 0)
			continue;
		if (d->threads == DUMP_THREADS)
			d->more_threads++;
		else
			look_at_thread (m, &d->thread[d->threads++]);
	}
}

/* ---- the whole -------------------------------------------------------------------------------- */

struct dump *goad__dump_take (unsigned how, const struct goad__where *self)
{
	struct dump *d = goad__pages_get (sizeof *d);
	struct slab_cursor cursor = { 0 };
	bool more = true;

	if (!d)
		return NULL;
	d->how = how;
	d->now = goad__now ();
	d->deadline = d->now + WALK_TIME;
	if (self) {
		d->self = *self;
		d->self_id = goad_id ();
	}
	for (enum dump_class c = 0; c < DUMP_CLASSES; c++)
		new_group (&d->group[group_without (c)], c, NULL)->note = "no frames";
	while (more) {
		goad__pin ();
		more = goad__slab_next_taken (&cursor, how & DUMP_PATIENT, look, d);
		goad__unpin ();
	}
	goad__dump_ask (d);
	find_holders (d);
	look_at_procs (d);
	look_at_threads (d);
	return d;
}

void goad__dump_drop (struct dump *d)
{
	if (!d)
		return;
	goad__backtrace_done (&d->namer);
	goad__pages_put (d, sizeof *d);
}

void goad__dump_all (int fd)
{
	struct dump *d = goad__dump_take (0, NULL);

	if (!d)
		goad__line_to (fd, "no memory for the dump of the coroutines");
	else
		goad__dump_tell (d, fd, "goad: ");
	goad__dump_drop (d);
}
