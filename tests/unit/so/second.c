/* SPDX-License-Identifier: MIT */
/* second.c - one of two objects that are loaded at one address in turn */
#define EXPORT __attribute__ ((visibility ("default")))

EXPORT int which (void);

int which (void)
{
	return 2;
}

/* What sets it apart: first has no thread-local. */
EXPORT int count (void);

static __thread int counter;

int count (void)
{
	return ++counter;
}
