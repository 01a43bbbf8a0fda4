/* SPDX-License-Identifier: MIT */
/* work_cpu.c - spin, primes, mandelbrot: work that only computes */
#include <stdlib.h>
#include <string.h>

#include "run.h"

extern const struct work work_spin, work_primes, work_mandelbrot;

static int no_arguments (struct spec *spec)
{
	if (spec->argc == 1)
		return 0;
	util_error ("'%s' takes no argument, but was given '%s'", spec->argv[0], spec->argv[1]);
	return TOOL_USAGE;
}

/* A loop that calls nothing: no scheduler without preemption gets the CPU back. */
static int spin (struct task *task)
{
	uint64_t i = 0;

	(void) task;
	do
		__asm__ volatile("" : "+r"(i));
	while (++i != 0);
	return 0;
}

const struct work work_spin = {
	.name = "spin",
	.args = "",
	.doc = "an endless loop without a call",
	.flags = WORK_ENDLESS,
	.prepare = no_arguments,
	.body = spin,
};

static int one_number (struct spec *spec, const char *what, uint64_t least, uint64_t most)
{
	uint64_t *n = calloc (1, sizeof *n);

	if (n == NULL)
		return TOOL_FAILED;
	spec->data = n;
	if (spec->argc > 2) {
		util_error ("'%s' takes one %s; '%s' is too much", spec->argv[0], what, spec->argv[2]);
		return TOOL_USAGE;
	}
	if (spec->argc < 2)
		return 0;
	if (util_parse_count (spec->argv[1], least, most, n) == 0)
		return 0;
	util_error ("'%s': the %s '%s' is not a number from %llu to %llu", spec->argv[0], what,
	            spec->argv[1], (unsigned long long) least, (unsigned long long) most);
	return TOOL_USAGE;
}

static int primes_prepare (struct spec *spec)
{
	if (spec->argc < 2) {
		util_error ("'primes' needs a LIMIT, as in 'primes 1000000'");
		return TOOL_USAGE;
	}
	return one_number (spec, "LIMIT", 2, UINT64_C (1000000000000));
}

enum { SIEVE = 32768 }; /* odd numbers in a piece: the size of a first-level cache */

/* The odd primes up to the square root of limit. */
static uint32_t *small_primes (uint64_t limit, size_t *n)
{
	uint32_t root = 1;

	while ((uint64_t) root * root <= limit)
		root++;
	uint8_t *composite = calloc (root + 1, 1);
	uint32_t *primes = malloc ((root / 2 + 1) * sizeof *primes);
	*n = 0;
	for (uint32_t i = 3; composite != NULL && primes != NULL && i <= root; i += 2) {
		if (composite[i])
			continue;
		primes[(*n)++] = i;
		for (uint64_t j = (uint64_t) i * i; j <= root; j += 2 * i)
			composite[j] = 1;
	}
	if (composite == NULL) {
		free (primes);
		primes = NULL;
	}
	free (composite);
	return primes;
}

/* The sieve of Eratosthenes over odd numbers, a piece at a time. */
static int64_t count_primes (uint64_t limit)
{
	size_t n;
	uint32_t *primes = small_primes (limit, &n);
	uint64_t *next = malloc ((n + 1) * sizeof *next);
	uint8_t *piece = malloc (SIEVE);
	int64_t count = limit >= 2;

	if (primes == NULL || next == NULL || piece == NULL)
		count = -1;
	for (size_t i = 0; i < n && count >= 0; i++)
		next[i] = (uint64_t) primes[i] * primes[i] / 2;
	/* The number 2 i + 1 has place i; place 0, which is 1, is no prime. */
	for (uint64_t low = 0; low <= (limit - 1) / 2 && count >= 0; low += SIEVE) {
		uint64_t high = low + SIEVE < (limit + 1) / 2 ? low + SIEVE : (limit + 1) / 2;

		memset (piece, 0, SIEVE);
		piece[0] = low == 0;
		for (size_t i = 0; i < n && (uint64_t) primes[i] * primes[i] / 2 < high; i++) {
			uint64_t j = next[i];

			for (; j < high; j += primes[i])
				piece[j - low] = 1;
			next[i] = j;
		}
		for (uint64_t j = low; j < high; j++)
			count += !piece[j - low];
	}
	free (piece);
	free (next);
	free (primes);
	return count;
}

static int primes (struct task *task)
{
	const uint64_t *limit = task->spec->data;

	do {
		int64_t n = count_primes (*limit);

		if (n < 0)
			return 1;
		run_result (task, "%lld primes up to %llu", (long long) n, (unsigned long long) *limit);
	} while (!run_over (task));
	return 0;
}

const struct work work_primes = {
	.name = "primes",
	.args = "LIMIT",
	.doc = "count the primes up to LIMIT",
	.prepare = primes_prepare,
	.body = primes,
};

static int mandelbrot_prepare (struct spec *spec)
{
	int code = one_number (spec, "SIZE", 1, 65536);

	if (code == 0 && spec->argc < 2)
		*(uint64_t *) spec->data = 512;
	return code;
}

static unsigned escape_time (double x, double y)
{
	double a = 0, b = 0;
	unsigned i = 0;

	for (; i < 1000; i++) {
		double aa = a * a, bb = b * b;

		if (aa + bb > 4)
			break;
		b = 2 * a * b + y;
		a = aa - bb + x;
	}
	return i;
}

/* The whole set, a square of size * size points, as an FNV-1a sum over all escape
 * times.  The same machine code gives the same sum always: a register lost at a
 * preemption would show. */
static uint64_t mandelbrot_sum (uint64_t size)
{
	uint64_t sum = UINT64_C (14695981039346656037);

	for (uint64_t row = 0; row < size; row++)
		for (uint64_t col = 0; col < size; col++) {
			double x = -2.25 + 3.0 * (double) col / (double) size;
			double y = -1.5 + 3.0 * (double) row / (double) size;

			sum = (sum ^ escape_time (x, y)) * UINT64_C (1099511628211);
		}
	return sum;
}

static int mandelbrot (struct task *task)
{
	const uint64_t *size = task->spec->data;

	do {
		uint64_t sum = mandelbrot_sum (*size);

		run_result (task, "%llux%llu, checksum %016llx", (unsigned long long) *size,
		            (unsigned long long) *size, (unsigned long long) sum);
	} while (!run_over (task));
	return 0;
}

const struct work work_mandelbrot = {
	.name = "mandelbrot",
	.args = "[SIZE]",
	.doc = "compute a picture of SIZE x SIZE",
	.prepare = mandelbrot_prepare,
	.body = mandelbrot,
};
