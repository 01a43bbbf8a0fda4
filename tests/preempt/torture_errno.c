/* SPDX-License-Identifier: MIT */
/* tests/preempt/torture_errno.c - errno across loops: the compiler keeps its address, the
 * library keeps its value */
#include "tests/preempt/torture.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

/* One function with errno before and after a long loop, so that its address may be held
 * in a register meanwhile: the function is bound, and the coroutine stays on its thread. */
static void address_held (unsigned which, void *out)
{
	uint64_t sum = 0, *result = out;
	uint64_t state = which;

	for (int round = 0; round < 40; round++) {
		errno = (int) which * 100 + round;
		for (int i = 0; i < 3000; i++)
			sum ^= (state = state * UINT64_C (6364136223846793005) + 1) >> 7;
		sum += (uint64_t) errno;
		errno += 1;
		for (int i = 0; i < 3000; i++)
			sum ^= (state = state * UINT64_C (6364136223846793005) + 1) >> 9;
		sum = sum * 31 + (uint64_t) errno;
	}
	*result = sum;
}

/* Functions of their own for errno: what is yielded in place in between finds the value
 * again, wherever it wakes.  They are longer than need be: a very short function around
 * __errno_location counts as one that hands the address out. */
#define LONGER() __asm__ volatile(".skip 32, 0x90")

static __attribute__ ((noinline)) void set_errno (int value)
{
	LONGER ();
	errno = value;
}

static __attribute__ ((noinline)) int get_errno (void)
{
	LONGER ();
	return errno;
}

static void value_kept (unsigned which, void *out)
{
	uint64_t sum = 0, state = which;

	for (int round = 0; round < 60; round++) {
		set_errno ((int) which * 100 + round);
		for (int i = 0; i < 6000; i++)
			sum ^= (state = state * UINT64_C (6364136223846793005) + 1) >> 7;
		sum = sum * 31 + (uint64_t) get_errno ();
	}
	*(uint64_t *) out = sum;
}

/* In mode YIELD nobody looks whether a function holds something of the thread: between the
 * address and the access the coroutine must not be stopped. */
static void value_kept_between (unsigned which, void *out)
{
	uint64_t sum = 0, state = which;

	for (int round = 0; round < 60; round++) {
		goad_preempt_disable ();
		set_errno ((int) which * 100 + round);
		goad_preempt_enable ();
		for (int i = 0; i < 6000; i++)
			sum ^= (state = state * UINT64_C (6364136223846793005) + 1) >> 7;
		goad_preempt_disable ();
		sum = sum * 31 + (uint64_t) get_errno ();
		goad_preempt_enable ();
	}
	*(uint64_t *) out = sum;
}

/* errno as libc sets it: the value is looked at right after the call and again later. */
static void from_libc (unsigned which, void *out)
{
	static const int want[] = { ENOENT, EBADF, ERANGE, EINVAL };
	uint64_t sum = 0, wrong = 0, state = which;
	char *end;

	for (int round = 0; round < 40; round++) {
		int kind = (int) (which + (unsigned) round) % 4;

		errno = 0;
		switch (kind) {
		/* clang-format off */
		case 0: sum += (uint64_t) open ("/nonexistent/file", O_RDONLY); break;
		case 1: close (-1); break;
		case 2: sum += (uint64_t) strtol ("999999999999999999999", &end, 10); break;
		default: sum += (uint64_t) lseek (STDERR_FILENO, 0, 99); break;
			/* clang-format on */
		}
		wrong += errno != want[kind] && !(kind == 3 && errno == ESPIPE);
		for (int i = 0; i < 2000; i++)
			sum ^= (state = state * UINT64_C (6364136223846793005) + 1) >> 7;
		wrong += errno != want[kind] && !(kind == 3 && errno == ESPIPE);
	}
	((uint64_t *) out)[0] = sum;
	((uint64_t *) out)[1] = wrong;
}

static const struct torture held = { .work = address_held, .size = 8, .handed_off = 1000 };
static const struct torture kept = { .work = value_kept, .size = 8, .yielded = 1000 };
static const struct torture between = { .work = value_kept_between, .size = 8, .yielded = 1000 };
static const struct torture libc = { .work = from_libc, .size = 16, .handed_off = 1000 };

Test (torture_errno, address_held, .timeout = 60)
{
	torture_auto (&held);
}

Test (torture_errno, address_held_handed_off, .timeout = 60)
{
	torture_handoff (&held);
}

Test (torture_errno, value_kept, .timeout = 60)
{
	torture_auto (&kept);
}

Test (torture_errno, value_kept_handed_off, .timeout = 60)
{
	torture_handoff (&kept);
}

Test (torture_errno, value_kept_in_mode_yield, .timeout = 60)
{
	torture_yield (&between);
}

Test (torture_errno, set_by_libc, .timeout = 60)
{
	torture_auto (&libc);
}
