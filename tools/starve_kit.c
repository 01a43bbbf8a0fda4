/* SPDX-License-Identifier: MIT */
/* starve_kit.c - what scenarios are made of: victims, hogs, the time that somebody waited */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tools/starve.h"

enum { VICTIMS = 16 };

_Atomic int starve_over_flag;

static struct victim {
	_Atomic uint64_t since; /* it could run; 0: it runs, or waits for something */
	_Atomic uint64_t turns, worst;
} victim[VICTIMS];
static _Atomic int victims;
static struct hist *waits;
static uint64_t loops_per_us;

static _Noreturn void give_up (const char *what, int err)
{
	util_error ("%s: %s", what, strerror (err));
	_exit (TOOL_FAILED);
}

static void loops (uint64_t n)
{
	for (volatile uint64_t i = 0; i < n && !starve_over (); i = i + 1)
		;
}

void starve_kit_begin (struct hist *to)
{
	waits = to;
	/* The fastest of some tries: the host may have been busy in the others. */
	for (int i = 0; i < 20; i++) {
		uint64_t t = goad_now (), took;
		loops (10000);
		took = goad_now () - t;
		if (took > 0 && 10000 * 1000 / took > loops_per_us)
			loops_per_us = 10000 * 1000 / took;
	}
}

int starve_victim (void)
{
	int v = atomic_fetch_add (&victims, 1);

	if (v >= VICTIMS)
		give_up ("more victims", ENOSPC);
	return v;
}

void starve_ready (int v, uint64_t since)
{
	atomic_store (&victim[v].since, since ? since : goad_now ());
}

void starve_ran (int v)
{
	uint64_t now = goad_now ();
	uint64_t since = atomic_exchange (&victim[v].since, 0);
	uint64_t waited = now > since ? now - since : 0;

	if (starve_over () || since == 0)
		return;
	if (waited > atomic_load (&victim[v].worst))
		atomic_store (&victim[v].worst, waited);
	util_hist_add (waits, waited); /* one victim, or a few hundred times a second in all */
	atomic_fetch_add (&victim[v].turns, 1);
}

bool starve_pending (int v)
{
	return atomic_load (&victim[v].since) != 0;
}

void starve_kit_look (struct standing *s, uint64_t now)
{
	int n = atomic_load (&victims);

	*s = (struct standing){ .victims = (unsigned) n, .least_turns = n ? UINT64_MAX : 0 };
	for (int i = 0; i < n; i++) {
		uint64_t since = atomic_load (&victim[i].since);
		uint64_t turns = atomic_load (&victim[i].turns);
		uint64_t worst = atomic_load (&victim[i].worst);

		s->least_turns = turns < s->least_turns ? turns : s->least_turns;
		s->worst_ns = worst > s->worst_ns ? worst : s->worst_ns;
		if (since && now > since && now - since > s->open_ns)
			s->open_ns = now - since;
	}
}

/* Waits that are not over count with what they have come to. */
void starve_kit_censor (struct verdict *v, uint64_t now)
{
	for (int i = 0; i < atomic_load (&victims); i++) {
		uint64_t since = atomic_load (&victim[i].since);

		if (!since || now <= since)
			continue;
		util_hist_add (&v->waits, now - since);
		atomic_fetch_add (&v->opened, 1);
		if (now - since > atomic_load (&v->open_ns))
			atomic_store (&v->open_ns, now - since);
	}
}

void starve_go (const char *name, goad_fn fn, void *arg)
{
	goad_attr_t a = GOAD_ATTR_INIT;
	goad_task_t *t;
	int err;

	a.name = name;
	err = goad_spawn (&t, &a, fn, arg);
	if (err == 0)
		goad_detach (t);
	else if (!starve_over ()) /* then all may have ended, and the runtime with them */
		give_up ("goad_spawn", -err);
}

void starve_go_victim (goad_fn fn)
{
	int v = starve_victim ();

	starve_ready (v, 0);
	starve_go ("victim", fn, &victim[v]);
}

int starve_victim_is (void *arg)
{
	struct victim *me = arg;

	if (!me)
		return starve_victim ();
	starve_ran ((int) (me - victim));
	return (int) (me - victim);
}

void starve_thread (void *(*fn) (void *arg), void *arg)
{
	pthread_t t;
	int err = pthread_create (&t, NULL, fn, arg);

	if (err)
		give_up ("pthread_create", err);
	pthread_detach (t);
}

void starve_burn (uint64_t ns)
{
	loops (ns * loops_per_us / 1000);
}

void starve_hog_spins (void *arg)
{
	(void) arg;
	while (!starve_over ())
		;
}

void starve_hog_yields (void *arg)
{
	(void) arg;
	while (!starve_over ()) {
		starve_burn (50000);
		goad_yield ();
	}
}

void starve_victim_yields (void *arg)
{
	int v = starve_victim_is (arg);

	while (!starve_over ()) {
		starve_ready (v, 0);
		goad_yield ();
		starve_ran (v);
	}
}

void starve_victim_sleeps (void *arg)
{
	int v = starve_victim ();

	(void) arg;
	while (!starve_over ()) {
		uint64_t at = goad_after (2 * GOAD_MS);
		starve_ready (v, at);
		goad_sleep_until (at);
		starve_ran (v);
	}
}

/* Whoever reads the clock all the time sees in it that it did not run.  Mostly it is in the
 * loop, where it can be preempted in place. */
void starve_victim_computes (void *arg)
{
	int v = starve_victim ();

	(void) arg;
	starve_ready (v, 0);
	goad_yield ();
	starve_ran (v);
	while (!starve_over ()) {
		starve_ready (v, 0);
		starve_burn (50000);
		starve_ran (v);
	}
}

/* Newcomers: spawned from outside, one after the other, when so many are asleep. */
static struct {
	const _Atomic int *asleep;
	int least, victim;
} coming;

static void newcomer_runs (void *arg)
{
	(void) arg;
	starve_ran (coming.victim);
}

static void *newcomers_come (void *arg)
{
	const struct timespec pause = { 0, 2000000 };

	(void) arg;
	while (!starve_over ()) {
		nanosleep (&pause, NULL);
		if (coming.asleep && atomic_load (coming.asleep) < coming.least)
			continue;
		starve_ready (coming.victim, 0);
		starve_go ("newcomer", newcomer_runs, NULL);
		while (starve_pending (coming.victim) && !starve_over ())
			nanosleep (&pause, NULL);
	}
	return NULL;
}

void starve_newcomers (const _Atomic int *asleep, int least)
{
	coming.asleep = asleep;
	coming.least = least;
	coming.victim = starve_victim ();
	starve_thread (newcomers_come, NULL);
}
