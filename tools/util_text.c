/* SPDX-License-Identifier: MIT */
/* util_text.c - text that grows, whole writes, and the histogram of times */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util.h"

static bool text_reserve (struct text *t, size_t more)
{
	size_t need = t->len + more + 1;

	if (need <= t->cap)
		return true;
	size_t cap = t->cap != 0 ? t->cap : 4096;
	while (cap < need)
		cap *= 2;
	char *s = realloc (t->s, cap);
	if (s == NULL) {
		t->failed = true;
		return false;
	}
	t->s = s;
	t->cap = cap;
	return true;
}

void util_text_add (struct text *t, const char *format, ...)
{
	va_list ap;

	if (t->failed)
		return;
	va_start (ap, format);
	int n = vsnprintf (NULL, 0, format, ap);
	va_end (ap);
	if (n < 0 || !text_reserve (t, (size_t) n))
		return;
	va_start (ap, format);
	vsnprintf (t->s + t->len, (size_t) n + 1, format, ap);
	va_end (ap);
	t->len += (size_t) n;
}

void util_text_free (struct text *t)
{
	free (t->s);
	*t = (struct text){ 0 };
}

int util_write_all (int fd, const char *s, size_t len)
{
	while (len > 0) {
		ssize_t n = write (fd, s, len);

		if (n >= 0) {
			s += n;
			len -= (size_t) n;
			continue;
		}
		if (errno == EAGAIN) {
			/* The other end may have made the pipe or terminal non-blocking. */
			struct pollfd p = { .fd = fd, .events = POLLOUT };
			(void) poll (&p, 1, 1000);
			continue;
		}
		if (errno != EINTR)
			return -errno;
	}
	return 0;
}

size_t util_columns (const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += ((unsigned char) *s & 0xc0) != 0x80;
	return n;
}

/* Values below 64 have a bucket each; above, the highest bit chooses the octave
 * and the five bits below it the bucket in it. */
static unsigned hist_bucket (uint64_t value)
{
	if (value < 2 * UTIL_HIST_SUB)
		return (unsigned) value;
	unsigned octave = 63u - (unsigned) __builtin_clzll (value);
	unsigned sub = (unsigned) (value >> (octave - 5)) & (UTIL_HIST_SUB - 1);
	unsigned i = (octave - 4) * UTIL_HIST_SUB + sub;

	return i < UTIL_HIST_BUCKETS ? i : UTIL_HIST_BUCKETS - 1;
}

/* The middle of a bucket. */
static uint64_t hist_value (unsigned i)
{
	if (i < 2 * UTIL_HIST_SUB)
		return i;
	unsigned octave = i / UTIL_HIST_SUB + 4;
	uint64_t low = (uint64_t) (UTIL_HIST_SUB + i % UTIL_HIST_SUB) << (octave - 5);

	return low + ((UINT64_C (1) << (octave - 5)) - 1) / 2;
}

/* There is one writer, so loads and stores do; a locked add would cost more than
 * the rest. */
static void hist_bump (_Atomic uint64_t *word, uint64_t by)
{
	atomic_store_explicit (word, atomic_load_explicit (word, memory_order_relaxed) + by,
	                       memory_order_relaxed);
}

void util_hist_add (struct hist *h, uint64_t value)
{
	hist_bump (&h->bucket[hist_bucket (value)], 1);
	if (value > atomic_load_explicit (&h->max, memory_order_relaxed))
		atomic_store_explicit (&h->max, value, memory_order_relaxed);
	hist_bump (&h->count, 1);
}

void util_hist_merge (struct hist *into, const struct hist *from)
{
	uint64_t max = atomic_load_explicit (&from->max, memory_order_relaxed);

	for (unsigned i = 0; i < UTIL_HIST_BUCKETS; i++) {
		/* The count is made of what was read: the writer may be at work. */
		uint64_t n = atomic_load_explicit (&from->bucket[i], memory_order_relaxed);

		if (n == 0)
			continue;
		hist_bump (&into->bucket[i], n);
		hist_bump (&into->count, n);
	}
	if (max > atomic_load_explicit (&into->max, memory_order_relaxed))
		atomic_store_explicit (&into->max, max, memory_order_relaxed);
}

uint64_t util_hist_quantile (const struct hist *h, double q)
{
	uint64_t count = atomic_load_explicit (&h->count, memory_order_relaxed);
	uint64_t max = atomic_load_explicit (&h->max, memory_order_relaxed);
	uint64_t seen = 0;

	if (count == 0)
		return 0;
	uint64_t rank = (uint64_t) (q * (double) count + 0.999999);
	if (rank >= count)
		return max;
	for (unsigned i = 0; i < UTIL_HIST_BUCKETS; i++) {
		seen += atomic_load_explicit (&h->bucket[i], memory_order_relaxed);
		if (seen >= rank && seen > 0)
			return hist_value (i) < max ? hist_value (i) : max;
	}
	return max;
}
