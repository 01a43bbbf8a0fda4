/* SPDX-License-Identifier: MIT */
/* preempt/imports.h - names whose effect is kept per thread
 *
 * The one table that says what makes an object, or a function of one, belong to its
 * thread.
 */
#ifndef GOAD_PREEMPT_IMPORTS_H
#define GOAD_PREEMPT_IMPORTS_H

#include "base/base.h"

enum goad__effect {
	GOAD__EFFECT_NONE,
	GOAD__EFFECT_OBJECT, /* outlives the function that calls it: the whole object is bound  */
	GOAD__EFFECT_GIVER,  /* hands out a per-thread address: the functions that call it are  */
	GOAD__EFFECT_LOCK,   /* as GIVER, if it is undone in the function that calls it;        */
	GOAD__EFFECT_UNLOCK, /* else as OBJECT                                                  */
	GOAD__EFFECT_OFFSET  /* no import: where a thread-local lies from the thread pointer    */
};

/* What importing name means; *why becomes the reason, static text. */
enum goad__effect goad__import_effect (const char *name, const char **why);

/* Whether an object of this soname is denied whatever it contains; *why as above. */
bool goad__import_denied (const char *soname, const char **why);

#endif
