/* SPDX-License-Identifier: MIT */
/* goad.h - everything that goad offers
 *
 *	#include <goad.h>
 *	#include <stdio.h>
 *
 *	static void hog (void *arg)
 *	{
 *		for (volatile unsigned long i = 0; i < 2000000000ul; i++)
 *			;
 *		printf ("%s is done\n", (const char *) arg);
 *	}
 *
 *	static void first (void *arg)
 *	{
 *		(void) arg;
 *		goad_go (hog, "one");   // neither of them ever yields,
 *		goad_go (hog, "two");   // and yet both advance on one CPU
 *	}
 *
 *	int main (void)
 *	{
 *		return goad_main (first, NULL, NULL) < 0;
 *	}
 */
#ifndef GOAD_H
#define GOAD_H

#include <goad/chan.h>
#include <goad/debug.h>
#include <goad/io.h>
#include <goad/sched.h>
#include <goad/starve.h>
#include <goad/sync.h>
#include <goad/time.h>

#endif /* GOAD_H */
