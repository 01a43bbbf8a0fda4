/* SPDX-License-Identifier: MIT */
/* rules.c - what the user says about an object: goad_module_class
 *
 * A table of 64 that only grows.  A slot belongs to the caller that moved `used` over
 * it, and counts once its path is published.
 * [ord:rules] the release store of ready pairs with the acquire load: whoever sees it
 * sees the path.  The class may be set again later, alone.
 */
#include <errno.h>
#include <string.h>

#include "goad/sched.h"
#include "preempt/modules.h"

#define RULES 64

struct rule {
	_Atomic int ready, class_;
	char path[256];
};

static struct rule rules[RULES];
static _Atomic int used;

static int count (void)
{
	int n = atomic_load_explicit (&used, memory_order_acquire);

	return n < RULES ? n : RULES;
}

GOAD__API int goad_module_class (const char *path, int class_)
{
	int n;

	if (!path || class_ < GOAD_MODULE_AUTO || class_ > GOAD_MODULE_DENIED)
		return -EINVAL;
	if (strlen (path) >= sizeof rules[0].path)
		return -EINVAL;
	for (int i = 0; i < count (); i++)
		if (atomic_load_explicit (&rules[i].ready, memory_order_acquire) && /* [ord:rules] */
		    strcmp (rules[i].path, path) == 0) {
			atomic_store_explicit (&rules[i].class_, class_, memory_order_relaxed);
			goad__modules_want_refresh ();
			return 0;
		}
	n = atomic_load_explicit (&used, memory_order_relaxed);
	do {
		if (n >= RULES)
			return -ENOSPC;
	} while (!atomic_compare_exchange_weak (&used, &n, n + 1));
	strcpy (rules[n].path, path);
	atomic_store_explicit (&rules[n].class_, class_, memory_order_relaxed);
	atomic_store_explicit (&rules[n].ready, 1, memory_order_release); /* [ord:rules] */
	goad__modules_want_refresh ();
	return 0;
}

/* Whether path ends in tail at a slash, or is it. */
static bool ends_in (const char *path, const char *tail)
{
	size_t n = strlen (path), k = strlen (tail);

	if (k == 0 || k > n || strcmp (path + n - k, tail) != 0)
		return false;
	return k == n || tail[0] == '/' || path[n - k - 1] == '/';
}

int goad__rules_class (const char *path, bool is_main)
{
	/* The latest wins: of two that were added at once for one path, too. */
	for (int i = count () - 1; i >= 0; i--) {
		if (!atomic_load_explicit (&rules[i].ready, memory_order_acquire)) /* [ord:rules] */
			continue;
		if (rules[i].path[0] == '\0' ? is_main : ends_in (path, rules[i].path))
			return atomic_load_explicit (&rules[i].class_, memory_order_relaxed);
	}
	return -1;
}
