/* SPDX-License-Identifier: MIT */
/* run_live.c - the table that is redrawn on a terminal while the works run
 *
 * It goes to standard error, in one write from a buffer of its own: see
 * run_monitor.c for why neither malloc nor stdio's files are used here. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "run.h"

enum { BAR = 20, ROWS_MAX = 200 };

static char screen[ROWS_MAX * 256];
static size_t used;
static unsigned rows_drawn;

bool run_colour_wanted (int fd)
{
	const char *term = getenv ("TERM"), *no_color = getenv ("NO_COLOR");

	return isatty (fd) && term != NULL && strcmp (term, "dumb") != 0 &&
	       (no_color == NULL || no_color[0] == '\0');
}

__attribute__ ((format (printf, 1, 2))) static void put (const char *format, ...)
{
	va_list ap;

	va_start (ap, format);
	int n = vsnprintf (screen + used, sizeof screen - used, format, ap);
	va_end (ap);
	if (n > 0)
		used += (size_t) n;
	if (used >= sizeof screen)
		used = sizeof screen - 1;
}

/* A bar in eighths of a column. */
static void put_bar (double part)
{
	static const char *const eighths[] = { " ", "▏", "▎", "▍", "▌", "▋", "▊", "▉" };
	int n = (int) (part * BAR * 8 + 0.5);

	if (n > BAR * 8)
		n = BAR * 8;
	put ("\033[36m");
	for (int i = 0; i < BAR; i++, n -= 8)
		put ("%s", n >= 8 ? "█" : n > 0 ? eighths[n] : " ");
	put ("\033[0m");
}

static void put_row (const struct task *t, double all, double largest)
{
	char cpu[16], wait[16];
	double ns = (double) t->last.cpu_ns;
	static const char *const states[] = { "new", "ready", "runs", "waits", "blocked", "ended" };
	int state = t->last.state >= 0 && t->last.state <= 5 ? t->last.state : 0;

	put (" %-22.22s %8s %5.1f%% ", t->name, util_time (cpu, ns), all > 0 ? 100 * ns / all : 0);
	put_bar (largest > 0 ? ns / largest : 0);
	put (" %7llu %9s  %s\033[K\n",
	     (unsigned long long) (t->last.preempt_yielded + t->last.preempt_handed_off),
	     util_time (wait, (double) t->last.wait_max_ns), states[state]);
}

static void put_head (struct run *run, const goad_stats_t *s)
{
	char now[16], end[16];
	double elapsed = (double) (goad_now () - atomic_load (&run->start_ns));

	put ("\033[1mgoad run\033[0m  %s", util_time (now, elapsed));
	if (run->opt.for_ns != 0)
		put (" of %s", util_time (end, (double) run->opt.for_ns));
	put ("  %llu coroutines on %llu Ps, %llu threads", (unsigned long long) run->tasks_n,
	     (unsigned long long) s->procs, (unsigned long long) s->threads);
	put ("  (Ctrl-C ends it)\033[K\n");
	put ("\033[2m %-22s %8s %6s %-*s %7s %9s\033[0m\033[K\n", "work", "cpu", "share", BAR, "",
	     "preempt", "max wait");
}

static void erase (void)
{
	if (rows_drawn > 0)
		put ("\033[%uA\r", rows_drawn);
	rows_drawn = 0;
}

void run_live_draw (struct run *run)
{
	struct winsize w = { .ws_row = 24 };
	double all = 0, largest = 0;

	(void) ioctl (STDERR_FILENO, TIOCGWINSZ, &w);
	/* A line that wraps would spoil the count of rows to go back. */
	if (w.ws_col != 0 && w.ws_col < 84)
		return;
	if (w.ws_row == 0)
		w.ws_row = 24;
	unsigned room = w.ws_row > 6 ? w.ws_row - 4u : 4u;
	unsigned n = run->tasks_n < room ? run->tasks_n : room;
	if (n > ROWS_MAX - 8)
		n = ROWS_MAX - 8;
	(void) run_read_tasks (run);
	for (unsigned i = 0; i < run->tasks_n; i++) {
		double ns = (double) run->tasks[i].last.cpu_ns;

		all += ns;
		largest = ns > largest ? ns : largest;
	}
	used = 0;
	erase ();
	put_head (run, &run->stats);
	for (unsigned i = 0; i < n; i++)
		put_row (&run->tasks[i], all, largest);
	rows_drawn = n + 2;
	if (n < run->tasks_n) {
		put (" and %u more\033[K\n", run->tasks_n - n);
		rows_drawn++;
	}
	(void) util_write_all (STDERR_FILENO, screen, used);
}

void run_live_clear (struct run *run)
{
	if (!run->live || rows_drawn == 0)
		return;
	used = 0;
	erase ();
	put ("\033[J");
	(void) util_write_all (STDERR_FILENO, screen, used);
}
