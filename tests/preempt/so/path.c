/* SPDX-License-Identifier: MIT */
/* tests/preempt/so/path.c - where the small shared objects are */
#include "tests/preempt/so/so.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *in_the_build_tree (void)
{
	static char dir[PATH_MAX];
	const char *top = getenv ("GOAD_BUILDDIR");
	ssize_t n;
	char *slash;

	if (top) {
		snprintf (dir, sizeof dir, "%s/tests/preempt/so", top);
		return dir;
	}
	n = readlink ("/proc/self/exe", dir, sizeof dir - 32);
	dir[n > 0 ? n : 0] = '\0';
	slash = strrchr (dir, '/');
	/* libtool's programs live in .libs. */
	if (slash && slash - dir > 6 && strncmp (slash - 6, "/.libs", 6) == 0)
		slash -= 6;
	strcpy (slash ? slash : dir, "/so");
	return dir;
}

const char *so_path (const char *name)
{
	static char path[PATH_MAX + 64];
	const char *dir = getenv ("GOAD_TEST_SO_DIR");

	if (dir == NULL)
		dir = in_the_build_tree ();
	snprintf (path, sizeof path, "%s/%s.so", dir, name);
	if (access (path, R_OK) != 0)
		snprintf (path, sizeof path, "%s/.libs/%s.so", dir, name);
	return path;
}
