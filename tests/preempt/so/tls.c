/* SPDX-License-Identifier: MIT */
/* tests/preempt/so/tls.c - a loop over thread-local data of a shared object's */
#include <stdint.h>

uint64_t so_work_tls (unsigned which, unsigned rounds);

static __thread uint64_t own;
__thread uint64_t so_shared;

uint64_t so_work_tls (unsigned which, unsigned rounds)
{
	uint64_t sum = 0;

	own = which;
	so_shared = which * 3 + 1;
	while (rounds-- > 0) {
		own = own * UINT64_C (6364136223846793005) + 1;
		so_shared ^= own >> 11;
		sum += own ^ so_shared;
	}
	return sum;
}
