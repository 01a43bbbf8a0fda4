/* SPDX-License-Identifier: MIT */
/* util_time.c - times, sizes and counts: read from the command line and printed */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

/* Reads a plain decimal number: digits, perhaps a point and more digits.  strtod
 * alone would take "inf", "0x10" and "1e9" as well. */
static const char *read_decimal (const char *text, double *value)
{
	const char *p = text;
	char *end;

	while (isdigit ((unsigned char) *p))
		p++;
	if (p == text)
		return NULL;
	if (*p == '.') {
		p++;
		if (!isdigit ((unsigned char) *p))
			return NULL;
		while (isdigit ((unsigned char) *p))
			p++;
	}
	if (p - text > 24)
		return NULL;
	char digits[32];
	memcpy (digits, text, (size_t) (p - text));
	digits[p - text] = '\0';
	*value = strtod (digits, &end);
	return p;
}

int util_parse_time (const char *text, uint64_t *ns)
{
	static const struct {
		const char *unit;
		double ns;
	} units[] = {
		{ "ns", 1 },    { "us", 1e3 }, { "µs", 1e3 },   { "ms", 1e6 },   { "s", 1e9 },
		{ "sec", 1e9 }, { "m", 60e9 }, { "min", 60e9 }, { "h", 3600e9 },
	};
	double value;
	const char *rest = read_decimal (text, &value);

	if (rest == NULL)
		return -EINVAL;
	if (*rest == '\0' && value == 0) {
		*ns = 0;
		return 0;
	}
	for (size_t i = 0; i < UTIL_COUNT (units); i++) {
		if (strcmp (rest, units[i].unit) != 0)
			continue;
		value = round (value * units[i].ns);
		if (value > 9e18)
			return -EINVAL;
		*ns = (uint64_t) value;
		return 0;
	}
	return -EINVAL;
}

const char *util_time (char buf[16], double ns)
{
	static const struct {
		const char *unit;
		double ns;
	} units[] = { { "s", 1e9 }, { "ms", 1e6 }, { "us", 1e3 } };

	if (!(ns >= 0.5)) {
		snprintf (buf, 16, "0");
		return buf;
	}
	for (size_t i = 0; i < UTIL_COUNT (units); i++) {
		double v = ns / units[i].ns;

		/* The bound is where three digits would round up to the unit. */
		if (v < 0.9995)
			continue;
		int digits = v < 9.995 ? 2 : v < 99.95 ? 1 : 0;
		snprintf (buf, 16, "%.*f %s", digits, v, units[i].unit);
		return buf;
	}
	snprintf (buf, 16, "%.0f ns", ns);
	return buf;
}

int util_parse_size (const char *text, size_t *bytes)
{
	double value;
	const char *rest = read_decimal (text, &value);

	if (rest == NULL)
		return -EINVAL;
	switch (toupper ((unsigned char) *rest)) {
	case 'G':
		value *= 1024;
		/* fall through */
	case 'M':
		value *= 1024;
		/* fall through */
	case 'K':
		value *= 1024;
		rest++;
		if (strcasecmp (rest, "iB") == 0)
			rest += 2;
		else if (strcasecmp (rest, "B") == 0)
			rest += 1;
		break;
	default:
		break;
	}
	if (*rest != '\0' || value > 1e15)
		return -EINVAL;
	*bytes = (size_t) value;
	return 0;
}

int util_parse_count (const char *text, uint64_t least, uint64_t most, uint64_t *n)
{
	char *end;

	if (!isdigit ((unsigned char) text[0]))
		return -EINVAL;
	errno = 0;
	unsigned long long v = strtoull (text, &end, 0);
	if (errno != 0 || *end != '\0' || v < least || v > most)
		return -EINVAL;
	*n = v;
	return 0;
}

const char *util_size (char buf[16], double bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	size_t i = 0;

	while (bytes >= 1023.5 && i + 1 < UTIL_COUNT (units)) {
		bytes /= 1024;
		i++;
	}
	int digits = i == 0 || bytes >= 99.95 ? 0 : 1;
	snprintf (buf, 16, "%.*f %s", digits, bytes, units[i]);
	return buf;
}
