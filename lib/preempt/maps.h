/* SPDX-License-Identifier: MIT */
/* preempt/maps.h - the lines of /proc/self/maps */
#ifndef GOAD_PREEMPT_MAPS_H
#define GOAD_PREEMPT_MAPS_H

#include "base/base.h"

struct goad__map {
	uintptr_t lo, hi;
	uint64_t offset, device, inode; /* inode 0: anonymous */
	bool readable, executable;
	const char *path; /* "" where there is none */
};

/* Tells each mapping in order of address.  0 or a negative errno. */
int goad__maps_read (void (*each) (void *token, const struct goad__map *m), void *token);

#endif
