/* SPDX-License-Identifier: MIT */
/* giver.c - an object that hands a per-thread address to others */
#include <errno.h>

#define EXPORT __attribute__ ((visibility ("default")))

EXPORT int *where_errno (void);
EXPORT volatile int stop;

int *where_errno (void)
{
	return &errno;
}
