/* SPDX-License-Identifier: MIT */
/* preempt/decode.h - does a function touch what belongs to its thread?
 *
 * With Zydis the instructions are decoded; without it the bytes are searched, which
 * finds everything that the other does and more.
 */
#ifndef GOAD_PREEMPT_DECODE_H
#define GOAD_PREEMPT_DECODE_H

#include "base/base.h"

#define GOAD__JUMPS 64

/* Where its direct jumps (not calls) out of itself lead. */
struct goad__jumps {
	uint32_t count; /* more than fit: GOAD__JUMPS + 1 */
	uintptr_t to[GOAD__JUMPS];
};

/* Looks at the code of one function, whose bytes are at text and whose address is
 * addr.  Why it is bound, static text; NULL: it is not. */
const char *goad__decode_function (const unsigned char *text, uintptr_t addr, size_t len,
                                   struct goad__jumps *jumps);

/* Whether it decodes the instructions. */
bool goad__decode_precise (void);

#endif
