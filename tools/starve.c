/* SPDX-License-Identifier: MIT */
/* starve.c - goad starve: runs the scenarios, or the matrix, and says what came of it */
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tools/starve.h"
#include "tools/starve_options.h"
#include "tools/tool.h"

enum { ATTEMPTS = 5 };

const struct mechanism starve_mechanisms[STARVE_MECHANISMS] = {
	{ "preempt", NEEDS_PREEMPT },
	{ "handoff", NEEDS_HANDOFF },
	{ "detect-block", NEEDS_DETECT_BLOCK },
	{ "wakeup-preempt", NEEDS_WAKEUP_PREEMPT },
	{ "global-tick", NEEDS_GLOBAL_TICK },
	{ "inherit-slice", NEEDS_INHERIT_SLICE },
	{ "sysmon", NEEDS_SYSMON },
};

bool starve_trial_ok (const struct trial *t)
{
	return t->outcome == (t->expect_fail ? STARVE_FAIL : STARVE_PASS);
}

static void setup_of (const struct suite *s, const struct trial *t, struct setup *to,
                      struct verdict *v, int trace)
{
	*to = (struct setup){ .scenario = t->scenario,
		                  .user = s->user,
		                  .disabled = t->disabled,
		                  .bound_ns = t->bound_ns,
		                  .seed = s->seed + t->attempts + (t->round ? t->round - 1 : 0) * 100,
		                  .verdict = v,
		                  .trace = trace };
}

/* Until it is clear: what was expected is believed at once, the contrary when it came twice
 * before; what the host made inconclusive is tried again.  That goes without a trace, as
 * tracing costs some time too: nothing against the scenario is ever believed for it alone. */
static void run_trial (const struct suite *s, struct trial *t, struct verdict *shared, int trace)
{
	unsigned against = 0;

	while (t->attempts < ATTEMPTS) {
		struct setup setup;

		setup_of (s, t, &setup, shared, t->attempts ? -1 : trace);
		t->outcome = starve_run (&setup);
		t->attempts++;
		t->failed += t->outcome == STARVE_FAIL;
		t->unclear += t->outcome == STARVE_UNCLEAR;
		t->v = *shared;
		if (setup.trace >= 0)
			starve_trace_read (trace, &t->split);
		if (starve_trial_ok (t) || t->outcome == STARVE_ERROR)
			return;
		if (t->outcome != STARVE_UNCLEAR && ++against == 3)
			return;
	}
	if (against < 2)
		t->outcome = STARVE_UNCLEAR;
}

static int run_all (struct suite *s, struct text *out, int format)
{
	struct verdict *shared = mmap (NULL, sizeof *shared, PROT_READ | PROT_WRITE,
	                               MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int code = TOOL_OK, trace = starve_trace_open ();

	if (shared == MAP_FAILED) {
		util_error ("no memory for the results");
		return TOOL_FAILED;
	}
	for (size_t i = 0; i < s->n; i++) {
		struct trial *t = &s->trial[i];

		run_trial (s, t, shared, trace);
		if (t->outcome == STARVE_ERROR) {
			util_error ("%s: %s", t->scenario->name, t->v.why);
			code = TOOL_FAILED;
		} else if (!starve_trial_ok (t) && t->outcome != STARVE_UNCLEAR && code == TOOL_OK) {
			code = TOOL_BROKEN;
		}
		if (format == FORMAT_TAP) {
			starve_tap_trial (out, t, i + 1);
			util_write_all (STDOUT_FILENO, out->s, out->len);
			out->len = 0;
		}
	}
	munmap (shared, sizeof *shared);
	if (trace >= 0)
		close (trace);
	return code;
}

/* ---- which trials --------------------------------------------------------------------------- */

static void add (struct suite *s, const struct starve_options *o, const struct scenario *sc,
                 unsigned disabled, bool expect_fail, unsigned round)
{
	struct trial *t = &s->trial[s->n++];

	*t = (struct trial){ .scenario = sc,
		                 .disabled = disabled,
		                 .expect_fail = expect_fail,
		                 .round = round,
		                 .bound_ns = starve_bound (o, sc) };
}

static void add_scenario (struct suite *s, const struct starve_options *o,
                          const struct scenario *sc)
{
	for (unsigned r = 1; r <= o->repeat; r++) {
		add (s, o, sc, o->disabled, false, o->repeat > 1 ? r : 0);
		if (!o->matrix)
			continue;
		for (int m = 0; m < STARVE_MECHANISMS; m++)
			add (s, o, sc, o->disabled | starve_mechanisms[m].flag,
			     (sc->needs & starve_mechanisms[m].flag) != 0, o->repeat > 1 ? r : 0);
	}
}

static int load_user (struct suite *s, const char *spec)
{
	const char *colon = strrchr (spec, ':');
	char path[4096];
	void *so;

	snprintf (path, sizeof path, "%s%.*s", memchr (spec, '/', (size_t) (colon - spec)) ? "" : "./",
	          (int) (colon - spec), spec);
	so = dlopen (path, RTLD_NOW | RTLD_LOCAL);
	if (!so) {
		util_error ("--so: %s", dlerror ());
		return TOOL_USAGE;
	}
	*(void **) &s->user = dlsym (so, colon + 1);
	if (!s->user) {
		util_error ("--so '%s': %s has no function '%s'", spec, path, colon + 1);
		return TOOL_USAGE;
	}
	s->so = spec;
	return 0;
}

static int choose (struct suite *s, const struct starve_options *o)
{
	static struct scenario user = { .about = "a scenario of your own", .issue = "", .after = "" };
	size_t most = (starve_scenarios_n + 1) * (STARVE_MECHANISMS + 1) * o->repeat;

	s->trial = calloc (most, sizeof *s->trial);
	if (!s->trial) {
		util_error ("no memory for %zu cases", most);
		return TOOL_FAILED;
	}
	if (o->so) {
		int code = load_user (s, o->so);
		user.name = o->so;
		if (code == 0)
			add_scenario (s, o, &user);
		return code;
	}
	for (size_t i = 0; i < starve_scenarios_n; i++)
		if (starve_wanted (o, starve_scenarios[i]))
			add_scenario (s, o, starve_scenarios[i]);
	return 0;
}

static int report (const struct suite *s, const struct starve_options *o, struct text *out,
                   int code)
{
	if (o->format == FORMAT_JSON && starve_json (out, s, code) < 0)
		return TOOL_FAILED;
	if (o->format == FORMAT_TEXT)
		(s->matrix ? starve_text_matrix : starve_text) (out, s);
	if (out->failed || (out->len && util_write_all (STDOUT_FILENO, out->s, out->len) < 0))
		return TOOL_FAILED;
	if (o->junit && starve_junit (s, o->junit) < 0)
		return TOOL_FAILED;
	if (o->hgrm && starve_hgrm (s, o->hgrm) < 0)
		return TOOL_FAILED;
	return code;
}

int tool_starve (int argc, char **argv)
{
	struct starve_options o = { .repeat = 1 };
	struct suite s = { .n = 0 };
	struct text out = { .s = NULL };
	int code;

	util_set_command ("goad starve");
	code = starve_options_parse (&o, argc, argv);
	if (code == 0 && o.list) {
		starve_list (&out);
		code = out.failed || util_write_all (STDOUT_FILENO, out.s, out.len) < 0 ? TOOL_FAILED
		                                                                        : TOOL_OK;
		util_text_free (&out);
		return code;
	}
	if (code == 0)
		code = choose (&s, &o);
	if (code == 0) {
		s.seed = o.seed;
		s.matrix = o.matrix;
		s.disabled = o.disabled;
		if (o.format == FORMAT_TAP)
			starve_tap_begin (&out, &s);
		code = report (&s, &o, &out, run_all (&s, &out, o.format));
	}
	free (s.trial);
	util_text_free (&out);
	return code;
}
