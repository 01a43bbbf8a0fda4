/* SPDX-License-Identifier: MIT */
/* The CPU quota of a cgroup, in trees made for it. */
#include "tests/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/runtime.h"

static char root[64];

static void put (const char *name, const char *text)
{
	char path[300];
	FILE *f;

	snprintf (path, sizeof path, "%s/%s", root, name);
	for (char *c = path + strlen (root) + 1; *c; c++)
		if (*c == '/') {
			*c = 0;
			mkdir (path, 0700);
			*c = '/';
		}
	f = fopen (path, "w");
	cr_assert (f != NULL, "%s", path);
	fputs (text, f);
	fclose (f);
}

static void begin (void)
{
	strcpy (root, "/tmp/goad-cpus-XXXXXX");
	cr_assert (mkdtemp (root) != NULL);
}

static void end (void)
{
	char command[100];

	snprintf (command, sizeof command, "rm -rf %s", root);
	cr_assert_eq (system (command), 0);
}

static int quota (const char *self)
{
	char path[100];

	put ("self", self);
	snprintf (path, sizeof path, "%s/self", root);
	return goad__cpus_quota (root, path);
}

#define NONE GOAD__MAX_PROCS

Test (cpus, version_2, .init = begin, .fini = end)
{
	cr_expect_eq (quota ("0::/a/b\n"), NONE);
	put ("a/b/cpu.max", "max 100000\n");
	cr_expect_eq (quota ("0::/a/b\n"), NONE);
	put ("a/b/cpu.max", "250000 100000\n");
	cr_expect_eq (quota ("0::/a/b\n"), 3);
	put ("a/b/cpu.max", "300000 100000\n");
	cr_expect_eq (quota ("0::/a/b\n"), 3);
	put ("a/b/cpu.max", "1000 100000\n");
	cr_expect_eq (quota ("0::/a/b"), 1);
	put ("a/b/cpu.max", "900000000 100000\n");
	cr_expect_eq (quota ("0::/a/b\n"), NONE);
}

Test (cpus, least_of_all_above, .init = begin, .fini = end)
{
	put ("a/b/cpu.max", "500000 100000\n");
	put ("a/cpu.max", "350000 100000\n");
	put ("cpu.max", "max 100000\n");
	cr_expect_eq (quota ("0::/a/b\n"), 4);
	cr_expect_eq (quota ("0::/a\n"), 4);
	cr_expect_eq (quota ("0::/a/not/there\n"), 4);
	cr_expect_eq (quota ("0::/ab\n"), NONE);
	put ("cpu.max", "20000 10000\n");
	cr_expect_eq (quota ("0::/a/b\n"), 2);
	cr_expect_eq (quota ("0::/\n"), 2);
	cr_expect_eq (quota ("0::/../../elsewhere\n"), 2);
}

Test (cpus, version_1, .init = begin, .fini = end)
{
	put ("cpu,cpuacct/x/cpu.cfs_quota_us", "150000\n");
	put ("cpu,cpuacct/x/cpu.cfs_period_us", "50000\n");
	cr_expect_eq (quota ("4:cpu,cpuacct:/x\n"), 3);
	cr_expect_eq (quota ("9:memory:/x\n5:cpuset,cpuacct:/x\n4:cpu,cpuacct:/x/y\n0::/\n"), 3);
	cr_expect_eq (quota ("4:cpuacct:/x\n"), NONE);
	put ("cpu,cpuacct/x/cpu.cfs_quota_us", "-1\n");
	cr_expect_eq (quota ("4:cpu,cpuacct:/x\n"), NONE);
	put ("cpu/cpu.cfs_quota_us", "100000\n");
	put ("cpu/cpu.cfs_period_us", "100000\n");
	cr_expect_eq (quota ("4:cpu,cpuacct:/x\n"), 1);
	cr_expect_eq (quota ("4:cpu:/of/the/host\n"), 1);
}

Test (cpus, nonsense, .init = begin, .fini = end)
{
	cr_expect_eq (goad__cpus_quota (root, "/nowhere"), NONE);
	cr_expect_eq (quota (""), NONE);
	cr_expect_eq (quota ("\n::\n:\n0:\n"), NONE);
	put ("cpu.max", "");
	cr_expect_eq (quota ("0::/\n"), NONE);
	put ("cpu.max", "100000\n");
	cr_expect_eq (quota ("0::/\n"), NONE);
	put ("cpu.max", "100000 0\n");
	cr_expect_eq (quota ("0::/\n"), NONE);
	put ("cpu.max", "99999999999999999999999999999 1\n");
	cr_expect_eq (quota ("0::/\n"), NONE);
}
