/* SPDX-License-Identifier: MIT */
#include "tests/api/dump_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/support.h"

int dump_file (void)
{
	return memfd_create ("dump", MFD_CLOEXEC);
}

void dump_text (struct text *t, int fd)
{
	off_t end = lseek (fd, 0, SEEK_END);

	free (t->at);
	t->at = calloc (1, (size_t) end + 1);
	t->len = 0;
	if (t->at && pread (fd, t->at, (size_t) end, 0) == end)
		t->len = (size_t) end;
	close (fd);
}

const char *dump_line (const struct text *t, const char *name)
{
	char head[64];
	const char *at;

	snprintf (head, sizeof head, " '%s' [", name);
	for (at = t->at; (at = strstr (at, head)); at++) {
		const char *begin = at;
		while (begin > t->at && begin[-1] != '\n')
			begin--;
		if (strncmp (begin, "coroutine ", 10) == 0)
			return begin;
	}
	return NULL;
}

bool line_has (const char *line, const char *what)
{
	const char *end = line ? strchr (line, '\n') : NULL;
	const char *at = line ? strstr (line, what) : NULL;

	return at && end && at < end;
}

bool frames_have (const char *line, const char *symbol)
{
	char what[64];

	snprintf (what, sizeof what, " %s+0x", symbol);
	for (bool frames = false; line && *line; line++) {
		if (strncmp (line, "  #", 3) == 0)
			frames = true;
		else if (frames)
			return false;
		if (frames && line_has (line, what))
			return true;
		line = strchr (line, '\n');
		if (!line)
			return false;
	}
	return false;
}

void spawn_named (const char *name, goad_fn fn, void *arg)
{
	goad_attr_t attr = GOAD_ATTR_INIT;
	goad_task_t *task;

	attr.name = name;
	claim_eq (goad_spawn (&task, &attr, fn, arg), 0);
	claim_eq (goad_detach (task), 0);
}
