/* SPDX-License-Identifier: MIT */
/* census.c - building the table of modules from /proc/self/maps
 *
 * dl_iterate_phdr would give the same, but under a lock that a coroutine handed off
 * inside dlopen holds for as long as it waits.  So the maps are read and the ELF
 * headers looked at where they lie; see peek.h for why that cannot fault.  Another
 * thread may load or unload at any moment: an object found half there is kept out of
 * use until a later refresh finds it whole, and what is believed of an object is tied
 * to its headers and checked again when it is used (modules.c).
 */
#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/auxv.h>

#include "base/fatal.h"
#include "base/os.h"
#include "goad/sched.h"
#include "preempt/classify.h"
#include "preempt/maps.h"
#include "preempt/modules.h"
#include "preempt/peek.h"
#include "preempt/walk.h"

#define GROW 64

struct census {
	struct goad__table *t;
	uint32_t max_segments, max_objects;
	struct goad__elf *elf; /* of the object being mapped */
	uint64_t inode, device;
	uint32_t object; /* its index, or GOAD__NO_OBJECT */
	bool full;
};

static uint64_t last_gen;

static struct goad__table *table_make (uint32_t segments, uint32_t objects)
{
	size_t head = goad__round_up (sizeof (struct goad__table), GOAD__LINE);
	size_t segs = goad__round_up (segments * sizeof (struct goad__segment), GOAD__LINE);
	size_t bytes = head + segs + objects * sizeof (struct goad__object);
	struct goad__table *t = goad__pages_get (bytes);

	if (t) {
		t->bytes = bytes;
		t->segment = (struct goad__segment *) ((char *) t + head);
		t->object = (struct goad__object *) ((char *) t + head + segs);
	}
	return t;
}

static void keep_tail (char *to, size_t size, const char *path)
{
	size_t n = strlen (path);
	const char *gone = " (deleted)";

	if (n > strlen (gone) && strcmp (path + n - strlen (gone), gone) == 0)
		n -= strlen (gone);
	if (n >= size) {
		path += n - (size - 1);
		n = size - 1;
	}
	memcpy (to, path, n);
	to[n] = '\0';
}

/* The same object in the table before: what was found out about it stays true. */
static const struct goad__object *known_object (const struct goad__elf *e, bool whole)
{
	const struct goad__table *old = goad__modules_current ();

	for (uint32_t i = 0; old && i < old->objects; i++) {
		const struct goad__object *o = &old->object[i];

		if (o->base == e->base && (!whole || (o->id == e->id && !o->lost)))
			return o;
	}
	return NULL;
}

static void begin_object (struct census *c, const struct goad__map *m)
{
	struct goad__object *o;
	const struct goad__object *old;
	bool whole;

	c->object = GOAD__NO_OBJECT;
	whole = goad__elf_read (c->elf, m->lo);
	if (!whole && c->elf->header_len == 0)
		return; /* no ELF file */
	if (c->t->objects == c->max_objects) {
		c->full = true;
		return;
	}
	c->object = c->t->objects++;
	o = &c->t->object[c->object];
	old = known_object (c->elf, whole);
	if (whole && old &&
	    (old->searched || goad__rules_class (old->path, old->main) != GOAD_MODULE_SCANNED)) {
		*o = *old;
		o->tries = old->incomplete ? old->tries : 0;
		return;
	}
	keep_tail (o->path, sizeof o->path, m->path);
	o->base = m->lo;
	o->gen = ++last_gen;
	if (whole) {
		goad__classify_own (o, c->elf);
	} else {
		o->lost = true;
		o->tries = old ? old->tries : 0;
		o->own = GOAD__DENIED;
		o->own_why = "an object whose headers cannot be read";
	}
}

/* Whether the mapping is where a segment of the object belongs. */
static bool belongs (const struct goad__object *o, const struct goad__map *m)
{
	for (uint32_t i = 0; i < o->loads; i++) {
		const struct goad__load *l = &o->load[i];

		if ((l->flags & PF_X) && m->lo >= l->lo && m->hi <= l->hi &&
		    m->offset == l->offset + (m->lo - l->lo))
			return true;
	}
	return false;
}

static void add_segment (struct census *c, const struct goad__map *m)
{
	struct goad__table *t = c->t;
	struct goad__segment *s;
	uint32_t object = c->object;

	if (!m->inode ||
	    (object != GOAD__NO_OBJECT && !t->object[object].lost && !belongs (&t->object[object], m)))
		object = GOAD__NO_OBJECT;
	if (t->segments == c->max_segments) {
		c->full = true;
		return;
	}
	s = &t->segment[t->segments++];
	*s = (struct goad__segment){ m->lo, m->hi, object, NULL };
	if (object == GOAD__NO_OBJECT)
		s->why = strcmp (m->path, "[vdso]") == 0 ? "the vDSO" : "code of no loaded object";
	else if (!m->readable) {
		s->object = GOAD__NO_OBJECT;
		s->why = "code that cannot be read";
	}
}

static void each_map (void *token, const struct goad__map *m)
{
	struct census *c = token;

	if (m->inode && (m->inode != c->inode || m->device != c->device || m->offset == 0)) {
		/* The same file again at offset 0 is another loading of it, or a part of the
		 * first segment that has other rights. */
		bool again = m->inode == c->inode && m->device == c->device &&
		             c->object != GOAD__NO_OBJECT && m->lo < c->t->object[c->object].end;

		c->inode = m->inode, c->device = m->device;
		if (!again) {
			c->object = GOAD__NO_OBJECT;
			if (m->offset == 0 && m->readable)
				begin_object (c, m);
		}
	}
	if (m->executable)
		add_segment (c, m);
}

/* One reading of the maps; -EAGAIN: the table was too small. */
static int take (struct census *c, uint32_t segments, uint32_t objects)
{
	int ret;

	c->max_segments = segments, c->max_objects = objects;
	c->inode = c->device = 0;
	c->object = GOAD__NO_OBJECT;
	c->full = false;
	c->t = table_make (segments, objects);
	if (!c->t)
		return -ENOMEM;
	ret = goad__maps_read (each_map, c);
	return ret < 0 ? ret : c->full ? -EAGAIN : 0;
}

static void drop (struct goad__table *t)
{
	const struct goad__table *old = goad__modules_current ();

	for (uint32_t i = 0; t && i < t->objects; i++) {
		struct goad__taint *taint = t->object[i].taint;
		bool shared = taint == NULL;

		for (uint32_t k = 0; old && k < old->objects && !shared; k++)
			shared = old->object[k].taint == taint;
		if (!shared)
			goad__pages_put (taint, taint->bytes);
	}
	if (t)
		goad__pages_put (t, t->bytes);
}

int goad__modules_refresh (void)
{
	static struct goad__elf elf;
	const struct goad__table *old = goad__modules_current ();
	uint32_t segments = (old ? old->segments : 0) + GROW, objects = (old ? old->objects : 0) + GROW;
	struct census c = { .elf = &elf };
	int ret;

	goad__modules_refresh_begins ();
	while ((ret = take (&c, segments, objects)) == -EAGAIN) {
		drop (c.t);
		segments *= 2, objects *= 2;
	}
	if (ret < 0) {
		drop (c.t);
		return ret;
	}
	goad__classify_all (c.t);
	goad__modules_publish (c.t);
	return 0;
}

int goad__modules_init (void)
{
	int saved = errno, ret;

	goad__modules_reset ();
	ret = goad__peek_open ();
	if (ret == 0)
		ret = goad__modules_refresh ();
	if (ret == 0)
		ret = goad__walk_init ();
	if (ret < 0)
		goad__modules_fini ();
	errno = saved;
	return ret;
}

void goad__modules_fini (void)
{
	goad__walk_fini ();
	goad__modules_reset ();
	goad__peek_close ();
}
