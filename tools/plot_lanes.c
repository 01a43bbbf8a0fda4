/* SPDX-License-Identifier: MIT */
/* plot_lanes.c - the timeline in the picture: a lane for each P, the whole run and a
 * stretch of it in which single slices can be seen */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "run.h"

/* ISO C forbids an empty file, so the test stands below the first declarations. */
#ifdef HAVE_CAIRO

#include <math.h>
#include <stdio.h>

#include "plot.h"

enum { LANES_MAX = 64, AXIS = 40, HEAD = 30, PIECES_MAX = 2000 };

static unsigned lanes (const struct run *run)
{
	unsigned n = run->timeline != NULL ? run->timeline->procs : 0;

	return n < LANES_MAX ? n : LANES_MAX;
}

static double lane_height (const struct run *run)
{
	return lanes (run) <= 8 ? 30 : lanes (run) <= 24 ? 18 : 10;
}

static bool legend_needed (const struct run *run)
{
	return run->tasks_n <= 24;
}

/* The stretch that was looked at closely; 0 where the whole run is hardly longer. */
static double zoom_span (const struct run *run)
{
	const struct timeline *tl = run->timeline;

	if (tl == NULL || tl->close_to == 0 || tl->close_to > run->end_ns)
		return 0;
	double span = (double) (tl->close_to - tl->close_from);
	return span < 0.8 * run->figures[FIG_ELAPSED] ? span : 0;
}

double plot_lanes_height (const struct run *run)
{
	double panel = HEAD + lanes (run) * lane_height (run) + AXIS;

	return (zoom_span (run) > 0 ? 2 : 1) * panel +
	       (legend_needed (run) ? 26.0 * ((run->tasks_n + 5) / 6) + 6 : 0) + 34;
}

/* A step of 1, 2 or 5 times a power of ten that makes about ten marks. */
static double axis_step (double span)
{
	double step = pow (10, floor (log10 (span / 10)));

	if (span / step > 50)
		return step * 10;
	return span / step > 20 ? step * 5 : span / step > 10 ? step * 2 : step;
}

void plot_axis (struct plot *plot, double from, double to, double top, double foot)
{
	double step = axis_step (to - from), scale = (PLOT_RIGHT - PLOT_LEFT) / (to - from);
	double unit = to >= 2e9 && step >= 1e7 ? 1e9 : to >= 2e6 || step >= 1e6 ? 1e6 : 1e3;
	int digits = step / unit >= 1 ? 0 : (int) ceil (-log10 (step / unit) - 1e-9);
	char s[32];

	cairo_set_line_width (plot->cr, 1);
	for (double t = ceil (from / step) * step; t <= to * (1 + 1e-12); t += step) {
		double x = PLOT_LEFT + (t - from) * scale;

		plot_colour (plot->cr, PLOT_LINE);
		cairo_move_to (plot->cr, floor (x) + 0.5, top);
		cairo_line_to (plot->cr, floor (x) + 0.5, foot + 5);
		cairo_stroke (plot->cr);
		snprintf (s, sizeof s, "%.*f %s", digits, t / unit,
		          unit >= 1e9   ? "s"
		          : unit >= 1e6 ? "ms"
		                        : "us");
		plot_text (plot, x, foot + 19, 12, false, PLOT_MIDDLE, PLOT_FAINT, s);
	}
}

static void lane_grounds (struct plot *plot, double top)
{
	double h = lane_height (plot->run);
	char s[16];

	for (unsigned p = 0; p < lanes (plot->run); p++) {
		double y = top + p * h;

		plot_colour (plot->cr, PLOT_EMPTY);
		plot_box (plot->cr, PLOT_LEFT, y, PLOT_RIGHT - PLOT_LEFT, h - 3);
		snprintf (s, sizeof s, "P%u", p);
		if (h >= 18 || p % 4 == 0)
			plot_text (plot, PLOT_LEFT - 10, y + h / 2 + 3, 13, false, PLOT_END, PLOT_INK, s);
	}
}

/* Pieces narrower than a pixel are drawn as they are, and smoothing mixes their
 * colours: to draw only the one that had most of the pixel would hide the others. */
static void segments (struct plot *plot, double from, double to, double top, bool zoomed)
{
	const struct timeline *tl = plot->run->timeline;
	double h = lane_height (plot->run), scale = (PLOT_RIGHT - PLOT_LEFT) / (to - from);
	double start = (double) atomic_load (&plot->run->start_ns);

	for (size_t i = 0; i < tl->n; i++) {
		const struct segment *s = &tl->segments[i];
		double a = (double) s->from - start, b = (double) s->to - start;

		a = fmax (a, from);
		b = fmin (b, to);
		if (b <= a || s->proc >= lanes (plot->run))
			continue;
		double x = PLOT_LEFT + (a - from) * scale, w = (b - a) * scale;
		double y = top + s->proc * h;

		plot_task_colour (plot, s->task);
		plot_box (plot->cr, x, y, zoomed && w > 3 ? w - 1 : w, h - 3);
	}
}

/* So many rectangles would make an SVG of megabytes: they go into it as an image. */
static void segments_as_image (struct plot *plot, double from, double to, double top)
{
	double w = PLOT_RIGHT - PLOT_LEFT, h = lanes (plot->run) * lane_height (plot->run);
	cairo_surface_t *image = cairo_image_surface_create (CAIRO_FORMAT_ARGB32, (int) (2 * w),
	                                                     (int) (2 * h));
	cairo_t *page = plot->cr;

	plot->cr = cairo_create (image);
	cairo_scale (plot->cr, 2, 2);
	cairo_translate (plot->cr, -PLOT_LEFT, -top);
	segments (plot, from, to, top, false);
	cairo_destroy (plot->cr);
	plot->cr = page;
	cairo_save (page);
	cairo_translate (page, PLOT_LEFT, top);
	cairo_scale (page, 0.5, 0.5);
	cairo_set_source_surface (page, image, 0, 0);
	cairo_paint (page);
	cairo_restore (page);
	cairo_surface_destroy (image);
}

static void panel (struct plot *plot, const char *head, double from, double to, bool zoomed)
{
	double top = plot->y + HEAD, foot = top + lanes (plot->run) * lane_height (plot->run);

	plot_text (plot, PLOT_EDGE, plot->y + 14, 16, true, PLOT_START, PLOT_INK, head);
	plot_axis (plot, from, to, top, foot);
	lane_grounds (plot, top);
	if (zoomed || plot->run->timeline->n < PIECES_MAX)
		segments (plot, from, to, top, zoomed);
	else
		segments_as_image (plot, from, to, top);
	plot->y = foot + AXIS;
}

/* The names again, so that the lanes can be read without looking up. */
static void legend (struct plot *plot)
{
	const struct run *run = plot->run;
	double column = (PLOT_RIGHT - PLOT_EDGE) / 6.0;

	for (unsigned i = 0; i < run->tasks_n; i++) {
		double x = PLOT_EDGE + column * (i % 6), y = plot->y + 26.0 * (i / 6);

		plot_task_colour (plot, i);
		plot_box (plot->cr, x, y, 14, 14);
		plot_text (plot, x + 20, y + 12, 12, false, PLOT_START, PLOT_INK, run->tasks[i].name);
	}
	plot->y += 26.0 * ((run->tasks_n + 5) / 6) + 6;
}

void plot_lanes (struct plot *plot)
{
	const struct run *run = plot->run;
	double all = run->figures[FIG_ELAPSED];
	double zoom = zoom_span (run);
	char s[256], a[16];

	if (run->timeline == NULL || run->timeline->n == 0 || all <= 0)
		return;
	panel (plot, "Who ran when: the whole run", 0, all, zoom <= 0);
	if (zoom > 0) {
		double from = (double) (run->timeline->close_from - atomic_load (&run->start_ns));

		snprintf (s, sizeof s, "Who ran when: %s of it", util_time (a, zoom));
		panel (plot, s, from, from + zoom, true);
	}
	if (legend_needed (run))
		legend (plot);
	snprintf (s, sizeof s,
	          "The lanes are sampled from outside the scheduler, about every %s: what ran for "
	          "less may be missing. Light grey: nobody, or not seen.%s",
	          util_time (a, (double) run->timeline->interval_ns),
	          run->timeline->n == run->timeline->cap ? " The samples ended before the run." : "");
	plot_text (plot, PLOT_EDGE, plot->y + 14, 12, false, PLOT_START, PLOT_FAINT, s);
}

#endif
