/* SPDX-License-Identifier: MIT */
/* tests/preempt/so/two.c - a loop in an object that comes and goes */
#include <stdint.h>

uint64_t so_work_two (unsigned which, unsigned rounds);

uint64_t so_work_two (unsigned which, unsigned rounds)
{
	uint64_t sum = which;

	while (rounds-- > 0)
		sum = (sum ^ sum >> 31) * UINT64_C (0x94d049bb133111eb) + 2;
	return sum;
}
