/* SPDX-License-Identifier: MIT */
/* frames.c - which function a PC is in, from .eh_frame_hdr
 *
 * libunwind finds the same entry when it computes a frame's registers; what it does
 * not tell is whether the frame is a signal frame, and it needs a cursor to be asked
 * for bounds.  Here one search and two short reads give both.
 */
#include "preempt/frames.h"

#include <string.h>

enum { PE_ABSPTR = 0x00, PE_UDATA4 = 0x03, PE_SDATA4 = 0x0b, PE_UDATA8 = 0x04, PE_SDATA8 = 0x0c };

#define PE_PCREL 0x10
#define PE_DATAREL 0x30

bool goad__frames_open (struct goad__eh *eh, const struct goad__reader *r, uintptr_t hdr,
                        size_t size)
{
	unsigned char h[12];

	memset (eh, 0, sizeof *eh);
	if (hdr == 0 || size < sizeof h || !r->read (r->token, hdr, h, sizeof h))
		return false;
	if (h[0] != 1 || h[1] != (PE_PCREL | PE_SDATA4) || h[2] != PE_UDATA4 ||
	    h[3] != (PE_DATAREL | PE_SDATA4))
		return false;
	memcpy (&eh->count, h + 8, 4);
	if (eh->count == 0 || eh->count > (size - sizeof h) / 8)
		return false;
	eh->hdr = hdr;
	eh->table = hdr + sizeof h;
	return true;
}

/* The FDE of the last entry that starts at or below pc. */
static bool search (const struct goad__eh *eh, const struct goad__reader *r, uintptr_t pc,
                    uintptr_t *fde)
{
	uint32_t lo = 0, hi = eh->count;
	int32_t pair[2];

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (!r->read (r->token, eh->table + (uintptr_t) mid * 8, pair, 4))
			return false;
		if (eh->hdr + (uintptr_t) (intptr_t) pair[0] <= pc)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == 0 || !r->read (r->token, eh->table + (uintptr_t) (lo - 1) * 8, pair, 8))
		return false;
	*fde = eh->hdr + (uintptr_t) (intptr_t) pair[1];
	return true;
}

static size_t encoded_size (unsigned enc)
{
	switch (enc & 0x0f) {
	case PE_UDATA4:
	case PE_SDATA4:
		return 4;
	case PE_ABSPTR:
	case PE_UDATA8:
	case PE_SDATA8:
		return 8;
	default:
		return 0;
	}
}

/* Steps over a LEB128 number; NULL past the end. */
static const unsigned char *skip_leb (const unsigned char *p, const unsigned char *end)
{
	while (p && p < end && (*p & 0x80))
		p++;
	return p && p < end ? p + 1 : NULL;
}

/* The encoding of the FDE's addresses, and whether it is a signal frame's. */
static bool parse_cie (const unsigned char *c, size_t n, unsigned *enc, bool *signal_frame)
{
	const unsigned char *end = c + n, *p = c + 9, *aug = p;

	*enc = PE_ABSPTR;
	*signal_frame = false;
	if (n < 16 || (c[8] != 1 && c[8] != 3))
		return false;
	while (p < end && *p)
		p++;
	p = skip_leb (skip_leb (p < end ? p + 1 : NULL, end), end);
	if (!p)
		return false;
	p = c[8] == 1 ? p + 1 : skip_leb (p, end);
	if (*aug == '\0')
		return true;
	if (*aug != 'z' || !(p = skip_leb (p, end)))
		return false;
	for (aug++; *aug; aug++) {
		if (*aug == 'S') {
			*signal_frame = true;
		} else if (*aug == 'R' && p < end) {
			*enc = *p++;
		} else if (*aug == 'L' && p < end) {
			p++;
		} else if (*aug == 'P' && p < end && encoded_size (*p)) {
			p += 1 + encoded_size (*p);
		} else if (*aug != 'B') {
			return false;
		}
	}
	return p <= end;
}

/* n bytes or, at the end of what is mapped, fewer, as long as there are min. */
static size_t read_some (const struct goad__reader *r, uintptr_t at, void *dst, size_t n,
                         size_t min)
{
	for (; n >= min; n /= 2)
		if (r->read (r->token, at, dst, n))
			return n;
	return 0;
}

static bool parse_fde (const struct goad__reader *r, uintptr_t at, struct goad__fde *out)
{
	unsigned char f[24], c[64];
	uint32_t len, delta;
	unsigned enc;
	size_t n, size;
	int64_t begin = 0, range = 0;
	int32_t word;

	if (!r->read (r->token, at, f, sizeof f))
		return false;
	memcpy (&len, f, 4);
	memcpy (&delta, f + 4, 4);
	if (len < 12 || len >= 0xfffffff0u || delta == 0)
		return false;
	n = read_some (r, at + 4 - delta, c, sizeof c, 16);
	memset (c + n, 0, sizeof c - n);
	if (n == 0 || !parse_cie (c, n, &enc, &out->signal_frame))
		return false;
	size = encoded_size (enc);
	if (size == 0 || (enc & 0xf0 & ~(unsigned) PE_PCREL) != 0)
		return false;
	if (size == 8) {
		memcpy (&begin, f + 8, 8);
		memcpy (&range, f + 16, 8);
	} else {
		memcpy (&word, f + 8, 4);
		begin = (enc & 0x0f) == PE_UDATA4 ? (int64_t) (uint32_t) word : word;
		memcpy (&word, f + 12, 4);
		range = (int64_t) (uint32_t) word;
	}
	out->start = (uintptr_t) begin + ((enc & PE_PCREL) ? at + 8 : 0);
	out->end = out->start + (uintptr_t) range;
	return out->end > out->start;
}

bool goad__frames_find (const struct goad__eh *eh, const struct goad__reader *r, uintptr_t pc,
                        struct goad__fde *out)
{
	uintptr_t fde;

	return eh->hdr && search (eh, r, pc, &fde) && parse_fde (r, fde, out) && pc >= out->start &&
	       pc < out->end;
}
