/* SPDX-License-Identifier: MIT */
/* From rings to a file: the format is told in doc/trace-format.md.
 *
 * Times are made not to decrease within a ring, counted from the start of the trace, and
 * written as differences, all numbers in seven bits a byte.  No malloc and no stdio: the
 * buffer is mapped, the rest is static.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/fatal.h"
#include "base/os.h"
#include "base/syscall.h"
#include "core/m.h"
#include "runtime/runtime.h"
#include "runtime/tracer.h"

#define ROOM ((size_t) 1 << 20)
#define FULL (ROOM - (64 << 10)) /* written out from there on        */
#define BATCH ((size_t) 32 << 10)
#define EVENT_MOST 128u /* bytes of one event, at most        */
#define STRINGS 128u

static struct {
	int fd;
	int err;
	uint32_t gen;
	uint64_t start;
	uint64_t events, lost;
	const char *string[STRINGS]; /* static texts that the file has; the number is one more */
	unsigned strings;
	char *buf;
	size_t len;
	size_t block; /* where the open block's length stands; 0: none is open */
} f = { .fd = -1 };

static uint8_t count_of[128]; /* words of arguments */

static void write_out (void)
{
	for (size_t at = 0; at < f.len && !f.err;) {
		long n = goad__syscall3 (SYS_write, f.fd, (long) (f.buf + at), (long) (f.len - at));
		if (n > 0)
			at += (size_t) n;
		else if (n != -EINTR)
			f.err = n < 0 ? (int) n : -EIO;
	}
	f.len = 0;
}

static void put_bytes (const void *s, size_t n)
{
	memcpy (f.buf + f.len, s, n);
	f.len += n;
}

static void put_u32 (uint32_t v)
{
	put_bytes (&v, sizeof v); /* both architectures are little-endian */
}

static void put_u64 (uint64_t v)
{
	put_bytes (&v, sizeof v);
}

static inline void put_number (uint64_t v)
{
	char *at = f.buf + f.len;

	for (; v >= 0x80; v >>= 7)
		*at++ = (char) (v | 0x80);
	*at++ = (char) v;
	f.len = (size_t) (at - f.buf);
}

static void put_text (const char *s)
{
	put_bytes (s, strlen (s) + 1);
}

static void open_block (char type)
{
	if (f.len > FULL)
		write_out ();
	put_bytes (&type, 1);
	f.block = f.len;
	put_u32 (0);
}

static void close_block (void)
{
	uint32_t n = (uint32_t) (f.len - f.block - sizeof n);

	if (f.block)
		memcpy (f.buf + f.block, &n, sizeof n);
	f.block = 0;
}

static void put_schema (void)
{
	static const char *const all[][3] = {
#define EVENT(name, args, names) { #name, args, names },
		GOAD__EVENTS (EVENT)
#undef EVENT
	};

	open_block ('S');
	for (unsigned i = 1; i < EV_COUNT; i++) {
		put_number (i);
		for (int k = 0; k < 3; k++)
			put_text (all[i][k]);
	}
	close_block ();
}

static void put_header (void)
{
	struct timespec wall;

	clock_gettime (CLOCK_REALTIME, &wall);
	f.start = goad__now ();
	put_bytes ("goadtrac", 8);
	put_u32 (2);
	put_u32 (64);
	put_u64 (1); /* CLOCK_MONOTONIC, ns */
	put_u64 (f.start);
	put_u64 ((uint64_t) wall.tv_sec * 1000000000u + (uint64_t) wall.tv_nsec);
	put_u32 ((uint32_t) goad__syscall3 (SYS_getpid, 0, 0, 0));
	put_u32 (0);
	put_u64 (0);
	put_u64 (0);
	put_schema ();
}

int goad__trace_file_open (const char *path)
{
	long fd = goad__syscall4 (SYS_openat, AT_FDCWD, (long) path,
	                          O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	if (fd < 0)
		return (int) fd;
	f.buf = goad__pages_get (ROOM);
	if (!f.buf) {
		goad__syscall3 (SYS_close, fd, 0, 0);
		return -ENOMEM;
	}
	f.fd = (int) fd;
	f.err = 0;
	f.len = f.block = 0;
	f.strings = 0;
	for (unsigned ev = 0; ev < sizeof count_of; ev++)
		count_of[ev] = (uint8_t) goad__trace_count (ev);
	put_header ();
	write_out ();
	if (f.err)
		return goad__trace_file_close ();
	return 0;
}

static size_t read_file (const char *path, char *buf, size_t size)
{
	long fd = goad__syscall4 (SYS_openat, AT_FDCWD, (long) path, O_RDONLY | O_CLOEXEC, 0);
	size_t at = 0;
	long n = 1;

	while (fd >= 0 && n > 0 && at < size) {
		n = goad__syscall3 (SYS_read, fd, (long) (buf + at), (long) (size - at));
		at += n > 0 ? (size_t) n : 0;
	}
	if (fd >= 0)
		goad__syscall3 (SYS_close, fd, 0, 0);
	return at;
}

/* What code lies where: the mappings that can be executed, as /proc shows them. */
static void put_maps (void)
{
	size_t size = (size_t) 4 << 20, n;
	char *text = goad__pages_get (size);

	if (!text)
		return;
	n = read_file ("/proc/self/maps", text, size - 1);
	open_block ('X');
	for (char *line = text, *end; (end = memchr (line, '\n', n - (size_t) (line - text)));
	     line = end + 1) {
		const char *flags = memchr (line, ' ', (size_t) (end - line));
		size_t len = (size_t) (end - line) + 1;
		if (!flags || flags[3] != 'x' || len > 4096)
			continue;
		if (f.len > FULL) {
			close_block ();
			open_block ('X');
		}
		put_bytes (line, len);
	}
	close_block ();
	goad__pages_put (text, size);
}

static void put_fact (const char *name, uint64_t v)
{
	char digits[24];

	goad__format (digits, sizeof digits, "%lu", (unsigned long) v);
	put_text (name);
	put_text (digits);
}

static void put_facts (void)
{
	static const char *const modes[] = { "auto", "handoff", "yield", "coop", "off" };
	const struct sched *s = &goad__sched;
	char line[1024];
	size_t n = read_file ("/proc/self/cmdline", line, sizeof line - 1);

	for (size_t i = 0; i < n; i++)
		if (line[i] == '\0' || line[i] == '\n')
			line[i] = ' ';
	while (n > 0 && line[n - 1] == ' ')
		n--;
	line[n] = '\0';
	open_block ('M');
	put_fact ("run_ns", goad__now () - f.start);
	put_text ("program");
	put_text (line);
	put_fact ("procs", (uint64_t) s->nprocs);
	put_fact ("quantum_ns", s->quantum);
	put_text ("preempt");
	put_text (modes[s->preempt - GOAD_PREEMPT_AUTO]);
	put_fact ("granularity_ns", s->granularity);
	put_fact ("signal", (uint64_t) s->signo);
	close_block ();
}

void goad__trace_file_begin (uint32_t gen)
{
	f.gen = gen;
	f.events = f.lost = 0;
	atomic_store_explicit (&goad__trace_unringed, 0, memory_order_relaxed);
	put_facts ();
	put_maps ();
	write_out ();
}

/* The number of a text that the library has for good. */
static unsigned string_number (const char *s)
{
	for (unsigned i = 0; i < f.strings; i++)
		if (f.string[i] == s)
			return i + 1;
	return 0;
}

/* Before the event that shows it: a block of its own cannot stand within a batch. */
static void want_string (const char *s)
{
	if (!s || string_number (s) || f.strings == STRINGS)
		return;
	f.string[f.strings++] = s;
	close_block ();
	open_block ('T');
	put_number (f.strings);
	put_text (s);
	close_block ();
}

static uint64_t since_start (uint64_t t)
{
	return t > f.start ? t - f.start : 0;
}

static void open_batch (struct trace_ring *r)
{
	open_block ('E');
	for (int i = 0; i < 3; i++)
		put_number (r->who[i]);
	put_number (r->last);
}

static void put_name (const uint64_t *a)
{
	char name[4 * sizeof *a + 1];
	size_t n;

	memcpy (name, a, sizeof name - 1);
	name[sizeof name - 1] = '\0';
	n = strlen (name);
	put_number (n);
	put_bytes (name, n);
}

static void put_args (const char *args, const uint64_t *a)
{
	for (; *args; args++) {
		switch (*args) {
		case 'g':
			put_number (*a >> 24);
			put_number (*a++ & 0xffffff);
			break;
		case 'N':
			put_name (a);
			a += 4;
			break;
		case 'S':
			put_number (string_number ((const char *) (uintptr_t) *a++));
			break;
		case 't':
			put_number (*a == UINT64_MAX ? 0 : since_start (*a) + 1);
			a++;
			break;
		default:
			put_number (*a++);
			break;
		}
	}
}

/* What each event begins with. */
static void begin_event (struct trace_ring *r, unsigned ev, uint64_t time)
{
	char type = (char) ev;

	if (f.block && f.len - f.block > BATCH)
		close_block ();
	if (!f.block)
		open_batch (r);
	time = goad__max64 (since_start (time), r->last);
	put_bytes (&type, 1);
	put_number (time - r->last);
	r->last = time;
}

static void put_event (struct trace_ring *r, unsigned ev, uint64_t time, const uint64_t *a)
{
	const char *args = goad__trace_args (ev);

	for (unsigned i = 0; args[i] && args[1]; i++)
		if (unlikely (args[i] == 'S'))
			want_string ((const char *) (uintptr_t) a[i]);
	begin_event (r, ev, time);
	put_args (args, a);
	f.events++;
	if (ev == EV_lost)
		f.lost += a[1];
}

/* Another thread has the ring now; until it says so all is of an earlier trace. */
static void announced (struct trace_ring *r, uint64_t time, const uint64_t *a)
{
	close_block ();
	r->who[0] = a[1];
	r->who[1] = a[2];
	r->who[2] = a[3];
	r->last = since_start (time);
	r->seen_gen = f.gen;
}

/* What goes to and fro, up to now: how much has come.  [ord:trace-again] When the count is
 * read before another look at head it has to do with this event, if it is the last one
 * still; else the event is closed.  *w: as it was seen in the end. */
static uint32_t again (struct trace_ring *r, uint32_t at, uint32_t end, uint64_t time, uint64_t *w)
{
	const uint64_t *word = &r->word[at & (RING_WORDS - 1)];
	uint32_t count, more;

	*w = __atomic_load_n (word, __ATOMIC_RELAXED);
	count = __atomic_load_n (&r->again, __ATOMIC_ACQUIRE) - (uint32_t) *w;
	if (!(*w & RING_CLOSED) &&
	    atomic_load_explicit (&r->head, memory_order_acquire) != end) /* [ord:trace-head] */
		*w = __atomic_load_n (word, __ATOMIC_RELAXED);
	if (*w & RING_CLOSED)
		count = (uint32_t) *w;
	count &= RING_COUNT;
	more = count - r->told;
	r->told = *w & RING_CLOSED ? 0 : count;
	if (more == 0 || r->seen_gen != f.gen)
		return 0;
	begin_event (r, EV_again, time);
	put_number (more);
	f.events += more;
	return more;
}

static size_t drain (struct trace_ring *r)
{
	const uint32_t mask = RING_WORDS - 1;
	uint32_t at = atomic_load_explicit (&r->tail, memory_order_relaxed);
	uint32_t end = atomic_load_explicit (&r->head, memory_order_acquire); /* [ord:trace-head] */
	uint64_t time = r->time_seen;
	size_t n = 0;

	while (at != end) {
		uint64_t w = __atomic_load_n (&r->word[at & mask], __ATOMIC_RELAXED), a[8];
		unsigned ev = w >> 56, words = 0;
		if (ev == EV_again) {
			uint64_t then = time + (w >> 32 & (RING_SOON - 1));
			n += again (r, at, end, then, &w);
			if (!(w & RING_CLOSED))
				break; /* it is the last */
			time = then;
			at++;
			continue;
		}
		if (w & RING_SHORT) {
			ev = w >> 57 & 63;
			a[0] = (w & RING_SHORT_ID) << 24 | (w >> 33 & 0xffffff);
		} else {
			words = count_of[ev];
			time = w << 8 >> 8;
			for (unsigned i = 0; i < words; i++)
				a[i] = r->word[(at + 1 + i) & mask];
		}
		at += 1 + words;
		if (ev == EV_thread && a[0] == f.gen)
			announced (r, time, a);
		if (r->seen_gen == f.gen) {
			put_event (r, ev, time, a);
			n++;
		}
	}
	r->time_seen = time;
	close_block ();
	atomic_store_explicit (&r->tail, at, memory_order_release); /* [ord:trace-tail] */
	return n;
}

size_t goad__trace_file_drain (void)
{
	size_t n = 0;

	for (struct trace_ring *r = atomic_load_explicit (&goad__rings, memory_order_acquire); r;
	     r = r->next)
		n += drain (r);
	write_out (); /* the process may be killed */
	return n;
}

static void tell_lost (struct trace_ring *r)
{
	const uint64_t a[] = { atomic_load_explicit (&r->lost_since, memory_order_relaxed),
		                   atomic_load_explicit (&r->lost, memory_order_relaxed) };

	if (r->seen_gen == f.gen && a[1])
		put_event (r, EV_lost, a[0], a);
	close_block ();
}

void goad__trace_file_end (void)
{
	struct trace_ring *r = atomic_load_explicit (&goad__rings, memory_order_acquire);

	goad__trace_file_drain ();
	for (; r; r = r->next) {
		tell_lost (r);
		r->seen_gen = 0;
	}
	f.lost += atomic_load_explicit (&goad__trace_unringed, memory_order_relaxed);
	put_maps ();
	open_block ('Z');
	put_number (goad__now () - f.start);
	put_number (f.events);
	put_number (f.lost);
	close_block ();
	write_out ();
}

int goad__trace_file_close (void)
{
	goad__syscall3 (SYS_close, f.fd, 0, 0);
	f.fd = -1;
	goad__pages_put (f.buf, ROOM);
	f.buf = NULL;
	return f.err;
}

/* The parent's: nothing more is written to it here. */
void goad__trace_file_forget (void)
{
	f.len = 0;
	goad__trace_file_close ();
}
