/* SPDX-License-Identifier: MIT */
/* runtime/tracer.h - the tracer: rings are emptied into a file, and GOAD_SCHEDTRACE's lines
 * are written, by a thread of its own, which a coroutine's or sysmon's work never waits for */
#ifndef GOAD_RUNTIME_TRACER_H
#define GOAD_RUNTIME_TRACER_H

#include "base/base.h"

/* tracer.c: the runtime has started; its threads have ended; a child of fork. */
int goad__tracer_config (void); /* looks at the environment: 0, -EINVAL */
int goad__tracer_begin (void);
void goad__tracer_end (void);
void goad__tracer_forked (void);
int goad__tracer_threads (void); /* 0 or 1 */

/* trace_file.c: one file at a time, and one caller. */
int goad__trace_file_open (const char *path);
void goad__trace_file_begin (uint32_t gen); /* the runtime runs: threads write from now on */
size_t goad__trace_file_drain (void);       /* how many events there were                  */
void goad__trace_file_end (void);
int goad__trace_file_close (void); /* 0, or what the first write that failed said */
void goad__trace_file_forget (void);

/* schedtrace.c */
void goad__schedtrace_begin (void);
void goad__schedtrace_line (uint64_t now);

#endif
