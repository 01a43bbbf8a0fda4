/* SPDX-License-Identifier: MIT */
/* starve_tap.c - results as TAP 14, and the list of scenarios */
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "tools/starve.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "0.1.0"
#endif

const char *starve_outcome_name (enum outcome o)
{
	switch (o) {
	case STARVE_PASS:
		return "pass";
	case STARVE_FAIL:
		return "starves";
	case STARVE_UNCLEAR:
		return "inconclusive";
	case STARVE_NONE:
	case STARVE_ERROR:
		break;
	}
	return "error";
}

void starve_disabled_names (char buf[128], unsigned disabled)
{
	buf[0] = '\0';
	for (int m = 0; m < STARVE_MECHANISMS; m++)
		if (disabled & starve_mechanisms[m].flag) {
			if (buf[0])
				strcat (buf, ",");
			strcat (buf, starve_mechanisms[m].name);
		}
}

void starve_trial_name (char buf[256], const struct trial *t)
{
	char without[128], round[24] = "";

	starve_disabled_names (without, t->disabled);
	if (t->round)
		snprintf (round, sizeof round, " (%u)", t->round);
	snprintf (buf, 256, "%.48s%s%s%s%s", t->scenario->name, without[0] ? " without " : "", without,
	          t->expect_fail ? " starves" : "", round);
}

void starve_plain (struct text *out, const char *s)
{
	for (; *s; s++)
		util_text_add (out, "%c", (unsigned char) *s < ' ' || *s == '#' || *s == '\\' ? '?' : *s);
}

static void key_time (struct text *out, const char *key, double ns)
{
	util_text_add (out, "  %s: %.0f\n", key, ns);
}

static void culprit (struct text *out, const struct culprit *c)
{
	if (!c->waited_ns)
		return;
	util_text_add (out,
	               "  victim: \"%s\"\n  victim_id: %llu\n  culprit: \"%s\"\n  culprit_id: %llu\n",
	               c->victim, (unsigned long long) c->victim_id, c->hog,
	               (unsigned long long) c->hog_id);
	if (c->depth > 0)
		util_text_add (out, "  culprit_stood_at:\n");
	for (int i = 0; i < c->depth && i < 32; i++) {
		char frame[256];

		starve_frame_name (frame, sizeof frame, c->pc[i], i == 0);
		util_text_add (out, "    - \"%s\"\n", frame);
	}
}

static void steps (struct text *out, const struct starve_split *s)
{
	if (!s->known)
		return;
	for (int i = 0; i < TRACE_STEPS; i++)
		if (s->step[i].n)
			util_text_add (out, "  %s: { count: %llu, p50_ns: %llu, p99_ns: %llu, max_ns: %llu }\n",
			               trace_step_keys[i], (unsigned long long) s->step[i].n,
			               (unsigned long long) s->step[i].p50_ns,
			               (unsigned long long) s->step[i].p99_ns,
			               (unsigned long long) s->step[i].max_ns);
	if (s->deferred_n > 0)
		util_text_add (out, "  deferred_because:\n");
	for (unsigned i = 0; i < s->deferred_n; i++)
		util_text_add (out, "    \"%s\": %llu\n", s->deferred[i].why,
		               (unsigned long long) s->deferred[i].n);
	util_text_add (out, "  trace_events_lost: %llu\n", (unsigned long long) s->lost);
}

static void diagnosis (struct text *out, const struct trial *t)
{
	const struct verdict *v = &t->v;
	const struct hist *h = &v->waits;

	util_text_add (out, "  ---\n");
	if (v->why[0])
		util_text_add (out, "  message: \"%s\"\n", v->why);
	util_text_add (out, "  attempts: %u\n  attempts_failed: %u\n  attempts_inconclusive: %u\n",
	               t->attempts, t->failed, t->unclear);
	key_time (out, "bound_ns", (double) t->bound_ns);
	util_text_add (out, "  waits: %llu\n", (unsigned long long) atomic_load (&h->count));
	key_time (out, "wait_p50_ns", (double) util_hist_quantile (h, 0.5));
	key_time (out, "wait_p99_ns", (double) util_hist_quantile (h, 0.99));
	key_time (out, "wait_p999_ns", (double) util_hist_quantile (h, 0.999));
	key_time (out, "wait_max_ns", (double) util_hist_quantile (h, 1));
	util_text_add (out, "  waits_open_at_end: %llu\n",
	               (unsigned long long) atomic_load (&v->opened));
	key_time (out, "wait_open_max_ns", (double) atomic_load (&v->open_ns));
	key_time (out, "longest_run_ns", (double) v->longest_run_ns);
	util_text_add (out, "  starve_events: %llu\n", (unsigned long long) v->events);
	util_text_add (
	    out,
	    "  preempt_requested: %llu\n  preempt_yielded: %llu\n  preempt_handed_off: %llu\n"
	    "  preempt_deferred: %llu\n  preempt_expired: %llu\n",
	    (unsigned long long) v->stats.preempt_requested,
	    (unsigned long long) v->stats.preempt_yielded,
	    (unsigned long long) v->stats.preempt_handed_off,
	    (unsigned long long) v->stats.preempt_deferred,
	    (unsigned long long) v->stats.preempt_expired);
	steps (out, &t->split);
	key_time (out, "host_delay_ns", (double) v->noise_ns);
	key_time (out, "elapsed_ns", (double) v->elapsed_ns);
	util_text_add (out, "  procs: %d\n  quantum_ns: %llu\n  seed: %llu\n", v->config.procs,
	               (unsigned long long) v->config.quantum_ns, (unsigned long long) v->config.seed);
	culprit (out, &v->culprit);
	util_text_add (out, "  ...\n");
}

void starve_tap_begin (struct text *out, const struct suite *s)
{
	struct utsname u;
	char without[128];

	util_text_add (out, "TAP version 14\n1..%zu\n", s->n);
	util_text_add (out, "# goad %s, seed %llu\n", PACKAGE_VERSION, (unsigned long long) s->seed);
	if (uname (&u) == 0)
		util_text_add (out, "# %s %s %s, %ld CPUs\n", u.sysname, u.release, u.machine,
		               sysconf (_SC_NPROCESSORS_ONLN));
	starve_disabled_names (without, s->disabled);
	if (without[0])
		util_text_add (out, "# without %s\n", without);
}

void starve_tap_trial (struct text *out, const struct trial *t, size_t number)
{
	bool skip = t->outcome == STARVE_UNCLEAR;
	char name[256];

	starve_trial_name (name, t);
	util_text_add (out, "%s %zu - ", starve_trial_ok (t) || skip ? "ok" : "not ok", number);
	starve_plain (out, name);
	if (skip) {
		util_text_add (out, " # SKIP inconclusive: ");
		starve_plain (out, t->v.why);
	}
	util_text_add (out, "\n");
	diagnosis (out, t);
}

void starve_list (struct text *out)
{
	for (size_t i = 0; i < starve_scenarios_n; i++) {
		const struct scenario *s = starve_scenarios[i];
		char needs[128];

		starve_disabled_names (needs, s->needs);
		util_text_add (out, "%s: %s\n    needs %s\n    after %s: %s\n", s->name, s->about, needs,
		               s->issue, s->after);
	}
}
