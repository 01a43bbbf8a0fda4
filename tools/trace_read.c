/* SPDX-License-Identifier: MIT */
/* trace_read.c - decoding a trace's file
 *
 * It may come from anywhere and end anywhere: each number is read within bounds, and what
 * is wrong ends the reading with one line that says what and at which byte.  A trace whose
 * program was killed ends in the middle of a block; what is whole before is kept. */
#include "trace_read.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

#define NAME(name) #name,
const char *const trace_kind_names[TR_COUNT] = { TRACE_EVENTS (NAME) };
#undef NAME

enum { HEADER = 64, TYPES = 256, ARGS_MAX = 16, AGAIN_MAX = 1 << 16 };

struct reader {
	struct trace *t;
	const char *path;
	const uint8_t *data;
	size_t size, at, end; /* end: of the block at hand */
	bool bad;
	unsigned run;
	size_t run_first; /* the first event of this run of a runtime */
	uint8_t kind[TYPES];
	char args[TYPES][ARGS_MAX + 1];
};

static void fail (struct reader *r, const char *what)
{
	if (!r->bad)
		util_error ("'%s' is no good trace: %s, at byte %zu", r->path, what, r->at);
	r->bad = true;
}

static uint64_t number (struct reader *r)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		if (r->at >= r->end) {
			fail (r, "a number that ends after its block");
			return 0;
		}
		uint8_t b = r->data[r->at++];
		v |= (uint64_t) (b & 0x7f) << shift;
		if (!(b & 0x80))
			return v;
	}
	fail (r, "a number of more than 64 bits");
	return 0;
}

static const char *text (struct reader *r)
{
	const char *s = (const char *) r->data + r->at;
	const uint8_t *nul = memchr (r->data + r->at, 0, r->end - r->at);

	if (nul == NULL) {
		fail (r, "text that ends after its block");
		return "";
	}
	r->at = (size_t) (nul - r->data) + 1;
	return s;
}

static uint32_t u32 (const uint8_t *b)
{
	return (uint32_t) b[0] | (uint32_t) b[1] << 8 | (uint32_t) b[2] << 16 | (uint32_t) b[3] << 24;
}

static uint64_t u64 (const uint8_t *b)
{
	return u32 (b) | (uint64_t) u32 (b + 4) << 32;
}

/* Room for one more, doubling at powers of two. */
bool trace_grow (void *array, size_t n, size_t size)
{
	void **a = array;

	if ((n & (n - 1)) != 0 || (n != 0 && n < 16))
		return true;
	void *more = realloc (*a, (n < 16 ? 16 : 2 * n) * size);
	if (more == NULL) {
		util_error ("no memory for this trace");
		return false;
	}
	*a = more;
	return true;
}

#define GROW(r, array, n) \
	(trace_grow (&(r)->t->array, (r)->t->n, sizeof *(r)->t->array) || ((r)->bad = true, false))

static void schema (struct reader *r)
{
	while (!r->bad && r->at < r->end) {
		uint64_t type = number (r);
		const char *name = text (r), *args = text (r);

		(void) text (r);
		if (r->bad)
			return;
		if (type == 0 || type >= TYPES || strlen (args) > ARGS_MAX) {
			fail (r, "an event that cannot be");
			return;
		}
		r->kind[type] = TR_unknown;
		for (unsigned k = 1; k < TR_COUNT; k++)
			if (strcmp (trace_kind_names[k], name) == 0)
				r->kind[type] = (uint8_t) k;
		memcpy (r->args[type], args, strlen (args) + 1);
	}
}

static void facts (struct reader *r)
{
	while (!r->bad && r->at < r->end) {
		const char *name = text (r), *value = text (r);

		if (r->bad || !GROW (r, facts, facts_n))
			return;
		struct trace_fact *f = &r->t->facts[r->t->facts_n++];
		*f = (struct trace_fact){ strdup (name), strdup (value), r->run };
	}
}

static void one_string (struct reader *r)
{
	uint64_t n = number (r);
	const char *s = text (r);

	if (r->bad)
		return;
	if (n != r->t->strings_n + 1)
		fail (r, "a text out of turn");
	else if (GROW (r, strings, strings_n))
		r->t->strings[r->t->strings_n++] = strdup (s);
}

/* A line of /proc/PID/maps. */
static void one_map (struct reader *r, char *line)
{
	unsigned long lo, hi, offset;
	int path = 0;

	if (sscanf (line, "%lx-%lx %*4s %lx %*s %*s %n", &lo, &hi, &offset, &path) < 3 || path == 0)
		return;
	for (size_t i = 0; i < r->t->maps_n; i++)
		if (r->t->maps[i].lo == lo && r->t->maps[i].hi == hi)
			return;
	if (GROW (r, maps, maps_n))
		r->t->maps[r->t->maps_n++] = (struct trace_map){ lo, hi, offset, strdup (line + path) };
}

static void maps (struct reader *r)
{
	while (!r->bad && r->at < r->end) {
		const uint8_t *nl = memchr (r->data + r->at, '\n', r->end - r->at);
		size_t n = nl ? (size_t) (nl - (r->data + r->at)) : r->end - r->at;
		char *line = strndup ((const char *) r->data + r->at, n);

		if (line != NULL)
			one_map (r, line);
		free (line);
		r->at += nl ? n + 1 : n;
	}
}

static unsigned thread_of (struct reader *r, unsigned role, unsigned m, unsigned tid)
{
	struct trace *t = r->t;

	for (size_t i = t->threads_n; i-- > 0;)
		if (t->threads[i].role == role && t->threads[i].m == m && t->threads[i].tid == tid &&
		    t->threads[i].run == r->run)
			return (unsigned) i;
	if (t->threads_n == UINT16_MAX) {
		fail (r, "more threads than can be");
		return 0;
	}
	if (!GROW (r, threads, threads_n))
		return 0;
	t->threads[t->threads_n] = (struct trace_thread){
		.role = role, .m = m, .tid = tid, .run = r->run
	};
	return (unsigned) t->threads_n++;
}

/* The arguments of one event into e; a name and an address for go_info on the side. */
static void arguments (struct reader *r, const char *args, struct trace_event *e, char name[33])
{
	uint64_t v[ARGS_MAX] = { 0 };
	unsigned n = 0;

	name[0] = '\0';
	for (; *args && !r->bad; args++) {
		uint64_t x = number (r);
		if (*args == 'g') {
			e->seq = (uint32_t) (number (r) & 0xffffff) | TRACE_HAS_SEQ;
			e->go = x;
		} else if (*args == 'N') {
			if (x > 32 || x > r->end - r->at)
				fail (r, "a name that is too long");
			else
				memcpy (name, r->data + r->at, x), name[x] = '\0', r->at += x;
		} else {
			v[n++] = x;
		}
	}
	if (!e->go)
		e->seq = 0;
	e->a = v[0];
	e->b = v[1];
	switch (e->kind) {
	case TR_thread: /* gen role m tid p go */
		e->extra = (uint8_t) v[1], e->a = v[2], e->b = v[4], e->go = v[5];
		break;
	case TR_go_info: /* go fn */
		e->go = v[0], e->a = v[1];
		break;
	case TR_request: /* p slice flags go */
		e->extra = (uint8_t) v[2], e->go = v[3];
		break;
	case TR_decision: /* how why pc depth */
		e->extra = v[0] < TRACE_HOWS ? (uint8_t) v[0] : TRACE_NONE;
		e->a = v[2], e->b = v[1] | v[3] << 32;
		break;
	}
}

static void info (struct reader *r, uint64_t go, const struct trace_event *e, const char *name)
{
	struct trace_go *g = &r->t->gos[go - 1];

	g->fn = e->a;
	memcpy (g->name, name, sizeof g->name);
}

static bool keep (struct reader *r, const struct trace_event *e)
{
	struct trace *t = r->t;
	struct trace_thread *th = &t->threads[e->thread];

	if (!GROW (r, events, events_n))
		return false;
	t->events[t->events_n++] = *e;
	t->counts[e->kind]++;
	th->last[th->last_n++ % 4] = *e;
	th->n++;
	return true;
}

/* So many events like the fourth before each; every coroutine in them comes twice in four. */
static void repeat (struct reader *r, const struct trace_event *again)
{
	struct trace_thread *th = &r->t->threads[again->thread];

	if (again->a > AGAIN_MAX || th->last_n < 4) {
		fail (r, "events that cannot come again");
		return;
	}
	for (uint64_t i = 0; i < again->a; i++) {
		struct trace_event e = th->last[th->last_n % 4];
		if (!e.go || !(e.seq & TRACE_HAS_SEQ)) {
			fail (r, "an event that cannot come again");
			return;
		}
		e.seq = ((e.seq + 2) & 0xffffff) | TRACE_HAS_SEQ;
		e.time = again->time;
		if (!keep (r, &e))
			return;
	}
}

static void batch (struct reader *r)
{
	struct trace *t = r->t;
	uint64_t role = number (r), m = number (r), tid = number (r), time = number (r);
	unsigned thread;

	if (r->bad)
		return;
	if (role > TRACE_OUTSIDE || m > UINT32_MAX || tid > UINT32_MAX) {
		fail (r, "a batch of no thread");
		return;
	}
	thread = thread_of (r, (unsigned) role, (unsigned) m, (unsigned) tid);
	while (!r->bad && r->at < r->end) {
		struct trace_event e = { .thread = (uint16_t) thread };
		uint8_t type = r->data[r->at++];
		char name[33];

		if (type == 0 || (r->kind[type] == TR_unknown && r->args[type][0] == '\1')) {
			fail (r, "an event of a kind that the file does not tell");
			return;
		}
		e.kind = r->kind[type];
		time += number (r);
		e.time = time;
		arguments (r, r->args[type], &e, name);
		if (r->bad)
			return;
		if (e.go && !(e.go = trace_go_find (t, r->run, e.go))) {
			r->bad = true;
			return;
		}
		if (time > t->length)
			t->length = time;
		if (e.kind == TR_lost)
			t->lost += e.b;
		if (e.kind == TR_go_info)
			info (r, e.go, &e, name), t->counts[e.kind]++;
		else if (e.kind == TR_again)
			repeat (r, &e);
		else
			(void) keep (r, &e);
	}
}

static void end_of_run (struct reader *r)
{
	if (r->t->events_n > r->run_first && trace_merge (r->t, r->run_first, r->run) < 0)
		r->bad = true;
	r->run_first = r->t->events_n;
}

static void one_block (struct reader *r, uint8_t type)
{
	switch (type) {
	case 'S':
		schema (r);
		break;
	case 'M':
		end_of_run (r); /* if the last one did not say so */
		r->run++;
		r->t->complete = false;
		facts (r);
		break;
	case 'T':
		one_string (r);
		break;
	case 'X':
		maps (r);
		break;
	case 'E':
		batch (r);
		break;
	case 'Z':
		r->t->length = number (r);
		r->t->wrote += number (r);
		(void) number (r);
		r->t->complete = true;
		end_of_run (r);
		break;
	default: /* of a later version */
		break;
	}
	r->at = r->end;
}

static void blocks (struct reader *r)
{
	while (!r->bad && r->at < r->size) {
		if (r->size - r->at < 5 || u32 (r->data + r->at + 1) > r->size - r->at - 5) {
			r->t->complete = false; /* the program was killed in the middle of it */
			break;
		}
		uint8_t type = r->data[r->at];
		r->end = r->at + 5 + u32 (r->data + r->at + 1);
		r->at += 5;
		one_block (r, type);
	}
	if (!r->bad)
		end_of_run (r);
	r->t->runs_of_runtime = r->run;
}

static bool header (struct reader *r)
{
	if (r->size < HEADER || memcmp (r->data, "goadtrac", 8) != 0) {
		util_error ("'%s' is no trace of goad", r->path);
		return false;
	}
	if (u32 (r->data + 8) < 1 || u32 (r->data + 8) > 2 || u32 (r->data + 12) < HEADER ||
	    u32 (r->data + 12) > r->size) {
		util_error ("'%s' has version %u of the format; this program reads 1 and 2", r->path,
		            u32 (r->data + 8));
		return false;
	}
	r->t->start_ns = u64 (r->data + 24);
	r->t->wall_ns = u64 (r->data + 32);
	r->t->pid = u32 (r->data + 40);
	r->at = u32 (r->data + 12);
	for (int i = 0; i < TYPES; i++)
		r->args[i][0] = '\1'; /* not told */
	return true;
}

static uint8_t *whole_file (const char *path, size_t *size)
{
	FILE *f = fopen (path, "rb");
	size_t cap = 0, n = 0, got = 1;
	uint8_t *data = NULL;

	while (f != NULL && got > 0) {
		if (n == cap) {
			uint8_t *more = realloc (data, cap = cap ? 2 * cap : 1 << 16);
			if (more == NULL) {
				errno = ENOMEM;
				break;
			}
			data = more;
		}
		n += got = fread (data + n, 1, cap - n, f);
	}
	if (f == NULL || got > 0 || ferror (f)) {
		util_error ("'%s': %s", path, strerror (errno));
		free (data);
		data = NULL;
	}
	if (f != NULL)
		fclose (f);
	*size = n;
	return data;
}

struct trace *trace_open (const char *path)
{
	struct trace *t = calloc (1, sizeof *t);
	struct reader *r = calloc (1, sizeof *r);
	uint8_t *data = NULL;
	bool good = false;

	if (t != NULL && r != NULL) {
		*r = (struct reader){ .t = t, .path = path };
		data = whole_file (path, &r->size);
		r->data = data;
		if (data != NULL && header (r)) {
			blocks (r);
			good = !r->bad && trace_model (t) == 0;
		}
	}
	free (data);
	free (r);
	if (good)
		return t;
	trace_free (t);
	return NULL;
}

void trace_free (struct trace *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->facts_n; i++) {
		free (t->facts[i].name);
		free (t->facts[i].value);
	}
	for (size_t i = 0; i < t->maps_n; i++)
		free (t->maps[i].path);
	for (size_t i = 0; i < t->strings_n; i++)
		free (t->strings[i]);
	free (t->facts);
	free (t->maps);
	free (t->strings);
	free (t->events);
	free (t->gos);
	free (t->threads);
	free (t->runs);
	free (t->preempts);
	free (t);
	trace_go_forget (); /* the next trace may lie at the same address */
	trace_symbols_free ();
}
