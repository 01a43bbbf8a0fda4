/* SPDX-License-Identifier: MIT */
/* tests/preempt/torture_zlib.c - deflate and inflate */
#include "tests/preempt/torture.h"

#ifdef HAVE_ZLIB

#include <stdlib.h>
#include <zlib.h>

enum { PLAIN = 20000 };

/* Something between noise and repetition, so that all of deflate runs. */
static void make_plain (uint64_t *state, unsigned char *p, size_t size)
{
	size_t i = 0;

	while (i < size) {
		uint64_t r = next_random (state);
		size_t run = 3 + r % 60, from = i > 1000 ? (r >> 8) % (i - 100) : 0;

		for (size_t k = 0; k < run && i < size; k++, i++)
			p[i] = r >> 40 & 1 && i > 1000 ? p[from + k] : (unsigned char) (r >> (k % 7 * 8));
	}
}

static void squeeze (unsigned which, void *out)
{
	unsigned char *plain = malloc (PLAIN), *packed = malloc (PLAIN + 1000);
	unsigned char *back = malloc (PLAIN);
	uLongf npacked = PLAIN + 1000, nback = PLAIN;
	uint64_t state = which, *sums = out;

	make_plain (&state, plain, PLAIN);
	if (compress2 (packed, &npacked, plain, PLAIN, 1 + (int) which) != Z_OK)
		abort ();
	sums[0] = fold (npacked, packed, npacked);
	sums[1] = crc32 (adler32 (1, plain, PLAIN), packed, (uInt) npacked);
	sums[2] = (uint64_t) uncompress (back, &nback, packed, npacked);
	sums[3] = (uint64_t) (nback == PLAIN && memcmp (back, plain, PLAIN) == 0);
	free (back);
	free (packed);
	free (plain);
}

static const struct torture t = { .work = squeeze, .size = 32, .yielded = 500, .handed_off = 1 };

Test (torture_zlib, chosen, .timeout = 60)
{
	torture_auto (&t);
}

Test (torture_zlib, handed_off, .timeout = 60)
{
	torture_handoff (&t);
}

Test (torture_zlib, yielded, .timeout = 60)
{
	torture_yield (&t);
}

#else

Test (torture_zlib, chosen)
{
	cr_skip ("built without zlib");
}

#endif
