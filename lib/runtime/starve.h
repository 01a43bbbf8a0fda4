/* SPDX-License-Identifier: MIT */
/* runtime/starve.h - noticing who waits too long: starve.c the watch and what is told,
 * starve_scan.c the look at the queues */
#ifndef GOAD_RUNTIME_STARVE_H
#define GOAD_RUNTIME_STARVE_H

#include "preempt/sample.h"
#include "sched/sched.h"

/* Where does the one stand who is in their way?  starve_scan.c asks. */
struct goad__question;

/* A wait that passed the bound, until it is told. */
struct goad__starved {
	uint64_t id, waited;
	uint64_t hog; /* who ran when it was noticed, and on which P */
	int p;
	uint32_t watch;
	char name[32], hog_name[32];
	struct goad__question *question; /* or NULL */
};

/* starve.c; all but init on sysmon's thread */
void goad__starve_set_up (void);           /* before there are threads                  */
void goad__starve_init (int tid);          /* of that thread, before it looks           */
uint64_t goad__starve_bound (void);        /* 0: no watch                              */
uint64_t goad__starve_look (uint64_t now); /* when the next scan is due at the latest */
uint64_t goad__starve_tell (uint64_t now); /* when to call it again                   */
void goad__starve_last (void);             /* sysmon ends: all that is left            */

/* starve_scan.c; sysmon's thread: puts whom it notices into out, n of them at most, and asks
 * for them.  *due: when the next one's wait passes the bound, UINT64_MAX: nobody waits. */
unsigned goad__starve_scan (uint64_t now, uint64_t bound, struct goad__starved *out, unsigned n,
                            uint64_t *due);

/* True: the answer may still come; asks again where nothing came.  *until: when to look. */
bool goad__starve_wait_for (struct goad__question *q, uint64_t now, uint64_t *until);

/* The answer, or NULL: there is none, and will be none.  It stays until its last user has
 * dropped the question. */
const struct sample *goad__starve_answer (struct goad__question *q);
void goad__starve_drop (struct goad__question *q);

#endif
