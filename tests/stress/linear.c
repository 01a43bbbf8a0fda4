/* SPDX-License-Identifier: MIT */
/* tests/stress/linear.c - channels are linearizable: recorded histories against a model
 *
 * A small random program: up to 5 coroutines do some 10 operations in all on a channel or
 * two (send, receive, with and without deadlines, try, close, select), under chaos.  Each
 * notes when it began and when it returned (from one counter), and what came out.  Then
 * somebody who knows nothing of threads (Wing and Gong, "Testing and verifying concurrent
 * objects", JPDC 17, 1993; with Lowe's memory of what was seen, 2017) looks for an order of
 * these operations in which each has its effect at once, between its beginning and its
 * end, and a queue with a capacity gives the same results.  If there is none, it is wrong.
 *
 * The model's one step for a rendezvous is a send and a receive together.  An operation
 * that waited in vain for its deadline has no effect.  One that would not wait (try) may
 * fail only when the channel could not serve it.  Also that a rendezvous partner in a
 * queue is there for a try: an operation that has begun may or may not be waiting yet, so
 * that much is not asked for.
 */
#include "tests/harness.h"
#include "tests/support.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORKERS = 5, OPS = 12, CHANS = 2 };

struct op {
	int worker, chan;
	bool send, close, buffered;
	uint8_t value; /* sent, or received */
	int rc;        /* 0, -EPIPE; others had no effect */
	uint32_t from, to;
	int mode; /* 0 plain, 1 deadline, 2 try, 3 select on both channels */
};

static struct program {
	goad_chan_t *ch[CHANS];
	size_t cap[CHANS];
	struct op op[OPS];
	int n, workers;
	_Atomic uint32_t clock;
	_Atomic int left;
} prog;

static uint64_t choose (uint64_t *state, uint64_t n)
{
	*state = *state * UINT64_C (6364136223846793005) + 1442695040888963407;
	return (*state >> 33) % n;
}

/* Recording. */

static uint64_t deadline_of (const struct op *o)
{
	return o->mode == 0 ? GOAD_FOREVER : o->mode == 2 ? 0 : goad_after ((o->value % 9u) * 2000u);
}

static void run_select (struct op *o)
{
	uint8_t in[CHANS] = { 0, 0 }, out = o->value;
	goad_case_t c[CHANS];
	int k;

	for (int i = 0; i < CHANS; i++)
		c[i] = (goad_case_t){ prog.ch[i], o->send ? GOAD_SEND : GOAD_RECV, o->send ? &out : &in[i],
			                  0 };
	k = goad_select_until (c, CHANS, goad_after (o->value % 9u * 2000u));
	o->rc = k < 0 ? k : c[k].status;
	if (k >= 0) {
		o->chan = k;
		if (!o->send)
			o->value = in[k];
	}
}

static void run_op (struct op *o)
{
	goad_chan_t *ch = prog.ch[o->chan];

	o->from = atomic_fetch_add (&prog.clock, 1);
	if (o->close)
		o->rc = goad_chan_close (ch);
	else if (o->mode == 3)
		run_select (o);
	else if (o->send)
		o->rc = goad_chan_send_until (ch, &o->value, deadline_of (o));
	else
		o->rc = goad_chan_recv_until (ch, &o->value, deadline_of (o));
	o->to = atomic_fetch_add (&prog.clock, 1);
}

static void worker (void *arg)
{
	int me = (int) (intptr_t) arg;

	for (int i = 0; i < prog.n; i++)
		if (prog.op[i].worker == me) {
			run_op (&prog.op[i]);
			if (prog.op[i].value % 3 == 0)
				goad_yield ();
		}
}

static void run_program (void)
{
	goad_task_t *t[WORKERS];

	for (int i = 0; i < CHANS; i++)
		claim_eq (goad_chan_create (&prog.ch[i], 1, prog.cap[i]), 0);
	for (int i = 0; i < prog.workers; i++)
		claim_eq (goad_spawn (&t[i], NULL, worker, (void *) (intptr_t) i), 0);
	for (int i = 0; i < prog.workers; i++)
		claim_eq (goad_join (t[i]), 0);
	for (int i = 0; i < CHANS; i++)
		claim_eq (goad_chan_destroy (prog.ch[i]), 0);
}

/* What waits for ever has no end: only the last operation of a program, which closes, may
 * leave others waiting, so plain operations are allowed; the last worker closes all. */
static void make_program (uint64_t *state)
{
	memset (&prog, 0, sizeof prog);
	prog.workers = 2 + (int) choose (state, WORKERS - 1);
	for (int i = 0; i < CHANS; i++)
		prog.cap[i] = choose (state, 3);
	prog.n = 6 + (int) choose (state, OPS - 5);
	for (int i = 0; i < prog.n; i++) {
		struct op *o = &prog.op[i];
		o->worker = (int) choose (state, (uint64_t) prog.workers);
		o->chan = choose (state, 4) == 0;
		o->send = choose (state, 2);
		o->value = (uint8_t) (i + 1);
		o->mode = (int) choose (state, 5);
		if (o->mode == 4 || (o->mode == 0 && o->worker == 0))
			o->mode = 1; /* the one that closes must get there */
	}
	for (int i = 0; i < CHANS; i++)
		prog.op[prog.n - 1 - i] = (struct op){ .worker = 0, .chan = i, .close = true };
}

/* Judging. */

struct model {
	uint8_t q[CHANS][OPS];
	uint8_t len[CHANS];
	bool closed[CHANS];
};

static bool no_effect (const struct op *o)
{
	return o->rc == -ETIMEDOUT || o->rc == -EAGAIN;
}

/* A try that failed: the channel could not serve it, by itself. */
static bool may_fail (const struct model *m, const struct op *o)
{
	if (o->rc != -EAGAIN)
		return true;
	if (m->closed[o->chan])
		return false;
	return o->send ? m->len[o->chan] == prog.cap[o->chan] : m->len[o->chan] == 0;
}

/* One operation by itself. */
static bool step (struct model *m, const struct op *o)
{
	int c = o->chan;

	if (no_effect (o))
		return may_fail (m, o);
	if (o->close) {
		if (m->closed[c])
			return o->rc == -EPIPE;
		m->closed[c] = true;
		return o->rc == 0;
	}
	if (o->send) {
		if (m->closed[c] || o->rc != 0)
			return m->closed[c] && o->rc == -EPIPE;
		if (m->len[c] == prog.cap[c])
			return false;
		m->q[c][m->len[c]++] = o->value;
		return true;
	}
	if (m->len[c] == 0)
		return m->closed[c] && o->rc == -EPIPE && o->value == 0;
	if (o->rc != 0 || o->value != m->q[c][0])
		return false;
	memmove (m->q[c], m->q[c] + 1, --m->len[c]);
	return true;
}

/* A send and a receive in one: through an empty channel without room. */
static bool meet (const struct model *m, const struct op *s, const struct op *r)
{
	return s->send && !s->close && !r->close && !r->send && s->chan == r->chan && s->rc == 0 &&
	       r->rc == 0 && s->value == r->value && prog.cap[s->chan] == 0 && !m->closed[s->chan] &&
	       s->from < r->to && r->from < s->to;
}

/* What was tried and found to lead nowhere: the set done and the model. */
enum { MEMORY = 1 << 14 };
static struct seen {
	uint32_t done;
	struct model m;
} seen[MEMORY];
static uint32_t nseen;

static bool seen_before (uint32_t done, const struct model *m)
{
	for (uint32_t i = 0; i < nseen; i++)
		if (seen[i].done == done && memcmp (&seen[i].m, m, sizeof *m) == 0)
			return true;
	if (nseen < MEMORY) {
		seen[nseen].done = done;
		seen[nseen++].m = *m;
	}
	return false;
}

static bool search (uint32_t done, const struct model *m)
{
	uint32_t first = UINT32_MAX;

	if (done == (1u << prog.n) - 1)
		return true;
	if (seen_before (done, m))
		return false;
	for (int i = 0; i < prog.n; i++)
		if (!(done >> i & 1) && prog.op[i].to < first)
			first = prog.op[i].to;
	for (int i = 0; i < prog.n; i++) {
		const struct op *o = &prog.op[i];
		struct model next = *m;
		if ((done >> i & 1) || o->from > first)
			continue; /* another has ended before it began */
		if (step (&next, o) && search (done | 1u << i, &next))
			return true;
		for (int k = 0; k < prog.n; k++) {
			const struct op *r = &prog.op[k];
			if (k != i && !(done >> k & 1) && r->from <= first && meet (m, o, r) &&
			    search (done | 1u << i | 1u << k, m))
				return true;
		}
	}
	return false;
}

static bool linearizable (void)
{
	struct model m;

	memset (&m, 0, sizeof m);
	nseen = 0;
	return search (0, &m);
}

static void print_history (uint64_t seed)
{
	fprintf (stderr, "seed %" PRIu64 ", capacities %zu %zu:\n", seed, prog.cap[0], prog.cap[1]);
	for (int i = 0; i < prog.n; i++) {
		const struct op *o = &prog.op[i];
		fprintf (stderr, "  [%2u %2u] worker %d: %s %d on %d, mode %d: %d\n", o->from, o->to,
		         o->worker,
		         o->close  ? "close"
		         : o->send ? "send"
		                   : "receive",
		         o->value, o->chan, o->mode, o->rc);
	}
}

/* Many programs in one run of the runtime. */
struct batch {
	uint64_t seed;
	int n;
};

static void run_batch (void *arg)
{
	const struct batch *b = arg;

	for (uint64_t seed = b->seed; seed < b->seed + (uint64_t) b->n; seed++) {
		uint64_t state = seed * UINT64_C (0x9e3779b97f4a7c15);
		bool ok;

		choose (&state, 2);
		make_program (&state);
		run_program ();
		ok = linearizable ();
		claim (ok);
		if (!ok)
			print_history (seed);
	}
}

/* The judge finds what is wrong: a value twice, one from nowhere, order reversed. */
Test (linear, the_judge_can_say_no, .timeout = 10)
{
	static const struct op wrong[][3] = {
		{ { .send = 1, .value = 1, .to = 1 },
		  { .value = 1, .from = 2, .to = 3 },
		  { .value = 1, .from = 4, .to = 5 } },
		{ { .send = 1, .value = 1, .to = 1 },
		  { .send = 1, .value = 2, .from = 2, .to = 3 },
		  { .value = 2, .from = 4, .to = 5 } },
		{ { .send = 1, .value = 1, .to = 1 },
		  { .value = 0, .rc = -EAGAIN, .from = 2, .to = 3 },
		  { .value = 1, .from = 4, .to = 5 } },
	};
	static const struct op right[3] = { { .send = 1, .value = 1, .to = 2 },
		                                { .value = 0, .rc = -EAGAIN, .from = 1, .to = 3 },
		                                { .value = 1, .from = 4, .to = 5 } };

	memset (&prog, 0, sizeof prog);
	prog.n = 3;
	prog.cap[0] = 2;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		memcpy (prog.op, wrong[i], sizeof wrong[i]);
		cr_assert_not (linearizable (), "case %zu", i);
	}
	memcpy (prog.op, right, sizeof right);
	cr_assert (linearizable ());
}

static uint64_t number (const char *name, uint64_t otherwise)
{
	const char *text = getenv (name);

	return text && atoll (text) > 0 ? strtoull (text, NULL, 10) : otherwise;
}

Test (linear, random_programs, .timeout = 600)
{
	struct batch b = { number ("GOAD_STRESS_SEED", goad_now () % 1000000007), 100 };
	uint64_t batches = (TEST_SLOW ? 4 : 30) * number ("GOAD_STRESS", 1);

	fprintf (stderr, "GOAD_STRESS_SEED=%" PRIu64 "\n", b.seed);
	for (; batches > 0; batches--, b.seed += (uint64_t) b.n) {
		char text[40];

		snprintf (text, sizeof text, "chaos=%" PRIu64, b.seed + 1);
		if (batches % 4)
			setenv ("GOAD_DEBUG", text, 1);
		else
			unsetenv ("GOAD_DEBUG");
		cr_assert_eq (run_main (run_batch, &b, 1 + (int) (batches % 3), 100 * GOAD_US, 0), 0);
		claims_assert ();
	}
	unsetenv ("GOAD_DEBUG");
}
