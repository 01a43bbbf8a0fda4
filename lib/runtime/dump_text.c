/* SPDX-License-Identifier: MIT */
/* A dump in words: doc/man/goad_dump.3 says what they mean. */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/fatal.h"
#include "base/syscall.h"
#include "goad/chan.h"
#include "runtime/dump.h"

#define PAUSE UINT64_C (1000000000) /* ns, at most, until who reads makes room */

/* ---- lines ----------------------------------------------------------------------------- */

static int await_room (struct dump *d)
{
	struct pollfd p = { .fd = d->fd, .events = POLLOUT };
	struct timespec limit = { PAUSE / 1000000000u, 0 };
	bool ours = !(d->how & DUMP_ASK); /* nobody may be held up for long */

	if (goad__syscall6 (SYS_ppoll, (long) &p, 1, ours ? (long) &limit : 0, 0, 0, 0) == 0)
		return -EAGAIN;
	return 0;
}

static void flush (struct dump *d)
{
	size_t done = 0;

	while (done < d->len && d->err == 0) {
		long n = goad__syscall3 (SYS_write, d->fd, (long) (d->text + done), (long) (d->len - done));
		if (n >= 0)
			done += (size_t) n;
		else if (n == -EAGAIN)
			d->err = await_room (d);
		else if (n != -EINTR)
			d->err = (int) n;
	}
	d->len = 0;
}

static void add (struct dump *d, const char *fmt, ...) GOAD__PRINTF (2, 3);
static void add (struct dump *d, const char *fmt, ...)
{
	char *at = d->text + d->len;
	size_t room = sizeof d->text - d->len, n;
	va_list ap;

	va_start (ap, fmt);
	n = goad__vformat (at, room, fmt, ap);
	va_end (ap);
	d->len += n < room ? n : room - 1;
}

static void begin_line (struct dump *d)
{
	if (sizeof d->text - d->len < 2048)
		flush (d);
	add (d, "%s", d->prefix);
}

static void end_line (struct dump *d)
{
	add (d, "\n");
}

/* Three digits and a unit: "123 us", "1.23 ms". */
static void add_time (struct dump *d, uint64_t ns)
{
	static const char *const units[] = { "ns", "us", "ms", "s" };
	uint64_t whole = ns, rest = 0;
	int u = 0;

	for (; u < 3 && whole >= 1000; u++) {
		rest = whole % 1000;
		whole /= 1000;
	}
	add (d, "%lu", (unsigned long) whole);
	if (u > 0 && whole < 10)
		add (d, ".%lu%lu", (unsigned long) (rest / 100), (unsigned long) (rest / 10 % 10));
	else if (u > 0 && whole < 100)
		add (d, ".%lu", (unsigned long) (rest / 100));
	add (d, " %s", units[u]);
}

static void add_age (struct dump *d, uint64_t now, uint64_t since)
{
	add_time (d, now > since ? now - since : 0);
}

static void add_size (struct dump *d, size_t bytes)
{
	if (bytes % 1024 == 0 || bytes >= 10240)
		add (d, "%zu", bytes / 1024);
	else
		add (d, "%zu.%zu", bytes / 1024, bytes % 1024 * 10 / 1024);
}

static void add_call (struct dump *d, const struct goad__call *c)
{
	static const struct {
		int nr;
		const char *name;
	} names[] = {
		{ SYS_read, "read" },
		{ SYS_write, "write" },
		{ SYS_futex, "futex" },
		{ SYS_nanosleep, "nanosleep" },
		{ SYS_clock_nanosleep, "clock_nanosleep" },
		{ SYS_ppoll, "ppoll" },
		{ SYS_pselect6, "pselect6" },
		{ SYS_epoll_pwait, "epoll_pwait" },
		{ SYS_accept, "accept" },
		{ SYS_accept4, "accept4" },
		{ SYS_connect, "connect" },
		{ SYS_recvfrom, "recvfrom" },
		{ SYS_sendto, "sendto" },
		{ SYS_wait4, "wait4" },
		{ SYS_flock, "flock" },
		{ SYS_fsync, "fsync" },
#ifdef SYS_poll
		{ SYS_poll, "poll" },
		{ SYS_select, "select" },
		{ SYS_epoll_wait, "epoll_wait" },
		{ SYS_pause, "pause" },
#endif
	};

	add (d, "system call %ld", c->nr);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].nr == c->nr)
			add (d, " (%s)", names[i].name);
	add (d, " on %p", (void *) c->arg);
}

/* ---- coroutines -------------------------------------------------------------------------- */

static void add_holder (struct dump *d, const struct dump_entry *e)
{
	if (e->holder_id)
		add (d, " held by coroutine %lu '%s'", (unsigned long) e->holder_id, e->holder_name);
	else if (e->holder_thread)
		add (d, " held by thread %p", (void *) e->holder_thread);
	else if (e->readers)
		add (d, " held by %u reader%s", e->readers, e->readers == 1 ? "" : "s");
}

static void add_cases (struct dump *d, const struct dump_entry *e)
{
	add (d, "; waits for one of %zu: ", e->ncases);
	for (size_t i = 0; i < e->ncases && i < DUMP_CASES; i++)
		add (d, "%s%s %p", i ? ", " : "", e->cases[i].op == GOAD_SEND ? "send" : "receive",
		     (void *) (uintptr_t) e->cases[i].chan);
	if (e->ncases > DUMP_CASES)
		add (d, ", ...");
}

/* What it waits for. */
static void add_wait (struct dump *d, const struct dump_entry *e, const char *kind)
{
	uint64_t when = (uintptr_t) e->on;

	if (strcmp (kind, "join") == 0) {
		add (d, "; waits for the end of coroutine %lu '%s'", (unsigned long) e->holder_id,
		     e->holder_name);
	} else if (strcmp (kind, "sleep") == 0) {
		add (d, "; sleeps for ");
		if (when == UINT64_MAX)
			add (d, "ever");
		else
			add_time (d, when > e->seen ? when - e->seen : 0);
		add (d, when == UINT64_MAX ? "" : " more");
	} else if (strcmp (kind, "descriptor") == 0) {
		add (d, "; waits for descriptor %d", (int) (intptr_t) e->on);
	} else if (e->ncases) {
		add_cases (d, e);
	} else {
		add (d, "; waits for %s %p", kind, (void *) (uintptr_t) e->on);
		add_holder (d, e);
		if (strncmp (kind, "chan ", 5) == 0)
			add (d, " (%zu of %zu)", e->len, e->cap);
	}
}

static void add_last (struct dump *d, const struct dump_entry *e)
{
	static const char *const how[] = { "", "yielded in place", "handed off", "was deferred" };
	const struct goad__named *f;

	add (d, "; preempted: %lu in place, %lu handed off, %lu deferred", (unsigned long) e->yielded,
	     (unsigned long) e->handed_off, (unsigned long) e->deferred);
	if (e->last.how == LAST_NEVER || e->last.how > LAST_DEFERRED)
		return;
	add (d, ", last ");
	add_age (d, e->seen, e->last.at);
	add (d, " ago: %s", how[e->last.how]);
	if (e->last.pc) {
		f = goad__backtrace_name (&d->namer, &e->last.pc, 1, true);
		if (f->symbol[0])
			add (d, " at %s+%p", f->symbol, (void *) f->in_symbol);
		else
			add (d, " at %p %s+%p", (void *) f->pc, f->module, (void *) f->in_module);
	}
	if (e->last.why)
		add (d, " (%s)", e->last.why);
}

/* The call into the library in which it waits; NULL: the symbols do not tell. */
static const char *call_of (const struct goad__named *f, int n)
{
	const char *call = NULL;

	for (int i = 0; i < n; i++)
		if (strncmp (f[i].symbol, "goad_", 5) == 0 && f[i].symbol[5] != '_') {
			call = f[i].symbol; /* the last of several: what the program called */
		} else if (call) {
			break;
		}
	return call;
}

static void tell_entry (struct dump *d, const struct dump_group *gr, const struct dump_entry *e,
                        const char *call)
{
	static const char *const state[] = { "running", "blocked", "runnable", "waiting" };

	begin_line (d);
	add (d, "coroutine %lu '%s' [%s", (unsigned long) e->id, e->name, state[e->class_]);
	if (e->handed)
		add (d, ", handed off");
	if (e->class_ == DUMP_WAITING && call)
		add (d, " in %s", call);
	if (e->since) {
		add (d, ", ");
		add_age (d, e->seen, e->since);
	}
	add (d, "]");
	if (e->p >= 0)
		add (d, " on P%d", e->p);
	if (e->m >= 0)
		add (d, "%s M%d", e->p >= 0 ? "," : e->locked ? " locked to" : " on", e->m);
	if (e->call.nr >= 0) {
		add (d, "; in ");
		add_call (d, &e->call);
	}
	if (gr->kind)
		add_wait (d, e, gr->kind);
	add (d, "; CPU ");
	add_time (d, e->cpu);
	add (d, " in %lu slices", (unsigned long) e->slices);
	add_last (d, e);
	add (d, "; stack ");
	if (e->depth) {
		add_size (d, e->depth);
		add (d, " KiB now, ");
	}
	add_size (d, e->used);
	add (d, " touched of ");
	add_size (d, e->size);
	add (d, " KiB");
	end_line (d);
}

static void tell_rest (struct dump *d, const struct dump_group *gr)
{
	begin_line (d);
	add (d, "and %u more in the same place: %u in all, numbers %lu to %lu, for ",
	     gr->count - gr->told, gr->count, (unsigned long) gr->id_min, (unsigned long) gr->id_max);
	add_age (d, d->now, gr->since_max);
	add (d, " to ");
	add_age (d, d->now, gr->since_min);
	end_line (d);
}

static void tell_group (struct dump *d, const struct dump_group *gr)
{
	/* Its names are looked up anew after the lines, which look up others. */
	const struct goad__named *f = goad__backtrace_name (&d->namer, gr->pc, gr->n, gr->exact);
	const char *call = call_of (f, gr->n);
	char name[sizeof f->symbol];

	if (gr->count == 0)
		return;
	if (call)
		memcpy (name, call, sizeof name);
	for (uint32_t i = gr->first; i != DUMP_NONE; i = d->entry[i].next)
		tell_entry (d, gr, &d->entry[i], call ? name : NULL);
	if (gr->told < gr->count)
		tell_rest (d, gr);
	f = goad__backtrace_name (&d->namer, gr->pc, gr->n, gr->exact);
	for (int i = 0; i < gr->n; i++) {
		begin_line (d);
		d->len += goad__backtrace_text (d->text + d->len, sizeof d->text - d->len, i, &f[i]);
		end_line (d);
	}
	if (gr->note || gr->n == GOAD__BACKTRACE_MAX) {
		begin_line (d);
		add (d, "  %s", gr->note ? gr->note : "...");
		end_line (d);
	}
}

static void tell_coroutines (struct dump *d)
{
	for (enum dump_class c = 0; c < DUMP_CLASSES; c++) {
		for (uint32_t i = 0; i < d->groups; i++)
			if (d->group[i].class_ == c)
				tell_group (d, &d->group[i]);
		tell_group (d, &d->group[DUMP_GROUPS + c]);
	}
	if (d->more_pending + d->more_entries == 0)
		return;
	begin_line (d);
	add (d, "%lu more that ran could not be looked at, %lu more lines were left out",
	     (unsigned long) d->more_pending, (unsigned long) d->more_entries);
	end_line (d);
}

/* ---- Ps and Ms ------------------------------------------------------------------------------ */

static void tell_proc (struct dump *d, const struct dump_proc *p)
{
	static const char *const state[] = { "idle", "running", "left in a block", "stopped" };

	begin_line (d);
	add (d, "P%d [%s]", p->id, p->state < 4 ? state[p->state] : "?");
	if (p->m >= 0)
		add (d, " on M%d", p->m);
	if (p->running && p->state == P_RUNNING) {
		add (d, ", coroutine %lu, slice of ", (unsigned long) p->running);
		add_age (d, d->now, p->since);
	}
	add (d, "; %u queued%s; %lu switches; preempted: %lu in place, %lu handed off, %lu deferred",
	     p->queued, p->next ? ", and one that goes next" : "", (unsigned long) p->switches,
	     (unsigned long) p->yielded, (unsigned long) p->handed, (unsigned long) p->deferred);
	end_line (d);
}

static void add_doing (struct dump *d, const struct dump_thread *t)
{
	if (t->g == 0)
		add (d, t->p >= 0 ? "schedules" : t->spinning ? "looks for work" : "idle");
	else if (t->p >= 0)
		add (d, "runs coroutine %lu", (unsigned long) t->g);
	else if (t->state == G_SYSCALL)
		add (d, "blocked with coroutine %lu", (unsigned long) t->g);
	else
		add (d, "waits with coroutine %lu", (unsigned long) t->g);
}

static void tell_thread (struct dump *d, const struct dump_thread *t)
{
	begin_line (d);
	add (d, "M%d tid %d [", t->id, t->tid);
	add_doing (d, t);
	add (d, "]");
	if (t->p >= 0)
		add (d, " has P%d", t->p);
	if (t->locked_g)
		add (d, "; locked to coroutine %lu", (unsigned long) t->locked_g);
	if (t->call.nr >= 0) {
		add (d, "; in ");
		add_call (d, &t->call);
	}
	add (d, "; CPU ");
	add_time (d, t->cpu);
	end_line (d);
}

int goad__dump_tell (struct dump *d, int fd, const char *prefix)
{
	d->fd = fd;
	d->prefix = prefix;
	begin_line (d);
	add (d, "%lu coroutines, %u Ps, %u Ms; %u in the global queue, %u in that of the preempted",
	     (unsigned long) d->seen, d->procs, d->threads + d->more_threads, d->global, d->preempted);
	end_line (d);
	tell_coroutines (d);
	for (uint32_t i = 0; i < d->procs; i++)
		tell_proc (d, &d->proc[i]);
	for (uint32_t i = d->threads; i > 0; i--)
		tell_thread (d, &d->thread[i - 1]);
	if (d->more_threads) {
		begin_line (d);
		add (d, "and %u threads more", d->more_threads);
		end_line (d);
	}
	flush (d);
	return d->err;
}
