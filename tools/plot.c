/* SPDX-License-Identifier: MIT */
/* plot.c - the picture of a run: who got how much, and who ran when */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "run.h"

#ifdef HAVE_CAIRO

#include <cairo-svg.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "plot.h"

enum { ROWS_MAX = 24, ROW = 26, COLUMNS_HEIGHT = 180 };

/* Colours that stay apart for most eyes; beyond them the hue goes round. */
static const unsigned palette[] = { 0x3b76af, 0xef8536, 0x519e3e, 0xc53a32, 0x8d69b8, 0x84584e,
	                                0xd57dbe, 0x17a2b0, 0xb5b52b, 0x556677, 0x9ecae1, 0xf6c667 };

void plot_colour (cairo_t *cr, unsigned rgb)
{
	cairo_set_source_rgb (cr, (rgb >> 16 & 255) / 255.0, (rgb >> 8 & 255) / 255.0,
	                      (rgb & 255) / 255.0);
}

static double channel (double hue, double shift)
{
	return 0.55 + 0.3 * cos (2 * M_PI * (hue + shift));
}

void plot_nth_colour (cairo_t *cr, unsigned i, unsigned n)
{
	if (n <= UTIL_COUNT (palette)) {
		plot_colour (cr, palette[i]);
	} else {
		double hue = fmod (i * 0.618033988749895, 1);

		cairo_set_source_rgb (cr, channel (hue, 0), channel (hue, 2 / 3.0), channel (hue, 1 / 3.0));
	}
}

void plot_task_colour (struct plot *plot, unsigned task)
{
	if (task >= plot->run->tasks_n)
		plot_colour (plot->cr, 0xb0b7c0);
	else
		plot_nth_colour (plot->cr, task, plot->run->tasks_n);
}

static void choose_font (cairo_t *cr, double size, bool bold)
{
	cairo_select_font_face (cr, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
	                        bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
	cairo_set_font_size (cr, size);
}

double plot_text_width (struct plot *plot, double size, const char *s)
{
	cairo_text_extents_t e;

	choose_font (plot->cr, size, false);
	cairo_text_extents (plot->cr, s, &e);
	return e.x_advance;
}

void plot_text (struct plot *plot, double x, double y, double size, bool bold,
                enum plot_align align, unsigned rgb, const char *s)
{
	cairo_text_extents_t e;

	choose_font (plot->cr, size, bold);
	cairo_text_extents (plot->cr, s, &e);
	plot_colour (plot->cr, rgb);
	cairo_move_to (plot->cr, x - e.x_advance * (int) align / 2, y);
	cairo_show_text (plot->cr, s);
}

void plot_box (cairo_t *cr, double x, double y, double w, double h)
{
	cairo_rectangle (cr, x, y, w, h);
	cairo_fill (cr);
}

static void title (struct plot *plot)
{
	const struct run *run = plot->run;
	const double *f = run->figures;
	char s[256], a[16], b[16], c[16];

	snprintf (s, sizeof s, "goad run: %u coroutines on %llu Ps", run->tasks_n,
	          (unsigned long long) run->stats.procs);
	plot_text (plot, PLOT_EDGE, 48, 24, true, PLOT_START, PLOT_INK, s);
	snprintf (s, sizeof s, "%s, quantum %s, preempt %s", util_time (a, f[FIG_ELAPSED]),
	          util_time (b, (double) run->cfg.quantum_ns), run_preempt_name (run->cfg.preempt));
	plot_text (plot, PLOT_RIGHT, 48, 14, false, PLOT_END, PLOT_FAINT, s);
	int n = 0;
	if (run->known[FIG_JAIN])
		n += snprintf (s + n, sizeof s - (size_t) n, "Jain's index %.4f   ·   ", f[FIG_JAIN]);
	n += snprintf (s + n, sizeof s - (size_t) n, "longest wait %s", util_time (a, f[FIG_WAIT_MAX]));
	if (run->known[FIG_SLICE_MEAN])
		n += snprintf (s + n, sizeof s - (size_t) n, "   ·   mean slice %s",
		               util_time (a, f[FIG_SLICE_MEAN]));
	if (run->known[FIG_TICK_P50])
		n += snprintf (s + n, sizeof s - (size_t) n, "   ·   ticks late p50 %s, p99 %s, max %s",
		               util_time (a, f[FIG_TICK_P50]), util_time (b, f[FIG_TICK_P99]),
		               util_time (c, f[FIG_TICK_MAX]));
	if (run->known[FIG_ECHO_P50])
		n += snprintf (s + n, sizeof s - (size_t) n, "   ·   echoes p50 %s, p99 %s, max %s",
		               util_time (a, f[FIG_ECHO_P50]), util_time (b, f[FIG_ECHO_P99]),
		               util_time (c, f[FIG_ECHO_MAX]));
	snprintf (s + n, sizeof s - (size_t) n, "   ·   %.0f yielded, %.0f handed off", f[FIG_YIELDED],
	          f[FIG_HANDED_OFF]);
	plot_text (plot, PLOT_EDGE, 76, 14, false, PLOT_START, PLOT_INK, s);
	plot->y = 104;
}

static double all_cpu (const struct run *run)
{
	double all = 0;

	for (unsigned i = 0; i < run->tasks_n; i++)
		all += (double) run->tasks[i].last.cpu_ns;
	return all > 0 ? all : 1;
}

/* The fair share is drawn as a part of all CPU time, ticks and all. */
static double fair_part (const struct run *run, const struct task *t, double all)
{
	double hogs = 0;

	for (unsigned i = 0; i < run->tasks_n; i++)
		if (run->tasks[i].fair_share > 0)
			hogs += (double) run->tasks[i].last.cpu_ns;
	return t->fair_share * hogs / all;
}

static double largest_part (const struct run *run, double all)
{
	double largest = 1e-6;

	for (unsigned i = 0; i < run->tasks_n; i++) {
		const struct task *t = &run->tasks[i];

		largest = fmax (largest, (double) t->last.cpu_ns / all);
		largest = fmax (largest, fair_part (run, t, all));
	}
	return largest;
}

static void fair_mark (struct plot *plot, double x1, double y1, double x2, double y2)
{
	plot_colour (plot->cr, PLOT_INK);
	cairo_set_line_width (plot->cr, 2);
	cairo_move_to (plot->cr, x1, y1);
	cairo_line_to (plot->cr, x2, y2);
	cairo_stroke (plot->cr);
}

static void shorten (struct plot *plot, char *s, double size, double room)
{
	size_t len = strlen (s);

	while (len > 4 && plot_text_width (plot, size, s) > room) {
		len--;
		/* Never in the middle of a character. */
		while (len > 4 && ((unsigned char) s[len] & 0xc0) == 0x80)
			len--;
		memcpy (s + len, "…", sizeof "…");
	}
}

static void bar (struct plot *plot, const struct task *t, double all, double largest)
{
	double room = PLOT_RIGHT - PLOT_LEFT - 170, part = (double) t->last.cpu_ns / all;
	double y = plot->y, w = room * part / largest;
	char s[64], a[16];

	snprintf (s, sizeof s, "%s", t->name);
	shorten (plot, s, 13, PLOT_LEFT - PLOT_EDGE - 14);
	plot_text (plot, PLOT_LEFT - 10, y + 14, 13, false, PLOT_END, PLOT_INK, s);
	plot_task_colour (plot, t->index);
	plot_box (plot->cr, PLOT_LEFT, y, fmax (w, 1.5), ROW - 8);
	double fair = fair_part (plot->run, t, all) * room / largest;
	if (t->fair_share > 0)
		fair_mark (plot, PLOT_LEFT + fair, y - 3, PLOT_LEFT + fair, y + ROW - 5);
	snprintf (s, sizeof s, "%.1f%%   %s", 100 * part, util_time (a, (double) t->last.cpu_ns));
	plot_text (plot, PLOT_LEFT + fmax (w, fair) + 12, y + 14, 13, false, PLOT_START, PLOT_INK, s);
	plot->y += ROW;
}

/* For many coroutines: a column each, without names. */
static void columns (struct plot *plot, double all, double largest)
{
	const struct run *run = plot->run;
	double w = (double) (PLOT_RIGHT - PLOT_LEFT) / run->tasks_n, foot = plot->y + COLUMNS_HEIGHT;
	char s[32];

	for (unsigned i = 0; i < run->tasks_n; i++) {
		const struct task *t = &run->tasks[i];
		double h = COLUMNS_HEIGHT * (double) t->last.cpu_ns / all / largest;
		double fair = foot - COLUMNS_HEIGHT * fair_part (run, t, all) / largest;

		plot_task_colour (plot, i);
		plot_box (plot->cr, PLOT_LEFT + w * i, foot - h, w > 4 ? w - 1 : w, h);
		if (t->fair_share > 0 && run->tasks_n <= 2000)
			fair_mark (plot, PLOT_LEFT + w * i, fair, PLOT_LEFT + w * (i + 1), fair);
	}
	snprintf (s, sizeof s, "%.2g%%", 100 * largest);
	plot_text (plot, PLOT_LEFT - 10, plot->y + 10, 12, false, PLOT_END, PLOT_FAINT, s);
	plot_text (plot, PLOT_LEFT - 10, foot, 12, false, PLOT_END, PLOT_FAINT, "0");
	snprintf (s, sizeof s, "%u coroutines, as spawned", run->tasks_n);
	plot_text (plot, (PLOT_LEFT + PLOT_RIGHT) / 2.0, foot + 18, 12, false, PLOT_MIDDLE, PLOT_FAINT,
	           s);
	plot->y = foot + 26;
}

static bool many (const struct run *run)
{
	return run->tasks_n > ROWS_MAX;
}

static void shares (struct plot *plot)
{
	const struct run *run = plot->run;
	double all = all_cpu (run), largest = largest_part (run, all);

	plot_text (plot, PLOT_EDGE, plot->y + 14, 16, true, PLOT_START, PLOT_INK, "Share of CPU time");
	double x = PLOT_RIGHT - plot_text_width (plot, 12, "fair share, by weight") - 10;
	fair_mark (plot, x, plot->y + 2, x, plot->y + 18);
	plot_text (plot, x + 8, plot->y + 14, 12, false, PLOT_START, PLOT_FAINT,
	           "fair share, by weight");
	plot->y += 34;
	if (many (run))
		columns (plot, all, largest);
	for (unsigned i = 0; i < run->tasks_n && !many (run); i++)
		bar (plot, &run->tasks[i], all, largest);
	plot->y += 22;
}

static double height (const struct run *run)
{
	double h = 104 + 34 + 22 + 20;

	h += many (run) ? COLUMNS_HEIGHT + 26 : ROW * (double) run->tasks_n;
	return ceil (h + plot_lanes_height (run));
}

static void draw (cairo_t *cr, void *arg)
{
	struct plot plot = { .cr = cr, .run = arg };

	title (&plot);
	shares (&plot);
	plot_lanes (&plot);
}

int plot_page (const char *path, double h, void (*fn) (cairo_t *cr, void *arg), void *arg,
               char *why, size_t why_size)
{
	bool svg = strcasecmp (path + strlen (path) - 4, ".svg") == 0;
	double scale = svg ? 1 : 1.5;
	cairo_surface_t *surface = svg ? cairo_svg_surface_create (path, PLOT_WIDTH, h)
	                               : cairo_image_surface_create (CAIRO_FORMAT_RGB24,
	                                                             (int) (PLOT_WIDTH * scale),
	                                                             (int) (h * scale));
	cairo_t *cr = cairo_create (surface);

	cairo_scale (cr, scale, scale);
	plot_colour (cr, 0xffffff);
	cairo_paint (cr);
	fn (cr, arg);
	cairo_status_t status = cairo_status (cr);
	cairo_destroy (cr);
	if (status == CAIRO_STATUS_SUCCESS && !svg)
		status = cairo_surface_write_to_png (surface, path);
	cairo_surface_finish (surface);
	if (status == CAIRO_STATUS_SUCCESS)
		status = cairo_surface_status (surface);
	cairo_surface_destroy (surface);
	snprintf (why, why_size, "%s", cairo_status_to_string (status));
	return status == CAIRO_STATUS_SUCCESS ? 0 : -EIO;
}

int plot_write (struct run *run, const char *path, char *why, size_t why_size)
{
	return plot_page (path, height (run), draw, run, why, why_size);
}

#else

#include <errno.h>
#include <stdio.h>

int plot_write (struct run *run, const char *path, char *why, size_t why_size)
{
	(void) run, (void) path;
	snprintf (why, why_size, "not built in");
	return -ENOTSUP;
}

#endif
