/* SPDX-License-Identifier: MIT */
/* walk.c - from frame to frame of a stopped coroutine
 *
 * libunwind interprets the tables; this file gives it an address space of its own,
 * whose accessors find the tables through ours and read the coroutine's stack and the
 * readable segments of the frame's object, nothing else.  Its own caches are off: one
 * is behind a lock, the other keeps what dlclose has made untrue.  Instead its
 * description of a frame's registers (what unw_reg_states_iterate tells) is kept here,
 * by PC and generation of the object, and applied with unw_apply_reg_state.
 *
 * Describing a frame anew takes libunwind's pool lock for an instant, with all signals
 * masked by libunwind, so that nobody is preempted while holding it.  Its step
 * function is not used: where the tables are silent it guesses.
 */
#include "preempt/walk.h"

#include <elf.h>
#include <errno.h>
#include <libunwind.h>
#include <string.h>

#include "base/san.h"
#include "preempt/cell.h"

#define LOG_CELLS 10
#define KEY_WORDS 6

/* Exported by libunwind for perf and its like, but in no header. */
extern int UNW_OBJ (dwarf_search_unwind_table) (unw_addr_space_t as, unw_word_t ip,
                                                unw_dyn_info_t *di, unw_proc_info_t *pi, int need,
                                                void *arg);

_Static_assert(sizeof (unw_cursor_t) <= GOAD__CURSOR * sizeof (uint64_t), "cursor too small");

static unw_addr_space_t space;

/* count, then: at, generation, start, end, flags, words of the rule, the rule */
static _Atomic uint64_t cells[1 << LOG_CELLS][1 + KEY_WORDS + GOAD__RULE];

static unw_cursor_t *cursor_of (struct goad__walk *w)
{
	return (unw_cursor_t *) (void *) w->cursor;
}

static int find_proc_info (unw_addr_space_t as, unw_word_t ip, unw_proc_info_t *pi, int need,
                           void *arg)
{
	struct goad__walk *w = arg;
	const struct goad__object *o = w->object;
	unw_dyn_info_t di;

	if (!o || ip < o->base || ip >= o->end || !o->eh.hdr)
		return -UNW_ENOINFO;
	memset (&di, 0, sizeof di);
	di.format = UNW_INFO_FORMAT_REMOTE_TABLE;
	di.start_ip = o->base;
	di.end_ip = o->end;
	di.u.rti.segbase = o->eh.hdr;
	di.u.rti.table_data = o->eh.table;
	di.u.rti.table_len = o->eh.count * 8 / sizeof (unw_word_t);
	return UNW_OBJ (dwarf_search_unwind_table) (as, ip, &di, pi, need, arg);
}

static void put_unwind_info (unw_addr_space_t as, unw_proc_info_t *pi, void *arg)
{
	(void) as, (void) pi, (void) arg;
}

static int get_dyn_info_list_addr (unw_addr_space_t as, unw_word_t *addr, void *arg)
{
	(void) as, (void) addr, (void) arg;
	return -UNW_ENOINFO;
}

GOAD__FOREIGN static uint64_t load_word (uintptr_t addr)
{
	return *(const volatile uint64_t *) addr;
}

static int access_mem (unw_addr_space_t as, unw_word_t addr, unw_word_t *val, int write, void *arg)
{
	struct goad__walk *w = arg;

	(void) as;
	if (write)
		return -UNW_EREADONLYREG;
	if (addr >= w->lo && addr < w->hi && w->hi - addr >= 8) {
		*val = load_word (addr);
		return 0;
	}
	if (w->object && goad__modules_read ((void *) w->object, addr, val, 8))
		return 0;
	return -UNW_EINVAL;
}

static int access_reg (unw_addr_space_t as, unw_regnum_t reg, unw_word_t *val, int write, void *arg)
{
	struct goad__walk *w = arg;

	(void) as;
	if (write || reg < 0 || reg > 16)
		return -UNW_EBADREG;
	*val = w->regs[reg];
	return 0;
}

static int access_fpreg (unw_addr_space_t as, unw_regnum_t reg, unw_fpreg_t *val, int write,
                         void *arg)
{
	(void) as, (void) reg, (void) val, (void) write, (void) arg;
	return -UNW_EBADREG;
}

static int resume (unw_addr_space_t as, unw_cursor_t *c, void *arg)
{
	(void) as, (void) c, (void) arg;
	return -UNW_EINVAL;
}

static int get_proc_name (unw_addr_space_t as, unw_word_t ip, char *buf, size_t len,
                          unw_word_t *offset, void *arg)
{
	(void) as, (void) ip, (void) buf, (void) len, (void) offset, (void) arg;
	return -UNW_ENOINFO;
}

static unw_accessors_t accessors = {
	find_proc_info, put_unwind_info, get_dyn_info_list_addr, access_mem, access_reg,
	access_fpreg,   resume,          get_proc_name,
};

int goad__walk_init (void)
{
	struct goad__regs none = { { 0 } };
	struct goad__walk w;

	space = unw_create_addr_space (&accessors, 0);
	if (!space)
		return -ENOMEM;
	unw_set_caching_policy (space, UNW_CACHE_NONE);
	/* The first cursor makes libunwind set itself up, here rather than in a walk. */
	goad__walk_begin (&w, &none, 0, 0, NULL);
	return 0;
}

void goad__walk_fini (void)
{
	if (space)
		unw_destroy_addr_space (space);
	space = NULL;
}

void goad__walk_begin (struct goad__walk *w, const struct goad__regs *regs, uintptr_t lo,
                       uintptr_t hi, const struct goad__table *t)
{
	uintptr_t sp = regs->r[7];

	w->regs = regs->r;
	w->table = t;
	w->object = NULL;
	w->exact = true;
	w->pc = regs->r[16];
	w->cfa = sp;
	/* Nothing below the red zone is the coroutine's. */
	w->lo = sp < lo || sp > hi ? hi : sp - lo < 128 ? lo : sp - 128;
	w->hi = hi;
	unw_init_remote (cursor_of (w), space, w);
}

struct pick {
	uintptr_t at;
	struct goad__visit *f;
	bool found;
};

static int pick_rule (void *token, void *data, size_t size, unw_word_t start, unw_word_t end)
{
	struct pick *p = token;

	if (p->at < start || p->at >= end || size > sizeof p->f->rule || size % 8 != 0)
		return 0;
	memcpy (p->f->rule, data, size);
	p->f->rule_words = size / 8;
	p->found = true;
	return 0;
}

/* E8 and four bytes, or FF /2 of two to seven bytes, perhaps with a REX prefix. */
static bool after_call (const struct goad__object *o, uintptr_t pc)
{
	unsigned char b[7];

	if (!goad__modules_read ((void *) o, pc - sizeof b, b, sizeof b))
		return false;
	if (b[2] == 0xe8)
		return true;
	for (int i = 0; i < 6; i++) {
		unsigned mod = b[i + 1] >> 6, rm = b[i + 1] & 7, size = 2;

		if (b[i] != 0xff || (b[i + 1] & 0x38) != 0x10)
			continue;
		if (mod != 3 && rm == 4 && i + 2 < 7)
			size += 1 + (mod == 0 && (b[i + 2] & 7) == 5 ? 4u : 0u);
		size += mod == 1 ? 1u : mod == 2 || (mod == 0 && rm == 5) ? 4u : 0u;
		if ((unsigned) i + size == 7)
			return true;
	}
	return false;
}

/* Asks libunwind, with a cursor that stands at the frame's code and nowhere else. */
static bool describe (const struct goad__object *o, struct goad__visit *f)
{
	struct goad__reader r = { goad__modules_read, (void *) o };
	struct goad__fde fde;
	struct goad__walk there;
	struct goad__regs regs = { { 0 } };
	struct pick p = { f->at, f, false };

	if (!goad__frames_find (&o->eh, &r, f->at, &fde))
		return false;
	f->start = fde.start, f->end = fde.end;
	f->signal_frame = fde.signal_frame;
	f->called = after_call (o, f->pc);
	regs.r[16] = f->at;
	goad__walk_begin (&there, &regs, 0, 0, NULL);
	there.object = o;
	if (unw_reg_states_iterate (cursor_of (&there), pick_rule, &p) < 0)
		return false;
	return p.found;
}

/* Only exact PCs of newest frames and return addresses are asked for, and one address
 * may be both: the key tells them apart in its lowest bits' stead by what is added. */
static uint64_t key_of (const struct goad__visit *f)
{
	return (uint64_t) f->at << 1 | (f->at != f->pc);
}

static void recall (const struct goad__object *o, struct goad__visit *f)
{
	uint64_t key = key_of (f), w[KEY_WORDS + GOAD__RULE];
	_Atomic uint64_t *cell = cells[goad__cell_hash (key, LOG_CELLS)];
	unsigned rule = (unsigned) atomic_load_explicit (&cell[6], memory_order_relaxed);

	if (rule > 0 && rule <= GOAD__RULE && goad__cell_read (cell, w, KEY_WORDS + rule) &&
	    w[0] == key && w[1] == o->gen && w[5] == rule) {
		f->start = w[2], f->end = w[3];
		f->signal_frame = w[4] & 1;
		f->called = (w[4] & 2) != 0;
		f->rule_words = rule;
		memcpy (f->rule, w + KEY_WORDS, rule * 8);
		f->described = true;
		return;
	}
	if (!describe (o, f))
		return;
	f->described = true;
	w[0] = key, w[1] = o->gen, w[2] = f->start, w[3] = f->end;
	w[4] = (f->signal_frame ? 1u : 0u) | (f->called ? 2u : 0u);
	w[5] = f->rule_words;
	memcpy (w + KEY_WORDS, f->rule, f->rule_words * 8);
	goad__cell_write (cell, w, KEY_WORDS + (unsigned) f->rule_words);
}

void goad__walk_look (struct goad__walk *w, struct goad__visit *f)
{
	f->pc = w->pc;
	f->at = w->exact ? w->pc : w->pc - 1;
	f->described = false;
	goad__modules_find (w->table, f->at, w->object, &f->place);
	w->object = f->place.object;
}

void goad__walk_describe (const struct goad__walk *w, struct goad__visit *f)
{
	if (w->object)
		recall (w->object, f);
}

int goad__walk_next (struct goad__walk *w, const struct goad__visit *f)
{
	uint64_t rule[GOAD__RULE];
	unw_word_t pc, sp;

	if (!f->described)
		return -UNW_ENOINFO;
	memcpy (rule, f->rule, f->rule_words * 8); /* the interface wants it writable */
	if (unw_apply_reg_state (cursor_of (w), rule) < 0 ||
	    unw_get_reg (cursor_of (w), UNW_REG_IP, &pc) < 0)
		return -UNW_EBADFRAME;
	if (pc == 0)
		return 0;
	if (unw_get_reg (cursor_of (w), UNW_REG_SP, &sp) < 0 || sp <= w->cfa || sp > w->hi)
		return -UNW_EBADFRAME;
	w->pc = pc;
	w->cfa = sp;
	w->exact = f->signal_frame;
	return 1;
}
