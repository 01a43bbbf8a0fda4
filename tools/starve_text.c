/* SPDX-License-Identifier: MIT */
/* starve_text.c - results for people: some lines for each scenario, or the matrix */
#include <string.h>

#include "tools/starve.h"

static const char *short_outcome (const struct trial *t)
{
	return t->outcome == STARVE_FAIL      ? "STARVES"
	       : t->outcome == STARVE_UNCLEAR ? "?"
	       : t->outcome == STARVE_PASS    ? "pass"
	                                      : "error";
}

static void waits (struct text *out, const struct trial *t)
{
	const struct hist *h = &t->v.waits;
	char a[16], b[16], c[16], d[16], e[16];

	util_text_add (out, "    waits     %llu: p50 %s, p99 %s, p99.9 %s, max %s; longest run %s\n",
	               (unsigned long long) atomic_load (&h->count),
	               util_time (a, (double) util_hist_quantile (h, 0.5)),
	               util_time (b, (double) util_hist_quantile (h, 0.99)),
	               util_time (c, (double) util_hist_quantile (h, 0.999)),
	               util_time (d, (double) util_hist_quantile (h, 1)),
	               util_time (e, (double) t->v.longest_run_ns));
	if (atomic_load (&t->v.opened))
		util_text_add (out, "              %llu of them open at the end, the longest %s\n",
		               (unsigned long long) atomic_load (&t->v.opened),
		               util_time (a, (double) atomic_load (&t->v.open_ns)));
}

static void preemption (struct text *out, const struct trial *t)
{
	const struct starve_split *s = &t->split;
	const goad_stats_t *g = &t->v.stats;
	char a[16], b[16], c[16];

	util_text_add (out,
	               "    preempted %llu asked for: %llu yielded, %llu handed off, %llu deferred, "
	               "%llu expired\n",
	               (unsigned long long) g->preempt_requested,
	               (unsigned long long) g->preempt_yielded,
	               (unsigned long long) g->preempt_handed_off,
	               (unsigned long long) g->preempt_deferred,
	               (unsigned long long) g->preempt_expired);
	for (int i = 0; i < TRACE_STEPS; i++)
		if (s->step[i].n)
			util_text_add (out, "              %-18s  p50 %8s  p99 %8s  max %8s\n",
			               trace_step_names[i], util_time (a, (double) s->step[i].p50_ns),
			               util_time (b, (double) s->step[i].p99_ns),
			               util_time (c, (double) s->step[i].max_ns));
	for (unsigned i = 0; i < s->deferred_n; i++)
		util_text_add (out, "              deferred %llu: %s\n",
		               (unsigned long long) s->deferred[i].n, s->deferred[i].why);
	if (s->lost)
		util_text_add (out, "              %llu events of the trace were lost\n",
		               (unsigned long long) s->lost);
}

static void culprit (struct text *out, const struct culprit *c)
{
	char a[16], frame[256];

	if (!c->waited_ns)
		return;
	util_text_add (out, "    culprit   %s (%llu) waited for %s behind %s (%llu)\n", c->victim,
	               (unsigned long long) c->victim_id, util_time (a, (double) c->waited_ns),
	               c->hog[0] ? c->hog : "nobody", (unsigned long long) c->hog_id);
	for (int i = 0; i < c->depth && i < 32; i++) {
		starve_frame_name (frame, sizeof frame, c->pc[i], i == 0);
		util_text_add (out, "              %s\n", frame);
	}
}

void starve_text (struct text *out, const struct suite *s)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct trial *t = &s->trial[i];
		char name[256];

		starve_trial_name (name, t);
		starve_plain (out, name);
		util_text_add (out, ": %s%s%s%s\n", short_outcome (t), starve_trial_ok (t) ? "" : "!",
		               t->v.why[0] ? ", " : "", t->v.why);
		waits (out, t);
		preemption (out, t);
		culprit (out, &t->v.culprit);
	}
	util_text_add (out, "seed %llu\n", (unsigned long long) s->seed);
}

/* Why a cell is not what it should be: what the last try came to, and all of them. */
static void reason (struct text *out, const struct trial *t)
{
	char name[256], a[16], b[16], c[16];

	starve_trial_name (name, t);
	util_text_add (out, "  ");
	starve_plain (out, name);
	util_text_add (out,
	               ": should %s; of %u tries %u starved and %u were inconclusive; the last: %s%s"
	               "longest wait %s, host took up to %s of %s\n",
	               t->expect_fail ? "starve" : "pass", t->attempts, t->failed, t->unclear, t->v.why,
	               t->v.why[0] ? "; " : "",
	               util_time (a, (double) util_hist_quantile (&t->v.waits, 1)),
	               util_time (b, (double) t->v.noise_ns), util_time (c, (double) t->v.elapsed_ns));
}

void starve_text_matrix (struct text *out, const struct suite *s)
{
	size_t per = STARVE_MECHANISMS + 1;
	unsigned wrong = 0, unclear = 0;

	util_text_add (out, "%-22s %-8s", "without:", "nothing");
	for (int m = 0; m < STARVE_MECHANISMS; m++)
		util_text_add (out, " %-14s", starve_mechanisms[m].name);
	util_text_add (out, "\n");
	for (size_t i = 0; i < s->n; i++) {
		const struct trial *t = &s->trial[i];
		bool bad = !starve_trial_ok (t);

		if (i % per == 0)
			util_text_add (out, "%-22s ", t->scenario->name);
		wrong += bad && t->outcome != STARVE_UNCLEAR;
		unclear += t->outcome == STARVE_UNCLEAR;
		util_text_add (out, "%-*s%s", i % per == 0 ? 7 : 13, short_outcome (t), bad ? "!" : " ");
		util_text_add (out, i % per == per - 1 ? "\n" : " ");
	}
	for (size_t i = 0; i < s->n; i++)
		if (!starve_trial_ok (&s->trial[i]))
			reason (out, &s->trial[i]);
	util_text_add (out,
	               "%u of %zu other than the scenarios say (!), %u inconclusive (?); seed %llu\n",
	               wrong, s->n, unclear, (unsigned long long) s->seed);
}
