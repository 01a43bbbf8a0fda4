/* SPDX-License-Identifier: MIT */
/* Coroutines that run, or stand on their thread: only the thread knows where.  It is asked by
 * signal (preempt/sample.h) if it runs, or sleeps in the runtime; in a system call of the
 * program the signal could break that off, and the kernel tells the place where it was
 * entered.  Who was running when he was looked at, and does not any more when his thread
 * answers, is looked at again. */
#include "base/clock.h"
#include "preempt/sample.h"
#include "runtime/dump.h"

#define ROUNDS 4
#define PATIENCE UINT64_C (100000000) /* ns, for the answers of one round */

static struct m *thread_of (const struct dump *d, const struct g *g)
{
	for (struct m *m = d->first_m; m; m = m->all_next)
		if (goad__sight_word ((uintptr_t) &m->curg) == (uintptr_t) g)
			return m;
	return NULL;
}

GOAD__FOREIGN static void note_place (struct dump *d, const struct m *m)
{
	const struct p *p = (const struct p *) goad__sight_word ((uintptr_t) &m->p);

	d->sight.m = m->id;
	if (!p)
		return;
	d->sight.p = p->id;
	if (goad__g_state (&d->sight.c) == G_RUNNING)
		d->sight.run_since = goad__g_get (&p->run_since);
}

static void file_with (struct dump *d, const char *note)
{
	d->sight.note = note;
	goad__dump_file (d);
	d->asking->done = true;
}

static void file_without (struct dump *d, const char *note)
{
	d->where.n = 0;
	d->where.exact = false;
	file_with (d, note);
}

/* Asleep in a system call: from where the kernel says that it was entered.  The registers
 * that the ABI lets it keep are not known, so the walk may end early. */
static void file_asleep (struct dump *d)
{
	struct goad__regs regs = { { 0 } };

	regs.r[7] = d->sight.call.sp;
	regs.r[16] = d->sight.call.pc;
	if (regs.r[7] < d->sight.lo || regs.r[7] > d->sight.hi) {
		file_without (d, "asleep in the kernel, not on its own stack");
		return;
	}
	goad__sight_walk (&d->sight, &regs, true, &d->where);
	file_with (d, NULL);
}

static bool asleep (struct dump *d, const struct m *m)
{
	int tid = atomic_load_explicit (&m->tid, memory_order_relaxed);

	return goad__watch_look (tid, &d->sight.call) == DOING_SLEEP && d->sight.call.nr >= 0;
}

/* Its thread is asked, or it is filed. */
static void begin (struct slot slot, void *arg)
{
	struct dump *d = arg;
	struct m *m;

	d->asking->done = goad__dump_look (d, slot);
	if (d->asking->done)
		return;
	m = thread_of (d, d->sight.g);
	if (m)
		note_place (d, m);
	if (d->sight.c.id == d->self_id) {
		d->where = d->self;
		file_with (d, d->self.n ? NULL : "it is what reports this");
	} else if (!m) {
		if (d->last_round)
			file_without (d, "between two threads");
	} else if (d->sight.c.place != AT_THREAD && asleep (d, m)) {
		file_asleep (d);
	} else if (!(d->how & DUMP_ASK)) {
		file_without (d, "it runs, and its thread cannot be asked now");
	} else if (goad__sample_ask (m, ASKER_DUMP)) {
		d->asking->asked = m;
	} else if (d->last_round) {
		file_without (d, "its thread cannot be asked");
	}
}

static void use_answer (struct slot slot, void *arg)
{
	struct dump *d = arg;
	struct dump_pending *t = d->asking;
	const struct sample *s = &t->asked->sample[ASKER_DUMP];

	t->done = goad__dump_look (d, slot);
	if (t->done)
		return;
	if (!t->answered) {
		note_place (d, t->asked);
		file_without (d, "its thread did not answer");
	} else if (s->id == d->sight.c.id && s->n > 0) {
		note_place (d, t->asked);
		d->where.n = s->n;
		d->where.exact = true;
		for (int i = 0; i < s->n; i++)
			d->where.pc[i] = s->pc[i];
		file_with (d, NULL);
	} else if (d->last_round) {
		file_without (d, "it went from thread to thread");
	}
}

static void with_slot (struct dump *d, struct dump_pending *t,
                       void (*fn) (struct slot slot, void *arg))
{
	d->asking = t;
	goad__pin ();
	goad__slab_if_taken (t->slot, d->how & DUMP_PATIENT, fn, d);
	goad__unpin ();
}

static bool ask_round (struct dump *d)
{
	uint64_t deadline;
	bool left = false;

	goad__dump_threads (d);
	for (uint32_t i = 0; i < d->pending; i++) {
		d->todo[i].asked = NULL;
		if (!d->todo[i].done)
			with_slot (d, &d->todo[i], begin);
	}
	deadline = goad__now () + PATIENCE;
	for (uint32_t i = 0; i < d->pending; i++) {
		struct dump_pending *t = &d->todo[i];
		if (t->asked) {
			t->answered = goad__sample_wait (t->asked, ASKER_DUMP, deadline);
			with_slot (d, t, use_answer);
			if (t->answered)
				goad__sample_done (t->asked, ASKER_DUMP);
		}
		left |= !t->done;
	}
	return left;
}

void goad__dump_ask (struct dump *d)
{
	for (int i = 1; i <= ROUNDS; i++) {
		d->last_round = i == ROUNDS;
		if (!ask_round (d))
			return;
	}
}
