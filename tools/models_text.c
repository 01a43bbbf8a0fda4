/* SPDX-License-Identifier: MIT */
/* models_text.c - the table for people, with its explanations */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "models.h"

enum { NAME = 44, CELL = 16, LINE = 100 };

const char *models_show (char buf[32], const struct models_row *row,
                         const struct models_value *value)
{
	char s[16];

	if (!value->known)
		snprintf (buf, 32, "?");
	else if (value->endless)
		snprintf (buf, 32, "until they end");
	else if (strcmp (row->unit, "x") == 0)
		snprintf (buf, 32, "%.2f", value->value);
	else
		snprintf (buf, 32, "%s",
		          strcmp (row->unit, "B") == 0 ? util_size (s, value->value)
		                                       : util_time (s, value->value));
	return buf;
}

/* Breaks the lines between words. */
static void paragraph (const char *const text[2])
{
	char both[512];
	int column = 0;

	snprintf (both, sizeof both, "%s %s", text[0], text[1]);
	for (char *word = strtok (both, " "); word != NULL; word = strtok (NULL, " ")) {
		int n = (int) strlen (word);

		if (column == 0 || column + 1 + n > LINE) {
			printf ("%s    %s", column == 0 ? "" : "\n", word);
			column = 4 + n;
		} else {
			column += printf (" %s", word);
		}
	}
	printf ("\n\n");
}

int models_text (const struct models *m)
{
	struct utsname u;
	char buf[32];

	printf ("Four thread models on this machine: %u CPUs, Linux %s%s\n\n%-*s", m->cpus,
	        uname (&u) == 0 ? u.release : "", m->quick ? "; QUICK, for a look only" : "", NAME, "");
	for (unsigned i = 0; i < MODELS; i++)
		printf ("%*s", CELL, models_worlds[i].title);
	printf ("\n");
	for (unsigned row = 0; row < ROWS; row++) {
		printf ("%-*s", NAME, models_rows[row].title);
		for (unsigned i = 0; i < MODELS; i++)
			printf ("%*s", CELL, models_show (buf, &models_rows[row], &m->value[i][row]));
		printf ("\n");
		paragraph (models_rows[row].text);
	}
	printf (
	    "Medians of %u repetitions, delays of %u. A delay is the longest of one that is to run\n"
	    "each millisecond, beside as many calls or loops as there are CPUs. N:1 is goad with one\n"
	    "thread and without preemption, as libraries are that switch in their own calls.\n"
	    "What the kernel keeps of each beside its stack is not in the memory.\n",
	    m->repeat, (m->repeat + 2) / 3);
	if (m->others > 0.1)
		printf ("Others used %.0f%% of a CPU meanwhile: a quiet machine gives better figures.\n",
		        100 * m->others);
	return fflush (stdout) == 0 ? 0 : -EIO;
}
