/* SPDX-License-Identifier: MIT */
/* first.c - one of two objects that are loaded at one address in turn */
#define EXPORT __attribute__ ((visibility ("default")))

EXPORT int which (void);

int which (void)
{
	return 1;
}
