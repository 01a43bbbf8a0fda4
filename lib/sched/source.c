/* SPDX-License-Identifier: MIT */
#include "sched/source.h"

#include "base/fatal.h"

static struct {
	const struct goad__source *at[GOAD__MAX_SOURCES];
	int n;
} sources; /* written only while no thread runs */

void goad__source_add (const struct goad__source *s)
{
	if (sources.n == GOAD__MAX_SOURCES)
		goad__fatal ("more than %d sources of work", GOAD__MAX_SOURCES);
	sources.at[sources.n++] = s;
}

void goad__sources_reset (void)
{
	sources.n = 0;
}

bool goad__sources_poll (void)
{
	bool found = false;

	for (int i = 0; i < sources.n; i++)
		found |= sources.at[i]->poll ();
	return found;
}

bool goad__sources_waiting (void)
{
	for (int i = 0; i < sources.n; i++)
		if (sources.at[i]->waiting ())
			return true;
	return false;
}

bool goad__sources_sleep (struct m *m)
{
	for (int i = 0; i < sources.n; i++)
		if (sources.at[i]->sleep)
			return sources.at[i]->sleep (m);
	return false;
}

void goad__sources_rouse (void)
{
	for (int i = 0; i < sources.n; i++)
		if (sources.at[i]->rouse)
			sources.at[i]->rouse ();
}
