/* SPDX-License-Identifier: MIT */
/* safepoint_modules.c - the table of modules: classes, rules, loading and unloading */
#include "tests/harness.h"
#include "tests/unit/safepoint_kit.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#include "goad/sched.h"

static uintptr_t address (void *object, const char *name)
{
	return (uintptr_t) dlsym (object, name);
}

static void *need (const char *name)
{
	void *h = safepoint_object (name);

	if (!h || SAFEPOINT_INSTRUMENTED)
		cr_skip_test ("%s is not there, or instrumented", name);
	return h;
}

Test (safepoint_modules, libc_loader_and_vdso_are_denied)
{
	uintptr_t vdso = getauxval (AT_SYSINFO_EHDR);

	cr_assert_eq (goad__modules_init (), 0);
	cr_assert_eq (goad__modules_class (address (RTLD_DEFAULT, "qsort")), GOAD__DENIED);
	if (vdso)
		cr_assert_eq (goad__modules_class (vdso + 0x500), GOAD__DENIED);
	cr_assert_eq (goad__modules_class ((uintptr_t) goad__modules_class), GOAD__BOUND);
	goad__modules_fini ();
}

Test (safepoint_modules, an_unknown_pc_wants_a_refresh_and_jit_is_denied)
{
	uintptr_t p;

	cr_assert_eq (goad__modules_init (), 0);
	cr_assert (!goad__modules_stale ());
	p = (uintptr_t) mmap (NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	cr_assert_eq (goad__modules_class (p), GOAD__UNKNOWN);
	cr_assert (goad__modules_stale ());
	cr_assert_eq (goad__modules_refresh (), 0);
	cr_assert (!goad__modules_stale ());
	cr_assert_eq (goad__modules_class (p), GOAD__DENIED);
	goad__modules_fini ();
	cr_assert_eq (goad__modules_class (p), GOAD__UNKNOWN, "after fini nothing is known");
}

Test (safepoint_modules, classes_of_the_fixtures)
{
	void *code = need ("code"), *local = need ("local"), *giver = need ("giver");

	cr_assert_eq (goad__modules_init (), 0);
	cr_assert_eq (goad__modules_class (address (code, "loop")), GOAD__SCANNED);
	cr_assert_eq (goad__modules_class (address (local, "loop")), GOAD__BOUND);
	cr_assert_eq (goad__modules_class (address (giver, "where_errno")), GOAD__BOUND,
	              "a per-thread address is handed to other objects");
	goad__modules_fini ();
}

static void system_library (const char *name, const char *symbol, enum goad__class class_)
{
	void *h = safepoint_library (name);

	if (!h)
		return;
	cr_assert_eq (goad__modules_refresh (), 0);
	cr_assert_eq (goad__modules_class (address (h, symbol)), class_, "%s", name);
}

Test (safepoint_modules, libraries_of_the_system)
{
	cr_assert_eq (goad__modules_init (), 0);
	system_library ("libm.so.6", "lgamma", GOAD__SCANNED);
	system_library ("libz.so.1", "deflate", GOAD__SCANNED);
	system_library ("liblua5.4.so.0", "lua_callk", GOAD__SCANNED);
	system_library ("libgmp.so.10", "__gmpz_mul", GOAD__SCANNED);
	system_library ("libcrypto.so.3", "EVP_DigestUpdate", GOAD__BOUND);
	goad__modules_fini ();
}

Test (safepoint_modules, the_other_ways_to_read_and_verify)
{
	void *code = need ("code");

	setenv ("GOAD_NO_VM_READV", "1", 1);
	cr_assert_eq (goad__modules_init (), 0);
	cr_assert_eq (goad__modules_class (address (code, "loop")), GOAD__SCANNED);
	goad__modules_fini ();
	setenv ("GOAD_NO_DL_FIND_OBJECT", "1", 1);
	cr_assert_eq (goad__modules_init (), 0);
	cr_assert_eq (goad__modules_class (address (code, "loop")), GOAD__DENIED,
	              "what may be unloaded is denied where that cannot be told");
	goad__modules_fini ();
	unsetenv ("GOAD_NO_VM_READV");
	unsetenv ("GOAD_NO_DL_FIND_OBJECT");
}

Test (safepoint_modules, rules_say_otherwise)
{
	void *code = need ("code");
	uintptr_t loop = address (code, "loop");

	cr_assert_eq (goad__modules_init (), 0);
	cr_assert_eq (goad_module_class (NULL, GOAD_MODULE_BOUND), -EINVAL);
	cr_assert_eq (goad_module_class ("code.so", 9), -EINVAL);
	cr_assert_eq (goad_module_class ("code.so", GOAD_MODULE_BOUND), 0);
	cr_assert (goad__modules_stale ());
	cr_assert_eq (goad__modules_refresh (), 0);
	cr_assert_eq (goad__modules_class (loop), GOAD__BOUND);
	cr_assert_eq (goad_module_class ("code.so", GOAD_MODULE_DENIED), 0);
	cr_assert_eq (goad__modules_refresh (), 0);
	cr_assert_eq (goad__modules_class (loop), GOAD__DENIED);
	cr_assert_eq (goad_module_class ("code.so", GOAD_MODULE_AUTO), 0);
	cr_assert_eq (goad_module_class ("ode.so", GOAD_MODULE_DENIED), 0, "not at a slash");
	cr_assert_eq (goad_module_class ("", GOAD_MODULE_SCANNED), 0);
	cr_assert_eq (goad__modules_refresh (), 0);
	cr_assert_eq (goad__modules_class (loop), GOAD__SCANNED);
	cr_assert_eq (goad__modules_class ((uintptr_t) goad__modules_class), GOAD__SCANNED);
	cr_assert_eq (goad_module_class ("", GOAD_MODULE_AUTO), 0);
	goad__modules_fini ();
}

Test (safepoint_modules, a_bound_dependency_binds)
{
	void *lua = safepoint_library ("liblua5.4.so.0");

	if (!lua)
		cr_skip_test ("no liblua5.4");
	cr_assert_eq (goad_module_class ("libm.so.6", GOAD_MODULE_BOUND), 0);
	cr_assert_eq (goad__modules_init (), 0);
	cr_assert_eq (goad__modules_class (address (lua, "lua_callk")), GOAD__BOUND);
	cr_assert_eq (goad_module_class ("libm.so.6", GOAD_MODULE_AUTO), 0);
	goad__modules_fini ();
}

/* What was unloaded is not believed, whatever lies there now. */
Test (safepoint_modules, an_address_used_again)
{
	void *first = need ("first");
	uintptr_t at = address (first, "which");

	cr_assert_eq (goad__modules_init (), 0);
	cr_assert_eq (goad__modules_class (at), GOAD__SCANNED);
	dlclose (first);
	cr_assert_eq (goad__modules_class (at), GOAD__UNKNOWN);
	cr_assert (goad__modules_stale ());
	for (int i = 0; i < 50; i++) {
		void *h = safepoint_object (i % 2 ? "first" : "second");
		enum goad__class right = i % 2 ? GOAD__SCANNED : GOAD__BOUND, is;

		at = address (h, "which");
		is = goad__modules_class (at);
		cr_assert (is == GOAD__UNKNOWN || is == right, "class %d at loading %d", (int) is, i);
		cr_assert_eq (goad__modules_refresh (), 0);
		cr_assert_eq (goad__modules_class (at), right);
		dlclose (h);
	}
	goad__modules_fini ();
}

static _Atomic int over;

static void *load_and_unload (void *arg)
{
	while (!over) {
		void *h = safepoint_object (arg);

		if (h)
			dlclose (h);
	}
	return NULL;
}

static void *look (void *arg)
{
	while (!over)
		if (goad__modules_class ((uintptr_t) arg) != GOAD__DENIED)
			abort ();
	return NULL;
}

static void storm (int refreshes)
{
	pthread_t t[4];

	over = 0;
	cr_assert_eq (goad__modules_init (), 0);
	pthread_create (&t[0], NULL, load_and_unload, (void *) "code");
	pthread_create (&t[1], NULL, load_and_unload, (void *) "second");
	for (int i = 2; i < 4; i++)
		pthread_create (&t[i], NULL, look, (void *) address (RTLD_DEFAULT, "qsort"));
	for (int i = 0; i < refreshes; i++)
		cr_assert_eq (goad__modules_refresh (), 0);
	over = 1;
	for (int i = 0; i < 4; i++)
		pthread_join (t[i], NULL);
	goad__modules_fini ();
}

Test (safepoint_modules, refresh_while_objects_come_and_go, .timeout = 60)
{
	storm (300);
	setenv ("GOAD_NO_VM_READV", "1", 1);
	storm (300);
	unsetenv ("GOAD_NO_VM_READV");
}

/* What is mapped, without what malloc and the loader may have taken meanwhile. */
static size_t mapped (void)
{
	size_t n = 0, len = 0;
	char *line = NULL;
	FILE *f = fopen ("/proc/self/statm", "r");

	if (f && getline (&line, &len, f) > 0)
		n = strtoul (line, NULL, 10);
	if (f)
		fclose (f);
	free (line);
	return n;
}

Test (safepoint_modules, fifty_starts_leave_nothing_mapped)
{
	size_t before = 0;

	if (SAFEPOINT_INSTRUMENTED)
		cr_skip_test ("a sanitizer maps as it likes");
	for (int i = 0; i < 51; i++) {
		cr_assert_eq (goad__modules_init (), 0);
		cr_assert_eq (goad__modules_refresh (), 0);
		goad__modules_fini ();
		if (i == 0)
			before = mapped ();
	}
	cr_assert_eq (mapped (), before, "%zu pages, then %zu", before, mapped ());
}

/* The last: it leaves no room. */
Test (safepoint_modules, there_are_64_rules)
{
	char name[16];
	int n = 0;

	do {
		snprintf (name, sizeof name, "rule%d", n);
	} while (goad_module_class (name, GOAD_MODULE_BOUND) == 0 && ++n < 100);
	cr_assert (n > 50 && n <= 64, "%d", n); /* tests before may have set some */
	cr_assert_eq (goad_module_class ("another", GOAD_MODULE_BOUND), -ENOSPC);
	cr_assert_eq (goad_module_class ("rule7", GOAD_MODULE_AUTO), 0);
}
