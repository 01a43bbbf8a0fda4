/* SPDX-License-Identifier: MIT */
/* preempt/modules.h - the table of the process's executable segments
 *
 * Built by census.c, read by everyone.  A table never changes once it is published.
 */
#ifndef GOAD_PREEMPT_MODULES_H
#define GOAD_PREEMPT_MODULES_H

#include "preempt/elf.h"
#include "preempt/frames.h"
#include "preempt/safepoint.h"
#include "preempt/taint.h"

struct goad__object {
	uintptr_t base, end;
	uint64_t id;  /* what it is, from its headers */
	uint64_t gen; /* which loading of it: never used twice */
	uint8_t class_;
	uint8_t own;   /* the class before its dependencies had their say */
	uint8_t tries; /* refreshes that found it incomplete, at most 3 */
	bool fixed;    /* cannot be unloaded */
	bool main, incomplete, lost;
	const char *own_why, *why; /* static text */
	uint32_t header_len, note_len;
	uintptr_t note;
	struct goad__eh eh;
	struct goad__load load[GOAD__ELF_LOADS];
	uint32_t loads;
	uint32_t needed;
	uint64_t needed_hash[GOAD__ELF_NEEDED];
	uint64_t soname_hash, file_hash;
	bool searched;             /* its code was looked at for taint */
	struct goad__taint *taint; /* shared by successive tables */
	char path[256];            /* its end, if it is longer */
};

struct goad__segment {
	uintptr_t lo, hi;
	uint32_t object; /* index; GOAD__NO_OBJECT: text of no ELF object */
	const char *why; /* then */
};

#define GOAD__NO_OBJECT UINT32_MAX

struct goad__table {
	size_t bytes;
	struct goad__table *retired; /* the next that waits for its readers */
	uint32_t segments, objects;
	struct goad__segment *segment; /* sorted by address */
	struct goad__object *object;
};

/* Where a PC lies. */
struct goad__place {
	enum goad__class class_;
	const struct goad__object *object; /* NULL: none */
	const char *why;
};

/* A reader holds the table that enter returns until leave; neither blocks, and both
 * are async-signal-safe.  NULL: none is published. */
const struct goad__table *goad__modules_enter (void);
void goad__modules_leave (void);

/* Looks pc up in a table held.  An object that can be unloaded is believed only if
 * the loader says that it is still there and its headers are the same; known is an
 * object already believed during this visit, or NULL. */
void goad__modules_find (const struct goad__table *t, uintptr_t pc,
                         const struct goad__object *known, struct goad__place *out);

void goad__modules_want_refresh (void);

/* Reads an object's own segments; fails outside of them.  The token is the object. */
bool goad__modules_read (void *object, uintptr_t addr, void *dst, size_t n);

/* For census.c: */
const struct goad__table *goad__modules_current (void);
void goad__modules_publish (struct goad__table *t);
bool goad__modules_can_verify (void);
void goad__modules_refresh_begins (void);
/* No reader is left: frees all tables, and looks again at what the loader offers. */
void goad__modules_reset (void);

/* rules.c: what the user said, or -1 */
int goad__rules_class (const char *path, bool is_main);

#endif
