/* SPDX-License-Identifier: MIT */
/* tests/preempt/so/one.c - a loop in an object that comes and goes */
#include <stdint.h>

uint64_t so_work_one (unsigned which, unsigned rounds);

uint64_t so_work_one (unsigned which, unsigned rounds)
{
	uint64_t sum = which;

	while (rounds-- > 0)
		sum = (sum ^ sum >> 29) * UINT64_C (0xbf58476d1ce4e5b9) + 1;
	return sum;
}
