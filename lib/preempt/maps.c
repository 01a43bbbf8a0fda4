/* SPDX-License-Identifier: MIT */
/* maps.c - the lines of /proc/self/maps, without stdio or malloc */
#include "preempt/maps.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* The kernel gives at most a page at a time; a line is no longer than a path and 100. */
static char buffer[16384];

static const char *hex (const char *p, uint64_t *out)
{
	uint64_t v = 0;

	for (;; p++) {
		unsigned d = (unsigned char) *p;

		if (d - '0' < 10)
			v = v << 4 | (d - '0');
		else if (d - 'a' < 6)
			v = v << 4 | (d - 'a' + 10);
		else
			break;
	}
	*out = v;
	return p;
}

/* lo-hi rwxp offset major:minor inode    path */
static void line (char *p, void (*each) (void *, const struct goad__map *), void *token)
{
	struct goad__map m;
	uint64_t lo, hi, major, minor;
	const char *q = hex (p, &lo);

	if (*q != '-')
		return;
	q = hex (q + 1, &hi);
	if (*q != ' ' || strlen (q) < 6)
		return;
	m.lo = lo, m.hi = hi;
	m.readable = q[1] == 'r';
	m.executable = q[3] == 'x';
	q = hex (q + 6, &m.offset);
	q = hex (q + (*q == ' '), &major);
	q = hex (q + (*q == ':'), &minor);
	m.device = major << 32 | minor;
	m.inode = 0;
	for (q += *q == ' '; *q >= '0' && *q <= '9'; q++)
		m.inode = m.inode * 10 + (uint64_t) (*q - '0');
	while (*q == ' ')
		q++;
	m.path = q;
	each (token, &m);
}

int goad__maps_read (void (*each) (void *token, const struct goad__map *m), void *token)
{
	int fd = open ("/proc/self/maps", O_RDONLY | O_CLOEXEC), ret = 0;
	size_t have = 0;

	if (fd < 0)
		return -errno;
	for (;;) {
		ssize_t n = read (fd, buffer + have, sizeof buffer - 1 - have);
		char *from = buffer, *end;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			ret = n < 0 ? -errno : 0;
			break;
		}
		have += (size_t) n;
		buffer[have] = '\0';
		while ((end = memchr (from, '\n', have - (size_t) (from - buffer))) != NULL) {
			*end = '\0';
			line (from, each, token);
			from = end + 1;
		}
		have -= (size_t) (from - buffer);
		memmove (buffer, from, have);
		if (have == sizeof buffer - 1)
			have = 0; /* no line is that long */
	}
	close (fd);
	return ret;
}
