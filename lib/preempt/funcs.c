/* SPDX-License-Identifier: MIT */
/* funcs.c - is a function of a scanned object thread-independent?
 *
 * A compiler may put a function's unlikely part elsewhere, with unwind information
 * of its own.  An address that one part computes is then live in the other, so they
 * are judged together: function F and each G to whose middle F jumps, or to whose
 * start F jumps and which jumps back into F's middle.  A G that does not come back is
 * a tail call: while G runs, F is gone.
 */
#include "preempt/funcs.h"

#include <elf.h>
#include <string.h>

#include "preempt/cell.h"
#include "preempt/decode.h"

#define LOG_CELLS 12

/* count, start, generation, reason */
static _Atomic uint64_t cells[1 << LOG_CELLS][4];

static bool in_text (const struct goad__object *o, uintptr_t lo, uintptr_t hi)
{
	for (uint32_t i = 0; i < o->loads; i++)
		if ((o->load[i].flags & (PF_R | PF_X)) == (PF_R | PF_X) && lo >= o->load[i].lo &&
		    hi <= o->load[i].hi && lo < hi)
			return true;
	return false;
}

static const char *look_at (const struct goad__object *o, uintptr_t start, uintptr_t end,
                            struct goad__jumps *jumps)
{
	const char *why;

	jumps->count = 0;
	if (!in_text (o, start, end))
		return "lies outside of its object's text";
	why = goad__decode_function ((const unsigned char *) start, start, end - start, jumps);
	if (!why)
		why = goad__taint_of (o->taint, start);
	if (!why && jumps->count > GOAD__JUMPS)
		why = "jumps to too many other functions";
	return why;
}

/* Whether one of the jumps leads between the ends, but not to the start. */
static bool comes_back (const struct goad__jumps *j, uintptr_t start, uintptr_t end)
{
	for (uint32_t i = 0; i < j->count && i < GOAD__JUMPS; i++)
		if (j->to[i] > start && j->to[i] < end)
			return true;
	return false;
}

/* jmp *slot(%rip), perhaps behind endbr64 and a bnd prefix: a stub of the PLT. */
static bool is_stub (const struct goad__object *o, uintptr_t at)
{
	static const unsigned char endbr[4] = { 0xf3, 0x0f, 0x1e, 0xfa };
	const unsigned char *p = (const unsigned char *) at;

	if (!in_text (o, at, at + 8))
		return false;
	if (memcmp (p, endbr, sizeof endbr) == 0)
		p += sizeof endbr;
	if (*p == 0xf2)
		p++;
	return p[0] == 0xff && p[1] == 0x25;
}

static const char *decide (const struct goad__object *o, uintptr_t start, uintptr_t end)
{
	struct goad__reader r = { goad__modules_read, (void *) o };
	struct goad__jumps jumps, others;
	struct goad__fde f;
	const char *why = look_at (o, start, end, &jumps);

	for (uint32_t i = 0; i < jumps.count && i < GOAD__JUMPS && !why; i++) {
		const char *his;

		/* A stub of the PLT has an entry that spans all stubs, or none; what it leads
		 * to is known from the marks. */
		if (is_stub (o, jumps.to[i]) || !goad__frames_find (&o->eh, &r, jumps.to[i], &f))
			continue;
		his = look_at (o, f.start, f.end, &others);
		if (his && (jumps.to[i] != f.start || comes_back (&others, start, end)))
			why = his;
	}
	return why;
}

const char *goad__funcs_bound (const struct goad__object *o, uintptr_t start, uintptr_t end)
{
	_Atomic uint64_t *cell = cells[goad__cell_hash (start, LOG_CELLS)];
	uint64_t w[3];

	if (!goad__cell_read (cell, w, 3) || w[0] != start || w[1] != o->gen) {
		w[0] = start;
		w[1] = o->gen;
		w[2] = (uintptr_t) decide (o, start, end);
		goad__cell_write (cell, w, 3);
	}
	return (const char *) (uintptr_t) w[2];
}
