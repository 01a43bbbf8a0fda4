/* SPDX-License-Identifier: MIT */
/* starve_trace.c - how a scenario's preemptions went, step by step, from a trace of it
 *
 * The library writes the trace into a file in memory that the parent made, and the parent
 * reads it as goad trace does.  The library spends a small part of one CPU on it at the most,
 * and counts what it did not write; a long one is ended here, as it has said enough. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/starve.h"

enum { ENOUGH = 4 << 20 };

static void path_of (char path[32], int fd)
{
	snprintf (path, 32, "/proc/self/fd/%d", fd);
}

int starve_trace_open (void)
{
	const char *own = getenv ("GOAD_TRACE");

	if (own != NULL && *own) /* there can be one only, and somebody wants that */
		return -1;
	return memfd_create ("goad-starve", MFD_CLOEXEC);
}

void starve_trace_begin (int fd)
{
	char path[32];

	path_of (path, fd);
	if (fd >= 0)
		(void) goad_trace_start (path);
}

void starve_trace_look (int fd)
{
	static bool over;
	struct stat st;

	if (fd < 0 || over || fstat (fd, &st) < 0 || st.st_size < ENOUGH)
		return;
	over = true;
	(void) goad_trace_stop ();
}

void starve_trace_end (int fd)
{
	if (fd >= 0)
		(void) goad_trace_stop ();
}

static void add_deferred (struct starve_split *to, const char *why, uint64_t n)
{
	if (to->deferred_n == UTIL_COUNT (to->deferred)) {
		unsigned last = to->deferred_n - 1;
		to->deferred[last].n += n;
		snprintf (to->deferred[last].why, sizeof to->deferred[last].why, "others");
		return;
	}
	to->deferred[to->deferred_n].n = n;
	snprintf (to->deferred[to->deferred_n++].why, sizeof to->deferred[0].why, "%s", why);
}

static void take (struct starve_split *to, const struct trace *t, const struct trace_split *s)
{
	to->known = true;
	to->lost = t->lost;
	memcpy (to->by_how, s->by_how, sizeof to->by_how);
	for (int i = 0; i < TRACE_STEPS; i++) {
		const struct hist *h = &s->step[i];
		to->step[i].n = atomic_load (&h->count);
		to->step[i].p50_ns = util_hist_quantile (h, 0.5);
		to->step[i].p99_ns = util_hist_quantile (h, 0.99);
		to->step[i].max_ns = atomic_load (&h->max);
	}
	for (size_t k = 0; k < s->reasons; k++)
		if (s->reason[k].how == TRACE_DEFERRED)
			add_deferred (to, s->reason[k].why ? trace_string (t, s->reason[k].why) : "not told",
			              s->reason[k].n);
}

void starve_trace_read (int fd, struct starve_split *to)
{
	char path[32];
	struct stat st;

	memset (to, 0, sizeof *to);
	if (fd < 0 || fstat (fd, &st) < 0 || st.st_size == 0)
		return;
	path_of (path, fd);
	struct trace *t = trace_open (path);
	struct trace_split *s = t != NULL ? trace_split (t) : NULL;
	if (s != NULL)
		take (to, t, s);
	free (s);
	trace_free (t);
	/* The next one is written from the beginning. */
	(void) !ftruncate (fd, 0);
}
