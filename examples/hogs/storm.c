/* SPDX-License-Identifier: MIT */
/* storm.c - a malloc storm that has never heard of goad
 *
 *	goad run --for 5s -n 4 ./storm.so:storm
 *
 * It is nearly always inside malloc, realloc or free when its time is up, where a
 * coroutine cannot be switched away from its thread; goad hands the thread off. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCKS 512

int storm (int argc, char **argv);

struct block {
	unsigned char *at;
	size_t size;
	unsigned char mark;
};

static uint32_t next (uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* Whether the block's first and last byte are still what was written there. */
static int intact (const struct block *b)
{
	return b->at == NULL || (b->at[0] == b->mark && b->at[b->size - 1] == b->mark);
}

static int renew (struct block *b, uint32_t random)
{
	size_t size = 1 + random % 4000;
	unsigned char *at = random & 0x10000 ? realloc (b->at, size) : NULL;

	if (at == NULL) {
		free (b->at);
		at = malloc (size);
	}
	b->at = at;
	if (at == NULL)
		return 0;
	b->size = size;
	b->mark = (unsigned char) (random >> 24);
	memset (at, b->mark, size);
	return 1;
}

/* storm [ROUNDS]: without a number it never ends. */
int storm (int argc, char **argv)
{
	static const struct block none;
	unsigned long rounds = argc > 1 ? strtoul (argv[1], NULL, 10) : 0;
	struct block *blocks = calloc (BLOCKS, sizeof *blocks);
	uint32_t state = 2463534242u;
	int status = blocks == NULL;

	for (unsigned long i = 0; status == 0 && (rounds == 0 || i < rounds); i++) {
		struct block *b = &blocks[next (&state) % BLOCKS];

		if (!intact (b)) {
			fputs ("storm: a block was overwritten\n", stderr);
			status = 1;
		} else if (!renew (b, next (&state))) {
			*b = none;
			status = 1;
		}
	}
	for (int i = 0; blocks != NULL && i < BLOCKS; i++)
		free (blocks[i].at);
	free (blocks);
	return status;
}
