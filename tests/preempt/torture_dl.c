/* SPDX-License-Identifier: MIT */
/* tests/preempt/torture_dl.c - dlopen and dlclose in a loop, and work in what was loaded */
#include "tests/preempt/so/so.h"
#include "tests/preempt/torture.h"

#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>

static char path[2][4096];

static uint64_t load_and_work (int k, unsigned which, unsigned rounds)
{
	static const char *const name[] = { "so_work_one", "so_work_two" };
	void *handle = dlopen (path[k], which & 1 ? RTLD_NOW : RTLD_LAZY);
	so_work work;
	uint64_t sum;

	if (handle == NULL)
		return 1;
	work = (so_work) (uintptr_t) dlsym (handle, name[k]);
	sum = work ? work (which, rounds) : 2;
	return dlclose (handle) == 0 ? sum : 3;
}

/* The two in turn, so that the second may come to where the first was. */
static void come_and_go (unsigned which, void *out)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < 6; i++)
		sum = sum * 31 + load_and_work ((int) (which + i) % 2, which * 10 + i, 60000);
	*(uint64_t *) out = sum;
}

static void find_objects (void)
{
	snprintf (path[0], sizeof path[0], "%s", so_path ("one"));
	snprintf (path[1], sizeof path[1], "%s", so_path ("two"));
	if (access (path[0], R_OK) != 0 || access (path[1], R_OK) != 0)
		cr_skip ("no shared objects: %s", path[0]);
	/* What is built for a sanitizer is bound to its thread unless the user says otherwise. */
	for (int i = 0; TEST_SLOW && i < 2; i++)
		cr_assert_eq (goad_module_class (path[i], GOAD_MODULE_SCANNED), 0);
	cr_assert_neq (load_and_work (0, 1, 1), load_and_work (1, 1, 1), "%s", dlerror ());
	cr_assert_gt (load_and_work (0, 1, 1000), 3, "%s", dlerror ());
}

static const struct torture t = {
	.work = come_and_go, .size = 8, .tasks = 4, .yielded = 100, .handed_off = 50
};

Test (torture_dl, chosen, .timeout = 60)
{
	find_objects ();
	torture_auto (&t);
}

Test (torture_dl, handed_off, .timeout = 60)
{
	find_objects ();
	torture_handoff (&t);
}
