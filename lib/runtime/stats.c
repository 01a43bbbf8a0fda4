/* SPDX-License-Identifier: MIT */
/* Counters: kept where they are written, summed when asked for. */
#include <errno.h>
#include <string.h>

#include "base/hist.h"
#include "core/gate.h"
#include "core/stack.h"
#include "goad/time.h"
#include "preempt/preempt.h"
#include "runtime/runtime.h"

static struct {
	struct goad__spinlock lock;
	goad_stats_t stats;
} last = { GOAD__SPINLOCK_INIT (GOAD__RANK_LEAF), { 0 } }; /* of the run before */

static uint64_t get (const _Atomic uint64_t *c)
{
	return atomic_load_explicit (c, memory_order_relaxed);
}

static void add_p (goad_stats_t *o, const struct p *p, uint64_t hist[HIST_SLOTS])
{
	o->runnable += goad__runq_len (&p->runq) +
	               (atomic_load_explicit (&p->runnext, memory_order_relaxed) != NULL);
	o->switches += get (&p->n_switches);
	o->steals += get (&p->n_steals);
	o->handoffs += get (&p->n_handoffs);
	o->spawned += get (&p->n_spawned);
	o->preempt_yielded += get (&p->n_yielded);
	o->preempt_handed_off += get (&p->n_handed);
	o->preempt_deferred += get (&p->n_deferred);
	o->preempt_fresh += get (&p->n_fresh);
	o->preempt_expired += get (&p->n_expired);
	o->slices += get (&p->n_slices);
	o->slice_ns += get (&p->slice_ns);
	if (get (&p->overshoot_max) > o->quantum_overshoot_max_ns)
		o->quantum_overshoot_max_ns = get (&p->overshoot_max);
	if (get (&p->wait_max) > o->runnable_wait_max_ns)
		o->runnable_wait_max_ns = get (&p->wait_max);
	for (unsigned i = 0; i < HIST_SLOTS; i++)
		hist[i] += atomic_load_explicit (&p->overshoot[i], memory_order_relaxed);
	o->stacks_cached += goad__stack_cached (&p->stacks);
}

void goad__stats_collect (goad_stats_t *o)
{
	struct sched *s = &goad__sched;
	uint64_t hist[HIST_SLOTS] = { 0 };
	size_t cached, reserved;

	memset (o, 0, sizeof *o);
	o->procs = (uint64_t) s->nprocs;
	for (int i = 0; i < s->np_made; i++)
		add_p (o, &s->p[i], hist);
	o->spawned += get (&s->foreign_spawned);
	o->blocked_announced = get (&s->n_blocked_announced);
	o->blocked_detected = get (&s->n_blocked_detected);
	o->coroutines = goad__alive ();
	o->overshoot_p50_ns = goad__hist_quantile (hist, 500);
	o->overshoot_p99_ns = goad__hist_quantile (hist, 990);
	o->preempt_requested = get (&goad__requests);
	o->signals_sent = get (&goad__signals_sent);
	goad__pin (); /* these take runtime locks */
	goad__stack_totals (&cached, &reserved);
	o->stacks_cached += cached;
	o->stack_bytes = reserved;
	goad__spin_lock (&s->lock);
	o->threads = s->nm;
	o->threads_max = s->nm_max;
	o->threads_idle = s->nmidle;
	o->runnable += s->globq.n + s->spilled.n +
	               atomic_load_explicit (&s->fairq.n, memory_order_relaxed);
	goad__spin_unlock (&s->lock);
	goad__unpin ();
	goad__monitor_totals (o);
}

void goad__stats_keep (void)
{
	goad_stats_t s;

	goad__stats_collect (&s);
	s.threads = s.threads_idle = s.runnable = s.coroutines = 0;
	goad__pin ();
	goad__spin_lock (&last.lock);
	last.stats = s;
	goad__spin_unlock (&last.lock);
	goad__unpin ();
}

void goad__stats_forked (void)
{
	last.lock = (struct goad__spinlock) GOAD__SPINLOCK_INIT (GOAD__RANK_LEAF);
}

static void last_run (goad_stats_t *out)
{
	goad__pin ();
	goad__spin_lock (&last.lock);
	*out = last.stats;
	goad__spin_unlock (&last.lock);
	goad__unpin ();
}

GOAD__API int goad_stats (goad_stats_t *out)
{
	if (!out)
		return -EINVAL;
	if (!goad__gate_enter ()) {
		if (goad__forked ())
			return -EPERM;
		last_run (out);
		return 0;
	}
	goad__stats_collect (out);
	goad__gate_leave ();
	return 0;
}

int goad__public_state (const struct g *g)
{
	switch (goad__g_state (g)) {
	case G_RUNNING:
		return GOAD_STATE_RUNNING;
	case G_WAITING:
		return GOAD_STATE_WAITING;
	case G_SYSCALL:
		return GOAD_STATE_BLOCKED;
	case G_DEAD: /* who hears of it finds that a join does not wait: [ord:join] acquire */
		return atomic_load_explicit (&g->join, memory_order_acquire) == JOIN_DONE
		           ? GOAD_STATE_DEAD
		           : GOAD_STATE_RUNNING;
	case G_IDLE:
	case G_RUNNABLE:
		break;
	}
	return GOAD_STATE_RUNNABLE;
}

/* What g has run since it was put on its P. */
static uint64_t running_since (const struct g *g)
{
	struct sched *s = &goad__sched;

	for (int i = 0; i < s->nprocs; i++) {
		struct p *p = &s->p[i];
		if (get (&p->curg_id) == g->id) {
			uint64_t since = goad__g_get (&p->run_since);
			uint64_t now = goad_now ();
			return now > since ? now - since : 0;
		}
	}
	return 0;
}

static void task_stats (struct g *g, goad_task_stats_t *out)
{
	memset (out, 0, sizeof *out);
	out->id = g->id;
	memcpy (out->name, g->name, sizeof out->name);
	out->state = goad__public_state (g);
	out->cpu_ns = goad__g_get (&g->cpu);
	if (out->state == GOAD_STATE_RUNNING)
		out->cpu_ns += running_since (g);
	out->slices = goad__g_get (&g->slices);
	out->preempt_yielded = goad__g_get (&g->n_yielded);
	out->preempt_handed_off = goad__g_get (&g->n_handed);
	out->preempt_deferred = goad__g_get (&g->n_deferred);
	out->preempt_expired = goad__g_get (&g->n_expired);
	out->wait_ns = goad__g_get (&g->wait);
	out->wait_max_ns = goad__g_get (&g->wait_max);
	if (out->state == GOAD_STATE_RUNNABLE) { /* still waiting: that counts too */
		uint64_t now = goad_now ();
		uint64_t since = goad__g_get (&g->ready_at);
		if (now > since) {
			out->wait_ns += now - since;
			if (now - since > out->wait_max_ns)
				out->wait_max_ns = now - since;
		}
	}
	out->stack_used_max = goad__stack_used ((uintptr_t) g->stack->lo, (uintptr_t) g->stack->hi);
}

GOAD__API int goad_task_stats (goad_task_t *task, goad_task_stats_t *out)
{
	struct g *g = task ? (struct g *) task : goad__g ();

	if (!out)
		return -EINVAL;
	if (!g || !goad__gate_enter ())
		return -EPERM;
	task_stats (g, out);
	goad__gate_leave ();
	return 0;
}

GOAD__API int goad_observe_procs (goad_proc_view_t *out, int max)
{
	struct sched *s = &goad__sched;
	int n;

	if (!out && max > 0)
		return -EINVAL;
	if (!goad__gate_enter ())
		return 0;
	n = s->nprocs;
	for (int i = 0; i < n && i < max; i++) {
		struct p *p = &s->p[i];
		out[i].id = atomic_load_explicit (&p->state, memory_order_relaxed) == P_RUNNING
		                ? get (&p->curg_id)
		                : 0;
		out[i].slice = atomic_load_explicit (&p->tick, memory_order_acquire);
		out[i].since_ns = get (&p->slice_start);
	}
	goad__gate_leave ();
	return n;
}
