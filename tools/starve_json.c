/* SPDX-License-Identifier: MIT */
/* starve_json.c - results for programs: "schema": "goad-starve/1"
 *
 * Times are whole nanoseconds in fields that end in _ns.  Fields may be added under the same
 * schema; one that changes or goes makes a new number. */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "tools/starve.h"

#ifdef HAVE_JANSSON

#include "tools/util_json.h"

const char *const starve_json_package = NULL;

static json_t *mechanisms (unsigned flags)
{
	json_t *a = json_array ();

	for (int m = 0; m < STARVE_MECHANISMS; m++)
		if (flags & starve_mechanisms[m].flag)
			json_array_append_new (a, json_string (starve_mechanisms[m].name));
	return a;
}

static json_t *waits (const struct verdict *v)
{
	const struct hist *h = &v->waits;
	json_t *o = json_object ();

	util_json_int (o, "count", atomic_load (&h->count));
	util_json_int (o, "p50_ns", util_hist_quantile (h, 0.5));
	util_json_int (o, "p99_ns", util_hist_quantile (h, 0.99));
	util_json_int (o, "p999_ns", util_hist_quantile (h, 0.999));
	util_json_int (o, "max_ns", util_hist_quantile (h, 1));
	util_json_int (o, "open_at_end", atomic_load (&v->opened));
	util_json_int (o, "open_max_ns", atomic_load (&v->open_ns));
	return o;
}

static json_t *preemption (const goad_stats_t *s)
{
	json_t *o = json_object ();

	util_json_int (o, "requested", s->preempt_requested);
	util_json_int (o, "yielded", s->preempt_yielded);
	util_json_int (o, "handed_off", s->preempt_handed_off);
	util_json_int (o, "deferred", s->preempt_deferred);
	util_json_int (o, "expired", s->preempt_expired);
	util_json_int (o, "signals_sent", s->signals_sent);
	util_json_int (o, "sysmon_late_max_ns", s->sysmon_late_max_ns);
	util_json_int (o, "overshoot_p50_ns", s->overshoot_p50_ns);
	util_json_int (o, "overshoot_p99_ns", s->overshoot_p99_ns);
	return o;
}

/* Null where there is no trace; a step is null where none was seen. */
static json_t *split (const struct starve_split *s)
{
	json_t *o = json_object (), *steps = json_object (), *deferred = json_object ();

	for (int i = 0; i < TRACE_STEPS; i++) {
		json_t *step = s->step[i].n ? json_object () : json_null ();

		if (s->step[i].n) {
			util_json_int (step, "count", s->step[i].n);
			util_json_int (step, "p50_ns", s->step[i].p50_ns);
			util_json_int (step, "p99_ns", s->step[i].p99_ns);
			util_json_int (step, "max_ns", s->step[i].max_ns);
		}
		util_json_put (steps, trace_step_keys[i], step);
	}
	for (unsigned i = 0; i < s->deferred_n; i++)
		util_json_int (deferred, s->deferred[i].why, s->deferred[i].n);
	util_json_int (o, "events_lost", s->lost);
	util_json_put (o, "steps", steps);
	util_json_put (o, "deferred", deferred);
	return o;
}

static json_t *culprit (const struct culprit *c)
{
	json_t *o, *a;

	if (!c->waited_ns)
		return json_null ();
	o = json_object ();
	a = json_array ();
	util_json_text (o, "victim", c->victim);
	util_json_int (o, "victim_id", c->victim_id);
	util_json_int (o, "waited_ns", c->waited_ns);
	util_json_text (o, "culprit", c->hog);
	util_json_int (o, "culprit_id", c->hog_id);
	for (int i = 0; i < c->depth && i < 32; i++) {
		char frame[256];

		starve_frame_name (frame, sizeof frame, c->pc[i], i == 0);
		json_array_append_new (a, util_json_string (frame));
	}
	util_json_put (o, "culprit_stood_at", a);
	return o;
}

static json_t *config (const goad_config_t *c)
{
	json_t *o = json_object ();

	util_json_int (o, "procs", (uint64_t) c->procs);
	util_json_int (o, "quantum_ns", c->quantum_ns);
	util_json_int (o, "preempt", (uint64_t) c->preempt);
	util_json_int (o, "flags", c->flags);
	util_json_seed (o, c->seed);
	return o;
}

static json_t *one (const struct trial *t)
{
	json_t *o = json_object ();

	util_json_text (o, "scenario", t->scenario->name);
	util_json_put (o, "disabled", mechanisms (t->disabled));
	util_json_put (o, "needs", mechanisms (t->scenario->needs));
	util_json_text (o, "issue", t->scenario->issue);
	util_json_int (o, "round", t->round ? t->round : 1);
	util_json_text (o, "outcome", starve_outcome_name (t->outcome));
	util_json_text (o, "expected", t->expect_fail ? "starves" : "pass");
	util_json_put (o, "ok", json_boolean (starve_trial_ok (t)));
	util_json_text (o, "message", t->v.why);
	util_json_int (o, "attempts", t->attempts);
	util_json_int (o, "attempts_failed", t->failed);
	util_json_int (o, "attempts_inconclusive", t->unclear);
	util_json_int (o, "bound_ns", t->bound_ns);
	util_json_put (o, "waits", waits (&t->v));
	util_json_int (o, "longest_run_ns", t->v.longest_run_ns);
	util_json_int (o, "starve_events", t->v.events);
	util_json_put (o, "preemption", preemption (&t->v.stats));
	util_json_put (o, "preemption_traced", t->split.known ? split (&t->split) : json_null ());
	util_json_int (o, "host_delay_ns", t->v.noise_ns);
	util_json_int (o, "elapsed_ns", t->v.elapsed_ns);
	util_json_put (o, "config", config (&t->v.config));
	util_json_put (o, "starved", culprit (&t->v.culprit));
	return o;
}

int starve_json (struct text *out, const struct suite *s, int code)
{
	json_t *o = util_json_begin ("goad-starve/1"), *all = json_array ();

	util_json_host (o);
	util_json_seed (o, s->seed);
	util_json_put (o, "matrix", json_boolean (s->matrix));
	for (size_t i = 0; i < s->n; i++)
		json_array_append_new (all, one (&s->trial[i]));
	util_json_put (o, "results", all);
	util_json_int (o, "exit_code", (uint64_t) code);
	return util_json_end (o, out);
}

#else

#include <errno.h>

const char *const starve_json_package = "libjansson-dev";

int starve_json (struct text *out, const struct suite *s, int code)
{
	(void) out, (void) s, (void) code;
	return -ENOTSUP;
}

#endif
