/* SPDX-License-Identifier: MIT */
/* plot.h - what the pictures share: the page and its colours */
#ifndef GOAD_TOOLS_PLOT_H
#define GOAD_TOOLS_PLOT_H

#include <cairo.h>

#include "run.h"

enum { PLOT_WIDTH = 1200, PLOT_LEFT = 190, PLOT_RIGHT = 1150, PLOT_EDGE = 40 };

enum plot_align { PLOT_START, PLOT_MIDDLE, PLOT_END };

struct plot {
	cairo_t *cr;
	struct run *run;
	double y; /* how far down the page is filled */
};

/* Colours as 0xrrggbb. */
enum { PLOT_INK = 0x1f2933, PLOT_FAINT = 0x7b8794, PLOT_LINE = 0xd5dae1, PLOT_EMPTY = 0xeef1f4 };

void plot_colour (cairo_t *cr, unsigned rgb);
void plot_task_colour (struct plot *plot, unsigned task);
void plot_nth_colour (cairo_t *cr, unsigned i, unsigned n); /* one of n */
void plot_text (struct plot *plot, double x, double y, double size, bool bold,
                enum plot_align align, unsigned rgb, const char *s);
double plot_text_width (struct plot *plot, double size, const char *s);
void plot_box (cairo_t *cr, double x, double y, double w, double h);

/* A white page in a file, .svg or .png, that fn draws on; 0, or -EIO and why. */
int plot_page (const char *path, double height, void (*fn) (cairo_t *cr, void *arg), void *arg,
               char *why, size_t why_size);

/* plot_lanes.c: who ran when, the whole run and a part of it. */
double plot_lanes_height (const struct run *run);
void plot_axis (struct plot *plot, double from, double to, double top, double foot);
void plot_lanes (struct plot *plot);

#endif
