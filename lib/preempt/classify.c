/* SPDX-License-Identifier: MIT */
/* classify.c - what class an object is of, and why
 *
 * Own class first, from the object alone, kept from one table to the next.  Then for
 * each table anew: the user's rules, which objects can be unloaded, and the closure
 * over DT_NEEDED, for a lock may be taken by a wrapper in a library that has returned
 * and left no frame.
 */
#include "preempt/classify.h"

#include <elf.h>
#include <string.h>
#include <sys/auxv.h>

#include "goad/sched.h"
#include "preempt/imports.h"
#include "preempt/peek.h"

struct finding {
	const char *bound; /* why; NULL: nothing so far */
	struct goad__marks marks;
};

static void bind_object (struct finding *f, const char *why)
{
	if (!f->bound)
		f->bound = why;
}

static void each_import (void *token, const char *name, uint64_t value)
{
	struct finding *f = token;
	const char *why;

	switch (goad__import_effect (name, &why)) {
	case GOAD__EFFECT_NONE:
		break;
	case GOAD__EFFECT_OBJECT:
		bind_object (f, why);
		break;
	default:
		/* Its address is an ordinary constant of this program's. */
		if (value != 0)
			bind_object (f, "takes the address of a function that gives per-thread data");
		break;
	}
}

static void each_reloc (void *token, uint32_t type, uintptr_t where, const char *name)
{
	struct finding *f = token;
	enum goad__effect effect;
	const char *why = NULL;

	switch (type) {
	case R_X86_64_DTPMOD64:
	case R_X86_64_DTPOFF64:
	case R_X86_64_TLSDESC:
		bind_object (f, "uses another object's thread-locals");
		return;
	case R_X86_64_TPOFF64:
		goad__marks_add (&f->marks, where, GOAD__EFFECT_OFFSET,
		                 "takes the address of another object's thread-local");
		return;
	default:
		break;
	}
	effect = goad__import_effect (name, &why);
	if (effect == GOAD__EFFECT_NONE || effect == GOAD__EFFECT_OBJECT)
		return;
	if (type == R_X86_64_JUMP_SLOT || type == R_X86_64_GLOB_DAT)
		goad__marks_add (&f->marks, where, effect, why);
	else
		bind_object (f, "keeps the address of a function that gives per-thread data");
}

static const char *base_name (const char *path)
{
	const char *slash = strrchr (path, '/');

	return slash ? slash + 1 : path;
}

static void read_names (struct goad__object *o, const struct goad__elf *e,
                        char soname[GOAD__ELF_NAME])
{
	char name[GOAD__ELF_NAME];

	o->file_hash = goad__elf_hash (base_name (o->path));
	soname[0] = '\0';
	if (e->soname_at && goad__elf_string (e, e->soname_at, soname) && soname[0])
		o->soname_hash = goad__elf_hash (soname);
	for (uint32_t i = 0; i < e->needed && i < GOAD__ELF_NEEDED; i++)
		if (goad__elf_string (e, e->needed_at[i], name))
			o->needed_hash[o->needed++] = goad__elf_hash (base_name (name));
		else
			o->lost = true;
}

static bool is_runtime (const struct goad__object *o, const char *soname)
{
	uintptr_t here = (uintptr_t) goad__classify_own;

	return here >= o->base && here < o->end && strncmp (soname, "libgoad.so", 10) == 0;
}

static bool read_peek (void *token, uintptr_t addr, void *dst, size_t n)
{
	(void) token;
	return goad__peek (addr, dst, n);
}

/* What is seen without looking at its code. */
static const char *why_bound_at_once (const struct goad__object *o, const struct goad__elf *e)
{
	if (e->tls)
		return "has thread-locals";
	if (e->needed > GOAD__ELF_NEEDED)
		return "depends on too many objects";
	return o->eh.hdr == 0 ? "has no unwind table to search" : NULL;
}

/* The object is read whole only where nothing simpler has decided, or where the user
 * says that it is to be judged function by function all the same. */
static const char *why_bound (struct goad__object *o, const struct goad__elf *e)
{
	struct finding f = { 0 };
	struct goad__elf_visitor v = { &f, each_import, each_reloc, NULL };
	const char *why = why_bound_at_once (o, e);
	const char *tainted;

	o->searched = goad__rules_class (o->path, o->main) == GOAD_MODULE_SCANNED;
	if (why && !o->searched)
		return why;
	if (!goad__elf_visit (e, &v))
		return why ? why : "has imports that cannot be read";
	why = why ? why : f.bound;
	if ((why && !o->searched) || o->eh.hdr == 0)
		return why;
	o->searched = true;
	tainted = goad__taint_find (e, &o->eh, &f.marks, &o->taint);
	return why ? why : tainted;
}

void goad__classify_own (struct goad__object *o, const struct goad__elf *e)
{
	struct goad__reader r = { read_peek, NULL };
	char soname[GOAD__ELF_NAME];
	const char *why = NULL;
	uintptr_t phdr = getauxval (AT_PHDR);

	o->end = e->end, o->id = e->id;
	o->header_len = e->header_len, o->note = e->note, o->note_len = e->note_len;
	o->loads = e->loads;
	memcpy (o->load, e->load, sizeof o->load);
	o->main = phdr >= o->base && phdr < o->end;
	read_names (o, e, soname);
	goad__frames_open (&o->eh, &r, e->eh_hdr, e->eh_hdr_size);
	o->own = GOAD__DENIED;
	if (o->base == getauxval (AT_BASE)) {
		o->own_why = "the loader";
	} else if (goad__import_denied (soname[0] ? soname : base_name (o->path), &why)) {
		o->own_why = why;
	} else if (o->main && !e->interp) {
		o->own_why = "a static program, with the C library in it";
	} else if (is_runtime (o, soname)) {
		o->own = GOAD__RUNTIME;
		o->own_why = "the runtime";
	} else if ((why = why_bound (o, e)) != NULL) {
		o->own = GOAD__BOUND;
		o->own_why = why;
	} else {
		o->own = GOAD__SCANNED;
		o->own_why = "keeps nothing per thread";
	}
}

static bool is_named (const struct goad__object *o, uint64_t name)
{
	return name == o->file_hash || (o->soname_hash && name == o->soname_hash);
}

/* What the program is linked with stays; a name that two objects have may be either. */
static void fix_needed (struct goad__table *t, const struct goad__object *by, bool *changed)
{
	for (uint32_t k = 0; k < by->needed; k++) {
		struct goad__object *found = NULL;
		int times = 0;

		for (uint32_t i = 0; i < t->objects; i++)
			if (is_named (&t->object[i], by->needed_hash[k]))
				found = &t->object[i], times++;
		if (times == 1 && !found->fixed && !found->lost)
			found->fixed = *changed = true;
	}
}

static void find_fixed (struct goad__table *t)
{
	bool changed = true;

	for (uint32_t i = 0; i < t->objects; i++)
		t->object[i].fixed = t->object[i].main || t->object[i].base == getauxval (AT_BASE);
	while (changed) {
		changed = false;
		for (uint32_t i = 0; i < t->objects; i++)
			if (t->object[i].fixed)
				fix_needed (t, &t->object[i], &changed);
	}
}

static void apply_rule (struct goad__object *o)
{
	o->class_ = o->own;
	o->why = o->own_why;
	o->incomplete = o->lost;
	switch (goad__rules_class (o->path, o->main)) {
	case GOAD_MODULE_SCANNED:
		o->class_ = GOAD__SCANNED;
		break;
	case GOAD_MODULE_BOUND:
		o->class_ = GOAD__BOUND;
		break;
	case GOAD_MODULE_DENIED:
		o->class_ = GOAD__DENIED;
		break;
	default:
		return;
	}
	o->why = "as goad_module_class says";
}

/* Why the object is bound by one that it needs, or NULL. */
static const char *why_needed (const struct goad__table *t, struct goad__object *o)
{
	for (uint32_t k = 0; k < o->needed; k++) {
		bool found = false;

		for (uint32_t i = 0; i < t->objects; i++) {
			if (!is_named (&t->object[i], o->needed_hash[k]))
				continue;
			found = true;
			if (t->object[i].class_ == GOAD__BOUND)
				return "depends on a bound object";
		}
		if (!found) {
			o->incomplete = true;
			return "depends on an object that is not there";
		}
	}
	return NULL;
}

void goad__classify_all (struct goad__table *t)
{
	bool changed = true;

	find_fixed (t);
	for (uint32_t i = 0; i < t->objects; i++) {
		struct goad__object *o = &t->object[i];

		apply_rule (o);
		if (!o->fixed && !goad__modules_can_verify () && o->class_ != GOAD__RUNTIME) {
			o->class_ = GOAD__DENIED;
			o->why = "may be unloaded, and this C library cannot tell";
		}
	}
	while (changed) {
		changed = false;
		for (uint32_t i = 0; i < t->objects; i++) {
			struct goad__object *o = &t->object[i];
			const char *why;

			if (o->class_ != GOAD__SCANNED ||
			    goad__rules_class (o->path, o->main) == GOAD_MODULE_SCANNED)
				continue;
			why = why_needed (t, o);
			if (why) {
				o->class_ = GOAD__BOUND;
				o->why = why;
				changed = true;
			}
		}
	}
	for (uint32_t i = 0; i < t->objects; i++)
		if (t->object[i].incomplete && t->object[i].tries < 3)
			t->object[i].tries++;
}
