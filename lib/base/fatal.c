/* SPDX-License-Identifier: MIT */
#include "base/fatal.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct out {
	char *at;
	size_t room; /* without the final NUL */
	size_t total;
};

static void put (struct out *o, char c)
{
	o->total++;
	if (o->room > 0) {
		*o->at++ = c;
		o->room--;
	}
}

static void put_string (struct out *o, const char *s)
{
	for (s = s ? s : "(null)"; *s; s++)
		put (o, *s);
}

static void put_number (struct out *o, uint64_t v, unsigned base)
{
	char digits[20];
	int n = 0;

	do
		digits[n++] = "0123456789abcdef"[v % base];
	while ((v /= base) != 0);
	while (n > 0)
		put (o, digits[--n]);
}

static uint64_t fetch_unsigned (va_list *ap, int longs)
{
	return longs ? va_arg (*ap, unsigned long) : va_arg (*ap, unsigned);
}

/* One conversion; f stands behind the percent sign.  Returns what follows it. */
static const char *convert (struct out *o, const char *f, va_list *ap)
{
	int longs = 0;

	for (; *f == 'l' || *f == 'z'; f++)
		longs++;
	switch (*f) {
	case 's':
		put_string (o, va_arg (*ap, const char *));
		break;
	case 'd': {
		long v = longs ? va_arg (*ap, long) : va_arg (*ap, int);
		if (v < 0)
			put (o, '-');
		put_number (o, v < 0 ? -(uint64_t) v : (uint64_t) v, 10);
		break;
	}
	case 'u':
		put_number (o, fetch_unsigned (ap, longs), 10);
		break;
	case 'x':
		put_number (o, fetch_unsigned (ap, longs), 16);
		break;
	case 'p':
		put_string (o, "0x");
		put_number (o, (uintptr_t) va_arg (*ap, void *), 16);
		break;
	default:
		put (o, *f);
		break;
	}
	return *f ? f + 1 : f;
}

size_t goad__vformat (char *buf, size_t size, const char *fmt, va_list ap)
{
	struct out o = { buf, size ? size - 1 : 0, 0 };
	va_list args;

	va_copy (args, ap);
	while (*fmt) {
		if (*fmt == '%')
			fmt = convert (&o, fmt + 1, &args);
		else
			put (&o, *fmt++);
	}
	va_end (args);
	if (size)
		*o.at = 0;
	return o.total;
}

size_t goad__format (char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	va_start (ap, fmt);
	size_t n = goad__vformat (buf, size, fmt, ap);
	va_end (ap);
	return n;
}

static void write_line (int fd, const char *fmt, va_list ap)
{
	char buf[512] = "goad: ";
	size_t head = strlen (buf);
	size_t n = head + goad__vformat (buf + head, sizeof buf - head - 1, fmt, ap);

	if (n > sizeof buf - 2)
		n = sizeof buf - 2;
	buf[n++] = '\n';
	(void) !syscall (SYS_write, fd, buf, n);
}

void goad__line_to (int fd, const char *fmt, ...)
{
	va_list ap;
	va_start (ap, fmt);
	write_line (fd, fmt, ap);
	va_end (ap);
}

void goad__line (const char *fmt, ...)
{
	va_list ap;
	va_start (ap, fmt);
	write_line (2, fmt, ap);
	va_end (ap);
}

void (*goad__fatal_hook) (void);

_Noreturn void goad__fatal (const char *fmt, ...)
{
	va_list ap;
	va_start (ap, fmt);
	write_line (2, fmt, ap);
	va_end (ap);
	if (goad__fatal_hook)
		goad__fatal_hook ();
	abort ();
}
