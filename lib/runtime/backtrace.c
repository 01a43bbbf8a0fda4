/* SPDX-License-Identifier: MIT */
#include "runtime/backtrace.h"

#include <fcntl.h>
#include <string.h>

#include "base/fatal.h"
#include "base/syscall.h"

static bool is_hex (char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static const char *parse_hex (const char *s, uintptr_t *v)
{
	for (*v = 0; is_hex (*s); s++)
		*v = *v * 16 + (uintptr_t) (*s <= '9' ? *s - '0' : *s - 'a' + 10);
	return *s ? s + 1 : s;
}

/* "start-end perms offset dev inode   path" */
static void parse_line (const char *s, struct goad__mapping *l)
{
	size_t n;

	s = parse_hex (s, &l->start);
	s = parse_hex (s, &l->end);
	while (*s && *s++ != ' ')
		;
	s = parse_hex (s, &l->file_offset);
	for (int words = 0; words < 2; words++)
		while (*s && *s++ != ' ')
			;
	while (*s == ' ')
		s++;
	n = strlen (s);
	if (n >= sizeof l->path)
		n = sizeof l->path - 1;
	memcpy (l->path, s, n);
	l->path[n] = 0;
}

static void locate (struct goad__namer *w, uintptr_t base, int n)
{
	const struct goad__mapping *l = &w->now;
	const char *slash = strrchr (l->path, '/');

	for (int i = 0; i < n; i++) {
		struct goad__named *f = &w->named[i];
		if (f->pc < l->start || f->pc >= l->end || !l->path[0])
			continue;
		f->in_module = f->pc - base;
		goad__format (f->module, sizeof f->module, "%s", slash ? slash + 1 : l->path);
		memcpy (w->path[i], l->path, sizeof w->path[i]);
		w->base[i] = base;
	}
}

static void locate_all (struct goad__namer *w, int n)
{
	uintptr_t base = 0;
	size_t len = 0;
	long got, fd = goad__syscall4 (SYS_openat, AT_FDCWD, (long) "/proc/self/maps",
	                               O_RDONLY | O_CLOEXEC, 0);

	w->module[0] = 0;
	while (fd >= 0 && (got = goad__syscall3 (SYS_read, fd, (long) w->buf, sizeof w->buf)) > 0)
		for (long i = 0; i < got; i++) {
			if (w->buf[i] != '\n') {
				if (len < sizeof w->line - 1)
					w->line[len++] = w->buf[i];
				continue;
			}
			w->line[len] = 0;
			len = 0;
			parse_line (w->line, &w->now);
			/* A module's first mapping tells where it was loaded. */
			if (strcmp (w->module, w->now.path) != 0) {
				memcpy (w->module, w->now.path, sizeof w->module);
				base = w->now.start - w->now.file_offset;
			}
			locate (w, base, n);
		}
	if (fd >= 0)
		goad__syscall3 (SYS_close, fd, 0, 0);
}

static struct goad__named *kept (struct goad__namer *w, uintptr_t pc)
{
	return &w->kept[(pc * 0x9e3779b97f4a7c15u) >> 54];
}
_Static_assert(GOAD__BACKTRACE_KEPT == 1 << (64 - 54), "the hash fits");

/* False: some are new. */
static bool recall (struct goad__namer *w, const uintptr_t *pc, int n, bool exact)
{
	bool all = true;

	for (int i = 0; i < n; i++) {
		const struct goad__named *k = kept (w, pc[i]);
		bool is_exact = i == 0 && exact;

		if (k->pc == pc[i] && k->exact == is_exact) {
			w->named[i] = *k;
		} else {
			w->named[i] = (struct goad__named){ .pc = pc[i], .exact = is_exact };
			all = false;
		}
	}
	return all;
}

static void look_up (struct goad__namer *w, int i)
{
	struct goad__named *f = &w->named[i];
	uintptr_t back = !f->exact; /* the call may be its function's last instruction */

	if (goad__symbol_find (&w->file, w->path[i], w->base[i], f->pc - back, f->symbol,
	                       sizeof f->symbol, &f->in_symbol))
		f->in_symbol += back;
	*kept (w, f->pc) = *f;
}

const struct goad__named *goad__backtrace_name (struct goad__namer *w, const uintptr_t *pc, int n,
                                                bool exact)
{
	if (recall (w, pc, n, exact))
		return w->named;
	memset (w->path, 0, sizeof w->path);
	locate_all (w, n);
	for (int i = 0; i < n; i++)
		if (!w->named[i].symbol[0])
			look_up (w, i);
	return w->named;
}

void goad__backtrace_done (struct goad__namer *w)
{
	goad__symbol_done (&w->file);
}

size_t goad__backtrace_text (char *buf, size_t size, int i, const struct goad__named *f)
{
	if (f->symbol[0])
		return goad__format (buf, size, "  #%d %p %s+%p %s+%p", i, (void *) f->pc, f->module,
		                     (void *) f->in_module, f->symbol, (void *) f->in_symbol);
	if (f->module[0])
		return goad__format (buf, size, "  #%d %p %s+%p", i, (void *) f->pc, f->module,
		                     (void *) f->in_module);
	return goad__format (buf, size, "  #%d %p", i, (void *) f->pc);
}

void goad__backtrace_print (int fd, const struct goad__named *f, int n)
{
	char text[300];

	for (int i = 0; i < n; i++) {
		goad__backtrace_text (text, sizeof text, i, &f[i]);
		goad__line_to (fd, "%s", text);
	}
}
