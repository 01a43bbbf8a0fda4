/* SPDX-License-Identifier: MIT */
/* top_screen.c - goad top on a terminal */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "top.h"

#ifdef HAVE_NCURSES

#include <locale.h>
#include <ncurses.h>
#include <string.h>

const bool top_has_screen = true;

static void draw (struct top *t)
{
	static const char *const sorts[] = { "CPU", "wait", "number" };
	struct text out = { .s = NULL };
	int row = 0;

	top_order (t);
	top_text (t, &out, GOAD_TOP_TASKS);
	erase ();
	for (char *line = out.s; line != NULL && row < LINES - 1; row++) {
		char *end = strchr (line, '\n');

		if (end != NULL)
			*end = '\0';
		if (row == 4)
			attron (A_REVERSE);
		mvaddnstr (row, 0, line, COLS);
		attroff (A_REVERSE);
		line = end != NULL && end[1] ? end + 1 : NULL;
	}
	attron (A_DIM);
	mvprintw (LINES - 1, 0, "q quit   c by CPU   w by wait   i by number   space now   (by %s)",
	          sorts[t->opt.sort]);
	attroff (A_DIM);
	refresh ();
	util_text_free (&out);
}

/* False: quit. */
static bool key (struct top *t, int c)
{
	switch (c) {
	case 'q':
	case 'Q':
	case 27:
		return false;
	case 'c':
		t->opt.sort = TOP_BY_CPU;
		break;
	case 'w':
		t->opt.sort = TOP_BY_WAIT;
		break;
	case 'i':
		t->opt.sort = TOP_BY_ID;
		break;
	}
	return true;
}

int top_screen (struct top *t)
{
	bool lives, on = true;

	setlocale (LC_ALL, "");
	if (newterm (NULL, stdout, stdin) == NULL) {
		util_error ("this terminal cannot be drawn on: use --once");
		return TOOL_CANNOT;
	}
	cbreak ();
	noecho ();
	curs_set (0);
	keypad (stdscr, TRUE);
	timeout ((int) (t->opt.interval_ns / GOAD_MS));
	while ((lives = top_read (t)) && on) {
		draw (t);
		on = key (t, getch ());
	}
	endwin ();
	if (!lives)
		util_error ("process %d has ended", (int) t->program.pid);
	return TOOL_OK;
}

#else

const bool top_has_screen = false;

int top_screen (struct top *t)
{
	(void) t;
	return TOOL_CANNOT;
}

#endif
