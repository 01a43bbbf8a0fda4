/* SPDX-License-Identifier: MIT */
/* runtime/top.h - GOAD_TOP=1: what runs is shown in a page that another process may read */
#ifndef GOAD_RUNTIME_TOP_H
#define GOAD_RUNTIME_TOP_H

#include "base/base.h"
#include "goad/top.h"

/* top.c: the runtime has started; it is about to end; a child of fork. */
int goad__top_begin (void); /* 0, also where there is to be no page, or cannot be any */
void goad__top_end (void);
void goad__top_forked (void);
int goad__top_threads (void); /* 0 or 1 */

/* top_file.c: the page; NULL, after a line that says why not. */
struct goad_top_page *goad__top_file_open (void);
void goad__top_file_close (void);
void goad__top_file_forget (void);

/* top_look.c: what is to be seen now, into to, whose head is filled already. */
void goad__top_look_begin (void);
void goad__top_look (struct goad_top_page *to, uint64_t now);

#endif
