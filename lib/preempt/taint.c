/* SPDX-License-Identifier: MIT */
/* taint.c - the functions of an object that handle per-thread addresses
 *
 * Code can name the slot of __errno_location (a call or jump through the GOT, or a
 * load of it, hoisted out of a loop and called through a register), or a stub of the
 * PLT that jumps through the slot, or a small function of its own that does nothing
 * but hand the address on (one that other objects can call makes the whole object
 * bound).  All of these are a displacement of four bytes somewhere in the text, with
 * an opcode or ModRM byte before.  So whatever looks like one is taken for one, and
 * the few that lead to a mark are sites: what is found too much is bound without
 * need, and nothing is missed for want of knowing the instruction.
 *
 * The slots that hold the offset of another object's thread-local (errno in libm) are
 * marks too, but an offset is the same on all threads: a function that only uses it
 * in the FS segment keeps no address, and is found by decode.c when it is on the
 * stack.  One that reads the thread pointer as well may keep or hand on the sum.
 *
 * From each function with a site the address may flow on by a direct jump, with the
 * frame gone or shared: to the part of the function that the compiler has put aside
 * as cold, back from there, or to a tail call's target with the address as argument.
 * The jumps are followed, except where a tail call reaches an ordinary function
 * (see is_entry): an address as argument of a tail call would have to be that of
 * errno itself, and following all of them makes half of Lua bound.
 */
#include "preempt/taint.h"

#include <elf.h>
#include <string.h>

#include "base/os.h"
#include "preempt/decode.h"
#include "preempt/peek.h"

#define TEXT_MAX ((size_t) 256 << 20)
#define RANGES 8192
#define TARGETS 1024
#define HANDS_ON 32 /* bytes: a function not longer than this may only hand an address on */

struct range {
	uintptr_t lo, hi;
	const char *why;
	uint32_t effects; /* 1 << enum goad__effect */
	bool followed;
};

struct work {
	const struct goad__elf *e;
	const struct goad__eh *eh;
	struct goad__reader reader;
	const struct goad__load *load; /* the segment whose copy is in text */
	unsigned char *text;
	uint32_t ranges, targets;
	bool full, exported;
	struct range range[RANGES];
	struct goad__mark target[TARGETS]; /* sorted by address */
	struct goad__peek_pages pages;
};

void goad__marks_add (struct goad__marks *m, uintptr_t at, enum goad__effect effect,
                      const char *why)
{
	if (m->count < GOAD__MARKS)
		m->mark[m->count] = (struct goad__mark){ at, effect, why };
	if (m->count <= GOAD__MARKS)
		m->count++;
}

static void add_target (struct work *w, uintptr_t at, enum goad__effect effect, const char *why)
{
	uint32_t i = w->targets;

	for (uint32_t k = 0; k < w->targets; k++)
		if (w->target[k].at == at && w->target[k].effect == effect)
			return;
	if (i == TARGETS) {
		w->full = true;
		return;
	}
	for (; i > 0 && w->target[i - 1].at > at; i--)
		w->target[i] = w->target[i - 1];
	w->target[i] = (struct goad__mark){ at, effect, why };
	w->targets++;
}

/* Whether it is a new one. */
static bool add_range (struct work *w, const struct goad__fde *f, uint32_t effects, const char *why)
{
	uint32_t lo = 0, hi = w->ranges;

	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;

		if (w->range[mid].lo < f->start)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo < w->ranges && w->range[lo].lo == f->start) {
		w->range[lo].effects |= effects;
		return false;
	}
	if (w->ranges == RANGES) {
		w->full = true;
		return false;
	}
	memmove (&w->range[lo + 1], &w->range[lo], (w->ranges - lo) * sizeof w->range[0]);
	w->range[lo] = (struct range){ f->start, f->end, why, effects, false };
	w->ranges++;
	return true;
}

static const struct goad__mark *target_at (const struct work *w, uintptr_t at)
{
	uint32_t lo = 0, hi = w->targets;

	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;

		if (w->target[mid].at < at)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < w->targets && w->target[lo].at == at ? &w->target[lo] : NULL;
}

static const unsigned char *text_of (const struct work *w, uintptr_t lo, uintptr_t hi)
{
	return lo >= w->load->lo && hi <= w->load->hi ? w->text + (lo - w->load->lo) : NULL;
}

/* A stub of the PLT around the displacement at address at, jmp *slot(%rip) or mov
 * slot(%rip), %r11: it starts there, at a bnd prefix or endbr64 before, or both. */
static void add_stub (struct work *next, const struct work *w, uintptr_t at,
                      const struct goad__mark *m)
{
	static const unsigned char back[] = { 0, 1, 4, 5 };
	const unsigned char *p = at - 3 >= w->load->lo ? w->text + (at - w->load->lo) : NULL;
	uintptr_t start;

	if (p && p[-2] == 0xff && p[-1] == 0x25)
		start = at - 2;
	else if (p && p[-3] == 0x4c && p[-2] == 0x8b && p[-1] == 0x1d)
		start = at - 3;
	else
		return;
	for (size_t i = 0; i < sizeof back; i++)
		add_target (next, start - back[i], m->effect, m->why);
}

/* An FS prefix, and close behind it a displacement of zero without a register. */
static bool reads_thread_pointer (const struct work *w, const struct goad__fde *f)
{
	static const unsigned char zero[5] = { 0x25, 0, 0, 0, 0 };
	const unsigned char *text = text_of (w, f->start, f->end);
	size_t len = f->end - f->start;

	for (size_t i = 0; text && i < len; i++)
		for (size_t k = 2; k < 6 && text[i] == 0x64 && i + k + sizeof zero <= len; k++)
			if (memcmp (text + i + k, zero, sizeof zero) == 0)
				return true;
	return text == NULL;
}

/* A site of the mark, whose displacement is at address at.  What the next search must
 * look for goes to next, whose ranges are the functions that may hand an address on. */
static void add_site (struct work *w, uintptr_t at, const struct goad__mark *m, struct work *next,
                      bool slots)
{
	struct goad__fde f;

	if (slots && m->effect != GOAD__EFFECT_OFFSET)
		add_stub (next, w, at, m);
	if (!goad__frames_find (w->eh, &w->reader, at, &f))
		return; /* a frame there cannot be walked either */
	if (m->effect == GOAD__EFFECT_OFFSET && !reads_thread_pointer (w, &f))
		return;
	add_range (w, &f, 1u << m->effect, m->why);
	if (f.end - f.start <= HANDS_ON && add_range (next, &f, 1u << m->effect, m->why))
		add_target (next, f.start, m->effect, m->why);
}

/* Whether the four bytes at p can be the displacement of a call or jump, or of an
 * operand relative to RIP: that follows its ModRM byte at once. */
static bool is_displacement (const unsigned char *p)
{
	return (p[-1] & 0xfe) == 0xe8 || (p[-1] & 0xc7) == 0x05 ||
	       ((p[-1] & 0xf0) == 0x80 && p[-2] == 0x0f);
}

/* All sites in the text of the marks among the first n targets. */
static void find_sites (struct work *w, struct work *next, bool slots)
{
	size_t size = w->load->hi - w->load->lo;
	uintptr_t first = w->target[0].at, span = w->target[w->targets - 1].at - first;
	bool low = w->e->end < UINT32_MAX; /* absolute addresses fit in four bytes too */

	for (size_t i = 2; i + 4 <= size; i++) {
		const struct goad__mark *m = NULL;
		uintptr_t at = w->load->lo + i, to;
		int32_t d;

		memcpy (&d, w->text + i, 4);
		to = at + 4 + (uintptr_t) (intptr_t) d;
		if (unlikely (to - first <= span) && is_displacement (w->text + i))
			m = target_at (w, to);
		if (unlikely (low && (uint32_t) d - first <= span) && !m)
			m = target_at (w, (uint32_t) d);
		if (unlikely (m != NULL))
			add_site (w, at, m, next, slots);
	}
}

/* Whether an ordinary function starts here: compilers align them, or mark them with
 * endbr64, and put the cold parts of others end to end. */
static bool is_entry (const struct work *w, uintptr_t at)
{
	static const unsigned char endbr[4] = { 0xf3, 0x0f, 0x1e, 0xfa };

	if (at < w->load->lo || at + 4 > w->load->hi)
		return false;
	return at % 16 == 0 || memcmp (w->text + (at - w->load->lo), endbr, 4) == 0;
}

/* Marks what function i jumps to, but for tail calls of ordinary functions that do
 * not jump back into it. */
static void follow (struct work *w, uint32_t i)
{
	struct range from = w->range[i];
	const unsigned char *text = text_of (w, from.lo, from.hi);
	struct goad__jumps jumps, back;
	struct goad__fde f;

	if (!text)
		return;
	goad__decode_function (text, from.lo, from.hi - from.lo, &jumps);
	if (jumps.count > GOAD__JUMPS)
		w->full = true;
	for (uint32_t k = 0; k < jumps.count && k < GOAD__JUMPS; k++) {
		bool inside = false;

		if (!goad__frames_find (w->eh, &w->reader, jumps.to[k], &f) ||
		    !(text = text_of (w, f.start, f.end)))
			continue;
		if (jumps.to[k] == f.start && is_entry (w, f.start)) {
			goad__decode_function (text, f.start, f.end - f.start, &back);
			for (uint32_t b = 0; b < back.count && b < GOAD__JUMPS; b++)
				inside |= back.to[b] > from.lo && back.to[b] < from.hi;
			if (!inside)
				continue;
		}
		add_range (w, &f, 1u << GOAD__EFFECT_GIVER, from.why);
	}
}

static void follow_all (struct work *w)
{
	for (uint32_t i = 0; i < w->ranges && !w->full;) {
		if (w->range[i].followed) {
			i++;
			continue;
		}
		w->range[i].followed = true;
		follow (w, i);
		i = 0; /* what was added may lie before */
	}
}

static const char *search_segment (struct work *w, struct work *next,
                                   const struct goad__marks *marks)
{
	if (!goad__peek (w->load->lo, w->text, w->load->hi - w->load->lo))
		return "its text could not be read";
	w->targets = 0;
	for (uint32_t i = 0; i < marks->count; i++)
		add_target (w, marks->mark[i].at, marks->mark[i].effect, marks->mark[i].why);
	for (bool slots = true; w->targets > 0; slots = false) {
		next->targets = 0;
		find_sites (w, next, slots);
		memcpy (w->target, next->target, next->targets * sizeof w->target[0]);
		w->targets = next->targets;
	}
	follow_all (w);
	return w->full || next->full ? "uses per-thread addresses in too many places" : NULL;
}

static void each_export (void *token, uintptr_t at)
{
	struct work *next = token;
	uint32_t lo = 0, hi = next->ranges;

	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;

		if (next->range[mid].lo < at)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo < next->ranges && next->range[lo].lo == at)
		next->exported = true;
}

/* The functions that may hand an address on are the ranges of next. */
static const char *hands_out (const struct work *w, struct work *next)
{
	struct goad__elf_visitor v = { next, NULL, NULL, each_export };

	if (next->ranges == 0)
		return NULL;
	if (!goad__elf_visit (w->e, &v))
		return "has symbols that cannot be read";
	return next->exported ? "exports a function that may hand out a per-thread address" : NULL;
}

/* A lock that records its thread must be given back in the function that takes it. */
static const char *unpaired (const struct work *w)
{
	for (uint32_t i = 0; i < w->ranges; i++) {
		uint32_t both = w->range[i].effects;

		if ((both & (1u << GOAD__EFFECT_LOCK)) && !(both & (1u << GOAD__EFFECT_UNLOCK)))
			return "calls flockfile in a function that does not call funlockfile";
	}
	return NULL;
}

static struct goad__taint *result (const struct work *w)
{
	size_t bytes = sizeof (struct goad__taint) + w->ranges * sizeof (struct goad__tainted);
	struct goad__taint *t = goad__pages_get (bytes);

	if (!t)
		return NULL;
	t->bytes = bytes;
	t->count = w->ranges;
	for (uint32_t i = 0; i < w->ranges; i++)
		t->fn[i] = (struct goad__tainted){ w->range[i].lo, w->range[i].hi, w->range[i].why };
	return t;
}

static const char *find (struct work *w, struct work *next, const struct goad__marks *marks,
                         struct goad__taint **out)
{
	const char *why = NULL;

	for (uint32_t i = 0; i < w->e->loads && !why; i++) {
		size_t size = w->e->load[i].hi - w->e->load[i].lo;

		if (!(w->e->load[i].flags & PF_X))
			continue;
		w->load = &w->e->load[i];
		w->text = size <= TEXT_MAX ? goad__pages_get (size) : NULL;
		if (!w->text)
			return "its text is too large to search";
		why = search_segment (w, next, marks);
		goad__pages_put (w->text, size);
	}
	if (!why)
		why = unpaired (w);
	if (!why)
		why = hands_out (w, next);
	if (!why && w->ranges > 0 && !(*out = result (w)))
		why = "no memory to look at it";
	return why;
}

const char *goad__taint_find (const struct goad__elf *e, const struct goad__eh *eh,
                              const struct goad__marks *marks, struct goad__taint **out)
{
	struct work *w, *next;
	const char *why;

	*out = NULL;
	if (marks->count == 0)
		return NULL;
	if (marks->count > GOAD__MARKS)
		return "uses too many kinds of per-thread data";
	w = goad__pages_get (sizeof *w);
	next = goad__pages_get (sizeof *next);
	if (w && next) {
		w->e = e, w->eh = eh;
		w->reader.read = goad__peek_paged;
		w->reader.token = &w->pages;
		why = find (w, next, marks, out);
	} else {
		why = "no memory to look at it";
	}
	goad__pages_put (w, sizeof *w);
	goad__pages_put (next, sizeof *next);
	return why;
}

const char *goad__taint_of (const struct goad__taint *t, uintptr_t pc)
{
	uint32_t lo = 0, hi = t ? t->count : 0;

	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;

		if (t->fn[mid].hi <= pc)
			lo = mid + 1;
		else
			hi = mid;
	}
	return t && lo < t->count && t->fn[lo].lo <= pc ? t->fn[lo].why : NULL;
}
