/* SPDX-License-Identifier: MIT */
/* There may be a million coroutines, most of them in the same place.  Each is walked,
 * while the time allows, and put to those with the same return addresses; then each
 * such group is told, with a line for each of its coroutines up to a limit, and its
 * stack once. */
#include "runtime/dump.h"

#include <string.h>

#include "base/clock.h"
#include "base/os.h"
#include "core/m.h"
#include "core/stack.h"
#include "preempt/safepoint.h"
#include "runtime/backtrace.h"

#define GROUPS 64u
#define ENTRIES 65536u                  /* coroutines that are looked at              */
#define LINES 100u                      /* coroutines of a group that are named       */
#define WALK_TIME UINT64_C (1000000000) /* ns; who comes later is told without frames */
#define NO_GROUP GROUPS

struct group {
	uintptr_t pc[GOAD__BACKTRACE_MAX];
	int n;
	bool exact;
	uint32_t count;
};

struct entry {
	const struct g *g;
	uint32_t group;
};

struct dump {
	struct group group[GROUPS + 1]; /* the last: those without frames */
	uint32_t groups, entries;
	uint64_t more; /* that found no room */
	uint64_t now;
	struct entry entry[ENTRIES];
};

static struct dump *dump;

int goad__dump_frames (const struct g *g, uintptr_t *pc, int max, bool *exact)
{
	const ucontext_t *uc = g->bound && g->in_handler ? g->bound->stopped : NULL;
	struct goad__regs regs;

	*exact = uc != NULL;
	if (uc)
		goad__arch_ucontext_regs (uc, regs.r);
	else
		goad__arch_context_regs (g->sp, regs.r);
	return goad__safepoint_backtrace (&regs, (uintptr_t) g->stack->lo, (uintptr_t) g->stack->hi,
	                                  (void **) pc, max);
}

static uint32_t group_of (const struct g *g)
{
	struct group *mine = &dump->group[dump->groups];

	if (dump->groups == GROUPS || goad__now () - dump->now > WALK_TIME)
		return NO_GROUP;
	mine->n = goad__dump_frames (g, mine->pc, GOAD__BACKTRACE_MAX, &mine->exact);
	for (uint32_t i = 0; i < dump->groups; i++)
		if (dump->group[i].n == mine->n &&
		    memcmp (dump->group[i].pc, mine->pc, (size_t) mine->n * sizeof *mine->pc) == 0)
			return i;
	return dump->groups++;
}

static void note (struct slot slot)
{
	const struct g *g = goad__stack_room (goad__stack_of (slot));
	struct entry *e = &dump->entry[dump->entries];

	switch (goad__g_state (g)) {
	case G_RUNNABLE:
	case G_WAITING:
		break;
	case G_IDLE:
	case G_RUNNING:
	case G_SYSCALL:
	case G_DEAD:
		return;
	}
	if (dump->entries == ENTRIES) {
		dump->more++;
		return;
	}
	e->g = g;
	e->group = group_of (g);
	dump->group[e->group].count++;
	dump->entries++;
}

/* The call into the library in which it waits; NULL: the symbols do not tell. */
static const char *call_of (const struct goad__named *f, int n)
{
	const char *call = NULL;

	for (int i = 0; i < n; i++)
		if (strncmp (f[i].symbol, "goad_", 5) == 0 && f[i].symbol[5] != '_') {
			call = f[i].symbol; /* the last of several: what the program called */
		} else if (call) {
			break;
		}
	return call;
}

static void tell_one (int fd, const struct g *g, const char *call)
{
	uint64_t since = goad__g_get (&g->ready_at);
	uint64_t ms = dump->now > since ? (dump->now - since) / 1000000 : 0;
	bool waits = goad__g_state (g) == G_WAITING && call;

	goad__line_to (fd, "coroutine %lu '%s' [%s%s%s, %lu %s]", (unsigned long) g->id, g->name,
	               goad__g_state_name (goad__g_state (g)), waits ? " in " : "", waits ? call : "",
	               (unsigned long) (ms < 10000 ? ms : ms / 1000), ms < 10000 ? "ms" : "s");
}

static void tell_group (int fd, uint32_t index)
{
	const struct group *gr = &dump->group[index];
	const struct goad__named *f = goad__backtrace_name (gr->pc, gr->n, gr->exact);
	const char *call = call_of (f, gr->n);
	uint32_t told = 0;

	if (gr->count == 0)
		return;
	for (uint32_t i = 0; i < dump->entries && told < LINES; i++)
		if (dump->entry[i].group == index) {
			tell_one (fd, dump->entry[i].g, call);
			told++;
		}
	if (told < gr->count)
		goad__line_to (fd, "and %u more in the same place", gr->count - told);
	goad__backtrace_print (fd, f, gr->n);
	if (gr->n == GOAD__BACKTRACE_MAX)
		goad__line_to (fd, "  ...");
}

void goad__dump_all (int fd)
{
	dump = goad__pages_get (sizeof *dump);
	if (!dump) {
		goad__line_to (fd, "no memory for the dump of the coroutines");
		return;
	}
	dump->now = goad__now ();
	goad__slab_each_taken (note);
	for (uint32_t i = 0; i < dump->groups; i++)
		tell_group (fd, i);
	dump->group[NO_GROUP].n = 0;
	tell_group (fd, NO_GROUP);
	if (dump->more)
		goad__line_to (fd, "and %lu coroutines more", (unsigned long) dump->more);
	goad__pages_put (dump, sizeof *dump);
	dump = NULL;
}
