/* SPDX-License-Identifier: MIT */
/* fair.c - the same as a scenario for goad starve --so */
#include "queue.h"

int fair (int argc, char **argv);

int fair (int argc, char **argv)
{
	(void) argc, (void) argv;
	queue_run (0);
	return 0;
}
