/* SPDX-License-Identifier: MIT */
#include "core/g.h"

#include <string.h>

#include "core/self.h"

__thread struct goad__self goad__self
    __attribute__ ((tls_model ("initial-exec"))) = { .word = 1, .ring = &goad__no_ring };

static void poll_nothing (void)
{
	goad__clear_pending ();
}

void (*goad__poll_hook) (void) = poll_nothing;

const char *goad__g_state_name (enum g_state s)
{
	static const char *const names[] = {
		"idle", "runnable", "running", "waiting", "syscall", "dead"
	};
	return (unsigned) s < 6 ? names[s] : "corrupt";
}

void goad__trace_info (struct g *g, uint64_t time)
{
	uint32_t gen = atomic_load_explicit (&goad__trace_gen, memory_order_relaxed);
	uint64_t a[6] = { g->id, (uintptr_t) g->fn };

	_Static_assert(sizeof g->name == 4 * sizeof *a, "a name is four words");
	memcpy (&a[2], g->name, sizeof g->name);
	g->trace_word = (uint64_t) gen << 32 | (uint32_t) g->id;
	if (gen)
		goad__trace_put_n (EV_go_info, time, a, 6);
}

#ifdef GOAD_DEBUG_BUILD

static const uint8_t allowed[6] = {
	[G_IDLE] = 1u << G_RUNNABLE,
	[G_RUNNABLE] = 1u << G_RUNNING,
	[G_RUNNING] = 1u << G_RUNNABLE | 1u << G_WAITING | 1u << G_SYSCALL | 1u << G_DEAD,
	[G_WAITING] = 1u << G_RUNNABLE,
	[G_SYSCALL] = 1u << G_RUNNING | 1u << G_RUNNABLE,
	[G_DEAD] = 1u << G_IDLE,
};

void goad__g_change (struct g *g, enum g_state from, enum g_state to)
{
	uint32_t was = atomic_exchange_explicit (&g->state, to, memory_order_release);

	goad__check (was == (uint32_t) from, "coroutine %lu is %s where %s was expected (going to %s)",
	             (unsigned long) g->id, goad__g_state_name ((enum g_state) was),
	             goad__g_state_name (from), goad__g_state_name (to));
	goad__check (allowed[from] >> to & 1, "coroutine %lu: no way from %s to %s",
	             (unsigned long) g->id, goad__g_state_name (from), goad__g_state_name (to));
}

#endif
