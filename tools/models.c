/* SPDX-License-Identifier: MIT */
/* models.c - goad models, from the command line to the exit code
 *
 * Each world is measured in a process of its own, so that none finds the memory that another
 * has touched, and so that one that fails leaves the others. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "models.h"
#include "tool.h"

const struct models_row models_rows[ROWS] = {
	[ROW_CREATE] = { "create",
	                 "To create one, and to end it",
	                 "ns",
	                 { "A process gets an address space, a thread a stack and a place in the "
	                   "kernel's tables, by system calls that also take them back.",
	                   "A coroutine gets a stack that the library mostly has at hand, and no "
	                   "system call is made." } },
	[ROW_SWITCH] = { "switch",
	                 "To wake another and wait, on one CPU",
	                 "ns",
	                 { "The kernel is entered to change threads, and with processes it changes "
	                   "the address space as well.",
	                   "A coroutine saves a few registers in a call, and the next one's are "
	                   "loaded." } },
	[ROW_MEMORY] = { "memory",
	                 "Memory of one that waits",
	                 "B",
	                 { "To each process and thread belongs a kernel stack of 16 KiB, beside what "
	                   "it touched of its own, and to a process its page tables too.",
	                   "A coroutine that waits keeps the pages of its stack that it touched, "
	                   "mostly one." } },
	[ROW_SPEEDUP] = { "speedup",
	                  "Speed-up on all CPUs",
	                  "x",
	                  { "The kernel spreads processes and threads over the CPUs; N:1 is one "
	                    "thread to it, which is on one CPU at a time.",
	                    "M:N has a thread for each CPU, and those that have nothing to do take "
	                    "coroutines from the others." } },
	[ROW_BLOCK] = { "block",
	                "Calls that block: longest delay of others",
	                "ns",
	                { "While a thread sleeps in the kernel the kernel runs others, but N:1 has "
	                  "none: all its coroutines sleep with it.",
	                  "M:N sees that the thread sleeps, and another thread runs the coroutines "
	                  "meanwhile." } },
	[ROW_LOOP] = { "loop",
	               "Endless loops: longest delay of others",
	               "ns",
	               { "The kernel's clock interrupts whatever runs; a library that switches in "
	                 "its own calls waits for the next call, which never comes.",
	                 "In M:N as goad does it a monitor thread sends the loop a signal, and the "
	                 "handler switches to another." } },
};

/* Those that this process may use. */
static unsigned cpus (void)
{
	cpu_set_t set;

	return sched_getaffinity (0, sizeof set, &set) == 0 ? (unsigned) CPU_COUNT (&set) : 1;
}

static void measure_world (struct models *m, unsigned model)
{
	pid_t pid = fork ();

	if (pid == 0) {
		prctl (PR_SET_PDEATHSIG, SIGKILL);
		models_measure (m, &models_worlds[model], m->value[model]);
		_exit (0);
	}
	while (pid > 0 && waitpid (pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* On a terminal only: it is overwritten by what comes next. */
static void progress (const char *what)
{
	if (!isatty (STDERR_FILENO))
		return;
	fprintf (stderr, "\r\033[K%s", what);
	fflush (stderr);
}

static int complete (const struct models *m)
{
	int code = TOOL_OK;

	for (unsigned i = 0; i < MODELS; i++)
		for (unsigned row = 0; row < ROWS; row++)
			if (!m->value[i][row].known) {
				util_error ("%s: '%s' could not be measured", models_worlds[i].title,
				            models_rows[row].name);
				code = TOOL_FAILED;
			}
	return code;
}

/* A picture that cannot be written is better known before than after. */
static int check_plot (const struct models *m)
{
	if (m->plot == NULL)
		return 0;
	bool existed = access (m->plot, F_OK) == 0;
	FILE *f = fopen (m->plot, "ab");
	if (f == NULL) {
		util_error ("--plot '%s': %s", m->plot, strerror (errno));
		return TOOL_USAGE;
	}
	fclose (f);
	if (!existed)
		unlink (m->plot);
	return 0;
}

int tool_models (int argc, char **argv)
{
	struct models *m = mmap (NULL, sizeof *m, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
	                         -1, 0);
	struct util_moment begin, end;
	char why[128];
	int code;

	util_set_command ("goad models");
	if (m == MAP_FAILED)
		return TOOL_FAILED;
	if ((code = models_options_parse (m, argc, argv)) != 0 || (code = check_plot (m)) != 0)
		return code;
	m->cpus = cpus ();
	m->repeat = m->quick ? 3 : 7;
	m->span_ns = (m->quick ? 200 : 500) * GOAD_MS;
	fflush (stdout);
	begin = util_moment ();
	for (unsigned i = 0; i < MODELS; i++) {
		progress (models_worlds[i].title);
		measure_world (m, i);
	}
	progress ("");
	end = util_moment ();
	m->others = (end.busy - begin.busy - (end.own - begin.own) + end.steal - begin.steal) /
	            (end.wall - begin.wall);
	code = complete (m);
	if (m->plot != NULL && models_plot (m, why, sizeof why) < 0) {
		util_error ("--plot '%s': %s", m->plot, why);
		code = TOOL_FAILED;
	}
	if ((m->json ? models_json (m, code) : models_text (m)) < 0)
		code = TOOL_FAILED;
	return code;
}
