/* SPDX-License-Identifier: MIT */
/* models_plot.c - the table as a picture: a panel for each row, a bar for each model */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <errno.h>
#include <stdio.h>

#include "models.h"

#ifdef HAVE_CAIRO

#include <math.h>
#include <string.h>

#include "plot.h"

enum {
	COLUMNS = 2,
	GAP = 50,
	PANEL_WIDTH = (PLOT_WIDTH - 2 * PLOT_EDGE - GAP) / COLUMNS,
	PANEL_HEIGHT = 232,
	BAR = 20,
	STEP = 27,
	HEAD = 92,
	LABELS = 118,
	VALUES = 122
};

static const unsigned colours[MODELS] = { 0x8d69b8, 0x3b76af, 0xef8536, 0x519e3e };

/* Logarithmic where the values differ by much; the least has a bar that can be seen. */
struct scale {
	double from, to;
	bool log;
};

static struct scale scale_of (const struct models *m, unsigned row)
{
	double least = INFINITY, most = 0;

	for (unsigned i = 0; i < MODELS; i++) {
		const struct models_value *v = &m->value[i][row];

		if (!v->known || v->endless)
			continue;
		least = fmin (least, v->value);
		most = fmax (most, v->value);
	}
	if (most > 8 * least && strcmp (models_rows[row].unit, "x") != 0)
		return (struct scale){ least / 4, most, true };
	return (struct scale){ 0, most > 0 ? most : 1, false };
}

static double along (const struct scale *s, double v)
{
	return s->log ? log (v / s->from) / log (s->to / s->from) : v / s->to;
}

/* Breaks a sentence into lines that fit. */
static void sentences (struct plot *plot, double x, double y, double width,
                       const char *const text[2])
{
	char all[512], line[256] = "", longer[256];

	snprintf (all, sizeof all, "%s %s", text[0], text[1]);
	for (char *w = strtok (all, " "); w != NULL; w = strtok (NULL, " ")) {
		snprintf (longer, sizeof longer, "%.200s%s%.40s", line, line[0] != '\0' ? " " : "", w);
		if (plot_text_width (plot, 11.5, longer) > width) {
			plot_text (plot, x, y, 11.5, false, PLOT_START, PLOT_FAINT, line);
			y += 15;
			snprintf (line, sizeof line, "%s", w);
		} else {
			memcpy (line, longer, sizeof line);
		}
	}
	plot_text (plot, x, y, 11.5, false, PLOT_START, PLOT_FAINT, line);
}

static void panel (struct plot *plot, const struct models *m, unsigned row, double x, double y)
{
	struct scale s = scale_of (m, row);
	double room = PANEL_WIDTH - LABELS - VALUES;
	char text[64], value[32];

	plot_text (plot, x, y + 16, 16, true, PLOT_START, PLOT_INK, models_rows[row].title);
	if (s.log)
		plot_text (plot, x + PANEL_WIDTH, y + 16, 11.5, false, PLOT_END, PLOT_FAINT, "logarithmic");
	sentences (plot, x, y + 35, PANEL_WIDTH, models_rows[row].text);
	for (unsigned i = 0; i < MODELS; i++) {
		const struct models_value *v = &m->value[i][row];
		double top = y + HEAD + STEP * i;
		double w = !v->known ? 0 : v->endless ? room : room * fmin (along (&s, v->value), 1);

		plot_text (plot, x + LABELS - 10, top + 15, 13, false, PLOT_END, PLOT_INK,
		           models_worlds[i].title);
		plot_colour (plot->cr, PLOT_EMPTY);
		plot_box (plot->cr, x + LABELS, top, room, BAR);
		plot_colour (plot->cr, colours[i]);
		plot_box (plot->cr, x + LABELS, top, fmax (w, 2), BAR);
		snprintf (text, sizeof text, "%s%s", models_show (value, &models_rows[row], v),
		          strcmp (models_rows[row].unit, "x") == 0 ? " times" : "");
		plot_text (plot, x + LABELS + room + 10, top + 15, 13, v->endless, PLOT_START, PLOT_INK,
		           text);
	}
}

static void draw (cairo_t *cr, void *arg)
{
	const struct models *m = arg;
	struct plot plot = { .cr = cr };
	char s[128];

	plot_text (&plot, PLOT_EDGE, 48, 24, true, PLOT_START, PLOT_INK,
	           "Four thread models, on this machine");
	snprintf (s, sizeof s, "%u CPUs, medians of %u%s", m->cpus, m->repeat,
	          m->quick ? ", quick" : "");
	plot_text (&plot, PLOT_WIDTH - PLOT_EDGE, 48, 14, false, PLOT_END, PLOT_FAINT, s);
	for (unsigned row = 0; row < ROWS; row++)
		panel (&plot, m, row, PLOT_EDGE + (PANEL_WIDTH + GAP) * (row % COLUMNS),
		       84 + PANEL_HEIGHT * (row / COLUMNS));
	plot_text (&plot, PLOT_EDGE, 84 + PANEL_HEIGHT * (ROWS / COLUMNS) + 4, 11.5, false, PLOT_START,
	           PLOT_FAINT,
	           "Delays: of one that is to run each millisecond, beside as many calls or loops as "
	           "there are CPUs. N:1: goad with one thread and without preemption.");
}

int models_plot (struct models *m, char *why, size_t why_size)
{
	return plot_page (m->plot, 84 + PANEL_HEIGHT * (ROWS / COLUMNS) + 24, draw, m, why, why_size);
}

#else

int models_plot (struct models *m, char *why, size_t why_size)
{
	(void) m;
	snprintf (why, why_size, "not built in");
	return -ENOTSUP;
}

#endif
