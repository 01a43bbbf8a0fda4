/* SPDX-License-Identifier: MIT */
/* preempt/frames.h - which function a PC is in, from .eh_frame_hdr
 *
 * The reader is given, for sysmon reads with goad__peek what the walk may load
 * directly.
 */
#ifndef GOAD_PREEMPT_FRAMES_H
#define GOAD_PREEMPT_FRAMES_H

#include "base/base.h"

struct goad__reader {
	bool (*read) (void *token, uintptr_t addr, void *dst, size_t n);
	void *token;
};

struct goad__eh {
	uintptr_t hdr;   /* what the table's offsets are relative to; 0: no table */
	uintptr_t table; /* pairs of int32: function start, FDE                   */
	uint32_t count;
};

struct goad__fde {
	uintptr_t start, end;
	bool signal_frame; /* the CIE has an S: the PC of the next frame is exact */
};

/* Reads the header; false unless it has the binary search table that GNU ld, gold
 * and lld make. */
bool goad__frames_open (struct goad__eh *eh, const struct goad__reader *r, uintptr_t hdr,
                        size_t size);

/* The entry that covers pc; false when none does, or it is of a form not known. */
bool goad__frames_find (const struct goad__eh *eh, const struct goad__reader *r, uintptr_t pc,
                        struct goad__fde *out);

#endif
