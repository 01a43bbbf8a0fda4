/* SPDX-License-Identifier: MIT */
/* top.h - goad top: what its files share */
#ifndef GOAD_TOOLS_TOP_H
#define GOAD_TOOLS_TOP_H

#include <goad.h>
#include <goad/top.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "tools/util.h"

enum top_sort { TOP_BY_CPU, TOP_BY_WAIT, TOP_BY_ID };

struct top_options {
	pid_t pid; /* 0: the newest */
	bool once, json, list;
	enum top_sort sort;
	uint64_t interval_ns;
};

/* A program that shows its page. */
struct top_program {
	pid_t pid;
	uint64_t start;
	char path[512];
	char command[80];
};

struct top {
	struct top_options opt;
	struct top_program program;
	const struct goad_top_page *page;
	struct stat file;         /* the page's */
	struct goad_top_page now; /* a copy of one instant */
	uint64_t at;              /* when it was taken     */
};

/* top_read.c.  Files of programs that have gone are removed on the way. */
size_t top_programs (struct top_program *all, size_t most); /* the newest first */
void top_remove_own (void);                                 /* before _exit */
int top_attach (struct top *t); /* 0 or an exit code, having complained */
void top_detach (struct top *t);
bool top_read (struct top *t);  /* false: the program has ended */
void top_await (struct top *t); /* until the page has an interval to show */

/* top_text.c */
void top_order (struct top *t);
/* rows: entries at the most */
void top_text (const struct top *t, struct text *out, size_t rows);
void top_list (struct text *out);
int top_json (const struct top *t, struct text *out); /* -ENOTSUP: not built in */

/* top_screen.c: until q is pressed or the program ends; an exit code. */
extern const bool top_has_screen;
int top_screen (struct top *t);

#endif
