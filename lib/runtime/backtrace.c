/* SPDX-License-Identifier: MIT */
#include "runtime/backtrace.h"

#include <fcntl.h>
#include <string.h>

#include "base/fatal.h"
#include "base/syscall.h"

struct maps_line {
	uintptr_t start, end, file_offset;
	char path[256];
};

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
static void parse_line (const char *s, struct maps_line *l)
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

/* Where each address lies. */
static struct {
	struct goad__named named[GOAD__BACKTRACE_MAX];
	char path[GOAD__BACKTRACE_MAX][256];
	uintptr_t base[GOAD__BACKTRACE_MAX];
} at;

static void locate (const struct maps_line *l, uintptr_t base, int n)
{
	const char *slash = strrchr (l->path, '/');

	for (int i = 0; i < n; i++) {
		struct goad__named *f = &at.named[i];
		if (f->pc < l->start || f->pc >= l->end || !l->path[0])
			continue;
		f->in_module = f->pc - base;
		goad__format (f->module, sizeof f->module, "%s", slash ? slash + 1 : l->path);
		memcpy (at.path[i], l->path, sizeof at.path[i]);
		at.base[i] = base;
	}
}

static void locate_all (int n)
{
	static char buf[4096], line[512]; /* an alternate signal stack is small */
	static struct maps_line now;
	static char module[sizeof now.path];
	uintptr_t base = 0;
	size_t len = 0;
	long got, fd = goad__syscall4 (SYS_openat, AT_FDCWD, (long) "/proc/self/maps",
	                               O_RDONLY | O_CLOEXEC, 0);

	module[0] = 0;
	while (fd >= 0 && (got = goad__syscall3 (SYS_read, fd, (long) buf, sizeof buf)) > 0)
		for (long i = 0; i < got; i++) {
			if (buf[i] != '\n') {
				if (len < sizeof line - 1)
					line[len++] = buf[i];
				continue;
			}
			line[len] = 0;
			len = 0;
			parse_line (line, &now);
			/* A module's first mapping tells where it was loaded. */
			if (strcmp (module, now.path) != 0) {
				memcpy (module, now.path, sizeof module);
				base = now.start - now.file_offset;
			}
			locate (&now, base, n);
		}
	if (fd >= 0)
		goad__syscall3 (SYS_close, fd, 0, 0);
}

const struct goad__named *goad__backtrace_name (const uintptr_t *pc, int n, bool exact)
{
	memset (&at, 0, sizeof at);
	for (int i = 0; i < n; i++)
		at.named[i].pc = pc[i];
	locate_all (n);
	for (int i = 0; i < n; i++) {
		struct goad__named *f = &at.named[i];
		uintptr_t back = i > 0 || !exact; /* the call may be its function's last instruction */
		if (goad__symbol_find (at.path[i], at.base[i], f->pc - back, f->symbol, sizeof f->symbol,
		                       &f->in_symbol))
			f->in_symbol += back;
	}
	goad__symbol_done ();
	return at.named;
}

void goad__backtrace_print (int fd, const struct goad__named *f, int n)
{
	for (int i = 0; i < n; i++, f++)
		if (f->symbol[0])
			goad__line_to (fd, "  #%d %p %s+%p %s+%p", i, (void *) f->pc, f->module,
			               (void *) f->in_module, f->symbol, (void *) f->in_symbol);
		else if (f->module[0])
			goad__line_to (fd, "  #%d %p %s+%p", i, (void *) f->pc, f->module,
			               (void *) f->in_module);
		else
			goad__line_to (fd, "  #%d %p", i, (void *) f->pc);
}
