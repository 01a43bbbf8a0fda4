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
