/* SPDX-License-Identifier: MIT */
/* trace_plot.c - the picture of a trace: who ran when on which P, and where and how
 * each preemption happened; the whole, and a stretch in which single runs can be seen */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "trace.h"

#ifdef HAVE_CAIRO

#include <cairo-svg.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plot.h"

const char *const trace_plot_package = NULL;

enum { LANES_MAX = 128, TOP = 118, HEAD = 34, AXIS = 44, LEGEND_MAX = 24, PIECES_MAX = 3000 };
enum { COLUMNS = 6, ROW = 24 };

struct picture {
	struct plot page;
	const struct trace *t;
	double from, to, zoom_from, zoom_to; /* ns; zoom_to 0: none */
	unsigned lanes;
	unsigned *colour; /* of each coroutine: its place by CPU time */
	uint64_t *order;  /* the other way round                     */
	unsigned coloured;
};

static double lane_height (const struct picture *p)
{
	return p->lanes <= 4 ? 44 : p->lanes <= 8 ? 32 : p->lanes <= 16 ? 22 : p->lanes <= 32 ? 16 : 8;
}

/* Where the next one's mark or an edge must still be seen. */
static double bar_height (const struct picture *p)
{
	return lane_height (p) - (lane_height (p) > 20 ? 8 : lane_height (p) > 10 ? 3 : 1);
}

static const struct trace *sorting;

static int by_cpu (const void *a, const void *b)
{
	const struct trace_go *x = &sorting->gos[*(const uint64_t *) a - 1];
	const struct trace_go *y = &sorting->gos[*(const uint64_t *) b - 1];

	return x->cpu < y->cpu ? 1 : x->cpu > y->cpu ? -1 : x < y ? -1 : 1;
}

static bool choose_colours (struct picture *p)
{
	size_t n = p->t->gos_n;

	p->colour = calloc (n + 1, sizeof *p->colour);
	p->order = calloc (n + 1, sizeof *p->order);
	if (p->colour == NULL || p->order == NULL)
		return false;
	for (size_t i = 0; i < n; i++)
		p->order[i] = i + 1;
	sorting = p->t;
	if (n > 0)
		qsort (p->order, n, sizeof *p->order, by_cpu);
	while (p->coloured < n && p->t->gos[p->order[p->coloured] - 1].cpu > 0)
		p->colour[p->order[p->coloured] - 1] = p->coloured, p->coloured++;
	return true;
}

static bool switched (const struct trace_preempt *d)
{
	return d->how == TRACE_YIELD || d->how == TRACE_HANDOFF || d->how == TRACE_DEFERRED;
}

static double quantum (const struct trace *t)
{
	double q = strtod (trace_fact (t, "quantum_ns"), NULL);

	return q >= 1e3 ? q : 1e7;
}

/* A stretch of some quanta: the one in which most ways of preemption, and then most
 * preemptions, are to be seen. */
static void choose_zoom (struct picture *p)
{
	const struct trace *t = p->t;
	double span = fmax (8 * quantum (t), 2e5), best = -1;

	if (span > 0.5 * (p->to - p->from))
		return;
	for (size_t i = 0; i < t->preempts_n; i++) {
		double from = (double) t->preempts[i].decided - span / 20, score = 0;
		unsigned n[TRACE_HOWS] = { 0 };

		if (from < p->from || from + span > p->to)
			continue;
		for (size_t k = i; k < t->preempts_n && (double) t->preempts[k].decided < from + span; k++)
			if (switched (&t->preempts[k]))
				n[t->preempts[k].how]++;
		for (int how = 0; how < TRACE_HOWS; how++)
			score += n[how] ? 3 + fmin (n[how], 40) / 40 : 0;
		if (score > best) {
			best = score;
			p->zoom_from = from;
			p->zoom_to = from + span;
		}
		if (t->preempts_n > 2000)
			i += t->preempts_n / 2000;
	}
	if (best < 0) {
		p->zoom_from = p->from + (p->to - p->from - span) / 2;
		p->zoom_to = p->zoom_from + span;
	}
}

static unsigned legend_n (const struct picture *p)
{
	return p->coloured < LEGEND_MAX ? p->coloured : LEGEND_MAX;
}

static double height (const struct picture *p)
{
	double panel = HEAD + p->lanes * lane_height (p) + AXIS;

	return TOP + (p->zoom_to > 0 ? 2 : 1) * panel + ROW * ((legend_n (p) + COLUMNS - 1) / COLUMNS) +
	       76;
}

static void title (struct picture *p)
{
	const struct trace *t = p->t;
	char s[256], a[16], b[16], program[150];
	uint64_t n[TRACE_HOWS] = { 0 };

	snprintf (program, sizeof program, "%s", trace_fact (t, "program"));
	if (strlen (program) == sizeof program - 1)
		memcpy (program + sizeof program - 4, "...", 4);
	for (size_t i = 0; i < t->preempts_n; i++)
		n[t->preempts[i].how]++;
	snprintf (s, sizeof s, "goad trace: %zu coroutines on %u Ps", t->gos_n, t->procs);
	plot_text (&p->page, PLOT_EDGE, 48, 24, true, PLOT_START, PLOT_INK, s);
	snprintf (s, sizeof s, "%s, quantum %s, preempt %s", util_time (a, p->to - p->from),
	          util_time (b, quantum (t)), trace_fact (t, "preempt"));
	plot_text (&p->page, PLOT_RIGHT, 48, 14, false, PLOT_END, PLOT_FAINT, s);
	snprintf (s, sizeof s, "%llu preempted in place   ·   %llu handed off   ·   %llu deferred%s",
	          (unsigned long long) n[TRACE_YIELD], (unsigned long long) n[TRACE_HANDOFF],
	          (unsigned long long) n[TRACE_DEFERRED],
	          t->lost ? "   ·   events are missing: the rings were full" : "");
	plot_text (&p->page, PLOT_EDGE, 76, 14, false, PLOT_START, PLOT_INK, s);
	plot_text (&p->page, PLOT_EDGE, 97, 12, false, PLOT_START, PLOT_FAINT, program);
	p->page.y = TOP;
}

/* Down for a yield in place, a square for a hand-off, a cross for what was put off. */
static void mark (cairo_t *cr, double x, double y, double r, unsigned how)
{
	plot_colour (cr, PLOT_INK);
	if (how == TRACE_YIELD) {
		cairo_move_to (cr, x - r, y - r);
		cairo_line_to (cr, x + r, y - r);
		cairo_line_to (cr, x, y + r);
		cairo_close_path (cr);
		cairo_fill (cr);
	} else if (how == TRACE_HANDOFF) {
		cairo_rectangle (cr, x - r, y - r, 2 * r, 2 * r);
		plot_colour (cr, 0xffffff);
		cairo_fill_preserve (cr);
		plot_colour (cr, 0xb3261e);
		cairo_set_line_width (cr, r / 2);
		cairo_stroke (cr);
	} else {
		cairo_set_line_width (cr, r / 2);
		cairo_move_to (cr, x - r, y - r);
		cairo_line_to (cr, x + r, y + r);
		cairo_move_to (cr, x + r, y - r);
		cairo_line_to (cr, x - r, y + r);
		cairo_stroke (cr);
	}
}

static double scale_of (double from, double to)
{
	return (PLOT_RIGHT - PLOT_LEFT) / (to - from);
}

/* The name, where there is room for it. */
static void label (struct picture *p, const struct trace_run *r, double x, double y, double w)
{
	char name[48];
	const char *s = trace_go_name (p->t, r->go, name);
	double size = lane_height (p) > 24 ? 12 : 10;

	if (lane_height (p) >= 16 && w > 14 && plot_text_width (&p->page, size, s) < w - 6)
		plot_text (&p->page, x + 4, y + bar_height (p) / 2 + size / 3, size, false, PLOT_START,
		           0xffffff, s);
}

static size_t runs (struct picture *p, double from, double to, double top, bool labels, bool draw)
{
	double h = lane_height (p), bar = bar_height (p), scale = scale_of (from, to);
	size_t n = 0;

	for (size_t i = 0; i < p->t->runs_n; i++) {
		const struct trace_run *r = &p->t->runs[i];
		double a = fmax ((double) r->from, from), b = fmin ((double) r->to, to);

		if (b <= a || r->p >= p->lanes)
			continue;
		n++;
		if (!draw)
			continue;
		double x = PLOT_LEFT + (a - from) * scale, w = (b - a) * scale;
		double y = top + r->p * h + (h - bar);
		plot_nth_colour (p->page.cr, p->colour[r->go - 1], p->coloured);
		plot_box (p->page.cr, x, y, labels && w > 3 ? w - 0.75 : fmax (w, 0.15), bar);
		if (labels)
			label (p, r, x, y, w);
	}
	return n;
}

static void marks (struct picture *p, double from, double to, double top, bool zoomed)
{
	double h = lane_height (p), scale = scale_of (from, to);
	double r = h > 20 ? (zoomed ? 4 : 3) : h > 10 ? 2.5 : 1.5;
	double *last = calloc (p->lanes + 1, sizeof *last);

	for (size_t i = 0; i < p->t->preempts_n && last != NULL; i++) {
		const struct trace_preempt *d = &p->t->preempts[i];
		double at = d->left ? (double) d->left : (double) d->decided;
		double x = PLOT_LEFT + (at - from) * scale;

		if (!switched (d) || at < from || at > to || d->p >= p->lanes)
			continue;
		/* Where they stand as close as that, another one tells nothing more. */
		if (x - last[d->p] < (d->how == TRACE_YIELD ? 1.0 : 0.3) * r)
			continue;
		last[d->p] = x;
		mark (p->page.cr, x, top + d->p * h + (h - bar_height (p)) / 2 + (h > 20 ? 0 : r / 2), r,
		      d->how);
	}
	free (last);
}

/* So many rectangles would make an SVG of megabytes: they go into it as an image. */
static void as_image (struct picture *p, double from, double to, double top)
{
	double w = PLOT_RIGHT - PLOT_LEFT, h = p->lanes * lane_height (p);
	cairo_surface_t *image = cairo_image_surface_create (CAIRO_FORMAT_ARGB32, (int) (2 * w),
	                                                     (int) (2 * h));
	cairo_t *page = p->page.cr;

	p->page.cr = cairo_create (image);
	cairo_scale (p->page.cr, 2, 2);
	cairo_translate (p->page.cr, -PLOT_LEFT, -top);
	runs (p, from, to, top, false, true);
	marks (p, from, to, top, false);
	cairo_destroy (p->page.cr);
	p->page.cr = page;
	cairo_save (page);
	cairo_translate (page, PLOT_LEFT, top);
	cairo_scale (page, 0.5, 0.5);
	cairo_set_source_surface (page, image, 0, 0);
	cairo_paint (page);
	cairo_restore (page);
	cairo_surface_destroy (image);
}

static void grounds (struct picture *p, double top)
{
	double h = lane_height (p), bar = bar_height (p);
	char s[16];

	for (unsigned i = 0; i < p->lanes; i++) {
		double y = top + i * h + (h - bar);

		plot_colour (p->page.cr, PLOT_EMPTY);
		plot_box (p->page.cr, PLOT_LEFT, y, PLOT_RIGHT - PLOT_LEFT, bar);
		snprintf (s, sizeof s, "P%u", i);
		if (h >= 14 || i % 4 == 0)
			plot_text (&p->page, PLOT_LEFT - 10, y + bar / 2 + 4, h >= 20 ? 13 : 11, false,
			           PLOT_END, PLOT_INK, s);
	}
}

static void panel (struct picture *p, const char *head, double from, double to, bool zoomed)
{
	double top = p->page.y + HEAD, foot = top + p->lanes * lane_height (p);

	plot_text (&p->page, PLOT_EDGE, p->page.y + 16, 16, true, PLOT_START, PLOT_INK, head);
	grounds (p, top);
	plot_axis (&p->page, from, to, top, foot);
	if (zoomed || runs (p, from, to, top, false, false) < PIECES_MAX) {
		runs (p, from, to, top, zoomed, true);
		marks (p, from, to, top, zoomed);
	} else {
		as_image (p, from, to, top);
	}
	p->page.y = foot + AXIS;
}

/* Where the stretch lies that is drawn below. */
static void bracket (struct picture *p, double y)
{
	double scale = scale_of (p->from, p->to);
	double a = PLOT_LEFT + (p->zoom_from - p->from) * scale;
	double b = PLOT_LEFT + (p->zoom_to - p->from) * scale;

	plot_colour (p->page.cr, PLOT_INK);
	plot_box (p->page.cr, a, y, fmax (b - a, 2), 3);
}

static void mark_legend (struct picture *p)
{
	static const struct {
		unsigned how;
		const char *text;
	} all[] = { { TRACE_YIELD, "preempted in place: any thread goes on with it" },
		        { TRACE_HANDOFF, "handed off: stopped with its thread" },
		        { TRACE_DEFERRED, "deferred: asked again" } };
	double x = PLOT_EDGE;

	for (size_t i = 0; i < UTIL_COUNT (all); i++) {
		mark (p->page.cr, x + 7, p->page.y + 7, 5, all[i].how);
		plot_text (&p->page, x + 20, p->page.y + 12, 12, false, PLOT_START, PLOT_INK, all[i].text);
		x += 20 + plot_text_width (&p->page, 12, all[i].text) + 30;
	}
	plot_text (&p->page, PLOT_RIGHT, p->page.y + 12, 12, false, PLOT_END, PLOT_FAINT,
	           "Light grey: nobody ran.");
	p->page.y += ROW;
}

static void legend (struct picture *p)
{
	double column = (PLOT_RIGHT - PLOT_EDGE) / (double) COLUMNS;
	char name[48], s[64];

	for (unsigned i = 0; i < legend_n (p); i++) {
		double x = PLOT_EDGE + column * (i % COLUMNS), y = p->page.y + ROW * (double) (i / COLUMNS);

		plot_nth_colour (p->page.cr, i, p->coloured);
		plot_box (p->page.cr, x, y, 14, 14);
		snprintf (s, sizeof s, "%.24s", trace_go_name (p->t, p->order[i], name));
		plot_text (&p->page, x + 20, y + 12, 12, false, PLOT_START, PLOT_INK, s);
	}
	p->page.y += ROW * (double) ((legend_n (p) + COLUMNS - 1) / COLUMNS);
	if (p->coloured > LEGEND_MAX) {
		snprintf (s, sizeof s, "... and %u that ran less", p->coloured - LEGEND_MAX);
		plot_text (&p->page, PLOT_EDGE, p->page.y + 12, 12, false, PLOT_START, PLOT_FAINT, s);
	}
}

static void draw (struct picture *p)
{
	char s[128], a[16], b[16];

	plot_colour (p->page.cr, 0xffffff);
	cairo_paint (p->page.cr);
	title (p);
	panel (p, "Who ran when", p->from, p->to, p->zoom_to <= 0);
	if (p->zoom_to > 0) {
		bracket (p, p->page.y - AXIS - 1);
		snprintf (s, sizeof s, "%s of it, from %s on (black bar above)",
		          util_time (a, p->zoom_to - p->zoom_from), util_time (b, p->zoom_from));
		panel (p, s, p->zoom_from, p->zoom_to, true);
	}
	mark_legend (p);
	legend (p);
}

/* The range asked for, or from the first event to the end. */
static void choose_range (struct picture *p, const struct trace_options *o)
{
	const struct trace *t = p->t;
	uint64_t first = t->runs_n > 0 ? t->runs[0].from : 0;
	bool asked = o->from > 0 || o->to < t->length;

	for (size_t i = 0; i < t->runs_n; i++)
		if (t->runs[i].from < first)
			first = t->runs[i].from;
	p->from = (double) (o->from > first ? o->from : first);
	p->to = (double) (o->to < t->length ? o->to : t->length);
	if (!asked)
		choose_zoom (p);
}

static int save (struct picture *p, const char *path)
{
	bool svg = strcasecmp (path + strlen (path) - 4, ".svg") == 0;
	double h = height (p), scale = svg ? 1 : 1.5;
	cairo_surface_t *surface = svg ? cairo_svg_surface_create (path, PLOT_WIDTH, h)
	                               : cairo_image_surface_create (CAIRO_FORMAT_RGB24,
	                                                             (int) (PLOT_WIDTH * scale),
	                                                             (int) (h * scale));
	cairo_status_t status;

	p->page.cr = cairo_create (surface);
	cairo_scale (p->page.cr, scale, scale);
	draw (p);
	status = cairo_status (p->page.cr);
	cairo_destroy (p->page.cr);
	if (status == CAIRO_STATUS_SUCCESS && !svg)
		status = cairo_surface_write_to_png (surface, path);
	cairo_surface_finish (surface);
	if (status == CAIRO_STATUS_SUCCESS)
		status = cairo_surface_status (surface);
	cairo_surface_destroy (surface);
	if (status == CAIRO_STATUS_SUCCESS)
		return TOOL_OK;
	util_error ("'%s': %s", path, cairo_status_to_string (status));
	return TOOL_USAGE;
}

int trace_plot (const struct trace *t, const struct trace_options *o)
{
	struct picture p = { .t = t, .lanes = t->procs < LANES_MAX ? t->procs : LANES_MAX };
	int code = TOOL_FAILED;

	choose_range (&p, o);
	if (p.lanes == 0 || p.to <= p.from) {
		util_error ("nobody runs in this part of the trace");
		code = TOOL_USAGE;
	} else if (choose_colours (&p)) {
		code = save (&p, o->out);
	} else {
		util_error ("no memory for the picture");
	}
	free (p.colour);
	free (p.order);
	return code;
}

#else

const char *const trace_plot_package = "libcairo2-dev";

int trace_plot (const struct trace *t, const struct trace_options *o)
{
	(void) t, (void) o;
	return TOOL_CANNOT;
}

#endif
