/* SPDX-License-Identifier: MIT */
/* tests/api/urgent.c - GOAD_URGENT: the nice value of sysmon's thread */
#include "tests/harness.h"
#include "tests/support.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NONE = 100 };

static int nice_of_sysmon (void)
{
	DIR *dir = opendir ("/proc/self/task");
	struct dirent *e;
	int nice = NONE;

	while (dir && (e = readdir (dir))) {
		char path[300], comm[32] = "";
		FILE *f;

		snprintf (path, sizeof path, "/proc/self/task/%s/comm", e->d_name);
		f = fopen (path, "r");
		if (!f)
			continue;
		if (fgets (comm, sizeof comm, f) && strcmp (comm, "goad-sysmon\n") == 0)
			nice = getpriority (PRIO_PROCESS, (id_t) atoi (e->d_name));
		fclose (f);
	}
	if (dir)
		closedir (dir);
	return nice;
}

static void look (void *arg)
{
	goad_stats_t s = { .sysmon_ticks = 0 };

	while (goad_stats (&s) == 0 && s.sysmon_ticks == 0) /* its first look comes after that */
		goad_sleep (GOAD_MS);
	*(int *) arg = nice_of_sysmon ();
}

static int sysmon_in_a_run (void)
{
	int nice = NONE;

	cr_assert_eq (run_main (look, &nice, 1, 0, 0), 0);
	return nice;
}

static bool may_be_urgent (void)
{
	int status;
	pid_t pid = fork ();

	if (pid == 0)
		_exit (setpriority (PRIO_PROCESS, 0, -20) != 0);
	return waitpid (pid, &status, 0) == pid && WIFEXITED (status) && WEXITSTATUS (status) == 0;
}

Test (urgent, twenty_below_the_program, .timeout = 20)
{
	int own = getpriority (PRIO_PROCESS, 0);
	int best = own < 0 ? -20 : own - 20;

	setenv ("GOAD_URGENT", "1", 1);
	cr_assert_eq (sysmon_in_a_run (), may_be_urgent () ? best : own);
	cr_assert_eq (getpriority (PRIO_PROCESS, 0), own, "and nobody else is");
}

Test (urgent, of_a_nice_program, .timeout = 20)
{
	setenv ("GOAD_URGENT", "1", 1);
	cr_assert_eq (setpriority (PRIO_PROCESS, 0, 10), 0);
	cr_assert_eq (sysmon_in_a_run (), may_be_urgent () ? -10 : 10);
}

Test (urgent, only_if_asked_for, .timeout = 20)
{
	unsetenv ("GOAD_URGENT");
	cr_assert_eq (sysmon_in_a_run (), getpriority (PRIO_PROCESS, 0));
}

/* Without the right to it everything else works. */
Test (urgent, not_permitted, .timeout = 20)
{
	struct rlimit none = { 0, 0 };
	int own = getpriority (PRIO_PROCESS, 0);

	if (geteuid () != 0)
		cr_skip_test ("needs root, to have something to give away");
	setenv ("GOAD_URGENT", "1", 1);
	cr_assert_eq (setrlimit (RLIMIT_NICE, &none), 0);
	cr_assert_eq (setuid (65534), 0);
	cr_assert_eq (sysmon_in_a_run (), own);
}
