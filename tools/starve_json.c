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

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "0.1.0"
#endif

const char *const starve_json_package = NULL;

static void put_int (json_t *o, const char *key, uint64_t v)
{
	json_object_set_new (o, key, json_integer ((json_int_t) v));
}

static void put_string (json_t *o, const char *key, const char *s)
{
	json_t *j = json_string (s);

	json_object_set_new (o, key, j ? j : json_string ("?")); /* no UTF-8 */
}

/* JSON readers lose the low bits of so large a number. */
static void put_seed (json_t *o, uint64_t seed)
{
	char text[24];

	snprintf (text, sizeof text, "%llu", (unsigned long long) seed);
	put_string (o, "seed", text);
}

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

	put_int (o, "count", atomic_load (&h->count));
	put_int (o, "p50_ns", util_hist_quantile (h, 0.5));
	put_int (o, "p99_ns", util_hist_quantile (h, 0.99));
	put_int (o, "p999_ns", util_hist_quantile (h, 0.999));
	put_int (o, "max_ns", util_hist_quantile (h, 1));
	put_int (o, "open_at_end", atomic_load (&v->opened));
	put_int (o, "open_max_ns", atomic_load (&v->open_ns));
	return o;
}

static json_t *preemption (const goad_stats_t *s)
{
	json_t *o = json_object ();

	put_int (o, "requested", s->preempt_requested);
	put_int (o, "yielded", s->preempt_yielded);
	put_int (o, "handed_off", s->preempt_handed_off);
	put_int (o, "deferred", s->preempt_deferred);
	put_int (o, "expired", s->preempt_expired);
	put_int (o, "signals_sent", s->signals_sent);
	put_int (o, "sysmon_late_max_ns", s->sysmon_late_max_ns);
	put_int (o, "overshoot_p50_ns", s->overshoot_p50_ns);
	put_int (o, "overshoot_p99_ns", s->overshoot_p99_ns);
	return o;
}

static json_t *culprit (const struct culprit *c)
{
	json_t *o, *a;

	if (!c->waited_ns)
		return json_null ();
	o = json_object ();
	a = json_array ();
	put_string (o, "victim", c->victim);
	put_int (o, "victim_id", c->victim_id);
	put_int (o, "waited_ns", c->waited_ns);
	put_string (o, "culprit", c->hog);
	put_int (o, "culprit_id", c->hog_id);
	for (int i = 0; i < c->depth && i < 32; i++) {
		char frame[256];

		starve_frame_name (frame, sizeof frame, c->pc[i], i == 0);
		json_array_append_new (a, json_string (frame));
	}
	json_object_set_new (o, "culprit_stood_at", a);
	return o;
}

static json_t *config (const goad_config_t *c)
{
	json_t *o = json_object ();

	put_int (o, "procs", (uint64_t) c->procs);
	put_int (o, "quantum_ns", c->quantum_ns);
	put_int (o, "preempt", (uint64_t) c->preempt);
	put_int (o, "flags", c->flags);
	put_seed (o, c->seed);
	return o;
}

static json_t *one (const struct trial *t)
{
	json_t *o = json_object ();

	put_string (o, "scenario", t->scenario->name);
	json_object_set_new (o, "disabled", mechanisms (t->disabled));
	json_object_set_new (o, "needs", mechanisms (t->scenario->needs));
	put_string (o, "issue", t->scenario->issue);
	put_int (o, "round", t->round ? t->round : 1);
	put_string (o, "outcome", starve_outcome_name (t->outcome));
	put_string (o, "expected", t->expect_fail ? "starves" : "pass");
	json_object_set_new (o, "ok", json_boolean (starve_trial_ok (t)));
	put_string (o, "message", t->v.why);
	put_int (o, "attempts", t->attempts);
	put_int (o, "attempts_failed", t->failed);
	put_int (o, "attempts_inconclusive", t->unclear);
	put_int (o, "bound_ns", t->bound_ns);
	json_object_set_new (o, "waits", waits (&t->v));
	put_int (o, "longest_run_ns", t->v.longest_run_ns);
	put_int (o, "starve_events", t->v.events);
	json_object_set_new (o, "preemption", preemption (&t->v.stats));
	put_int (o, "host_delay_ns", t->v.noise_ns);
	put_int (o, "elapsed_ns", t->v.elapsed_ns);
	json_object_set_new (o, "config", config (&t->v.config));
	json_object_set_new (o, "starved", culprit (&t->v.culprit));
	return o;
}

int starve_json (struct text *out, const struct suite *s, int code)
{
	json_t *o = json_object (), *host = json_object (), *all = json_array ();
	struct utsname u;

	put_string (o, "schema", "goad-starve/1");
	put_string (o, "version", PACKAGE_VERSION);
	if (uname (&u) == 0) {
		put_string (host, "kernel", u.release);
		put_string (host, "machine", u.machine);
	}
	put_int (host, "cpus", (uint64_t) sysconf (_SC_NPROCESSORS_ONLN));
	json_object_set_new (o, "host", host);
	put_seed (o, s->seed);
	json_object_set_new (o, "matrix", json_boolean (s->matrix));
	for (size_t i = 0; i < s->n; i++)
		json_array_append_new (all, one (&s->trial[i]));
	json_object_set_new (o, "results", all);
	put_int (o, "exit_code", (uint64_t) code);
	char *text = json_dumps (o, JSON_INDENT (2));
	json_decref (o);
	if (!text)
		return -ENOMEM;
	util_text_add (out, "%s\n", text);
	free (text);
	return 0;
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
