/* SPDX-License-Identifier: MIT */
/* bench_machine.c - what the figures were measured on: never who owns it, or its name */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

static void trim (char *s)
{
	size_t len = strlen (s);

	while (len > 0 && (s[len - 1] == '\n' || s[len - 1] == ' '))
		s[--len] = '\0';
}

/* The first CPU stands for all. */
static void read_cpu (struct bench_machine *m)
{
	FILE *f = fopen ("/proc/cpuinfo", "r");
	char line[4096];

	snprintf (m->cpu, sizeof m->cpu, "unknown");
	while (f != NULL && fgets (line, sizeof line, f) != NULL && line[0] != '\n') {
		const char *value = strchr (line, ':');

		if (value == NULL)
			continue;
		if (strncmp (line, "model name", 10) == 0) {
			snprintf (m->cpu, sizeof m->cpu, "%.90s", value + 2);
			trim (m->cpu);
		} else if (strncmp (line, "flags", 5) == 0) {
			m->virtual_machine = strstr (value, " hypervisor") != NULL;
		}
	}
	if (f != NULL)
		fclose (f);
}

void bench_machine (struct bench_machine *m)
{
	struct utsname u;
	time_t now = time (NULL);
	struct tm tm;

	*m = (struct bench_machine){ .cpus = (unsigned) sysconf (_SC_NPROCESSORS_ONLN) };
	read_cpu (m);
	m->memory = (uint64_t) sysconf (_SC_PHYS_PAGES) * (uint64_t) sysconf (_SC_PAGESIZE);
	if (uname (&u) == 0)
		snprintf (m->kernel, sizeof m->kernel, "%.90s", u.release);
	if (getloadavg (&m->load, 1) != 1)
		m->load = 0;
	if (gmtime_r (&now, &tm) != NULL)
		strftime (m->date, sizeof m->date, "%Y-%m-%dT%H:%M:%SZ", &tm);
}
