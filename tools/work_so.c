/* SPDX-License-Identifier: MIT */
/* work_so.c - FILE.so:FUNCTION, a function in any shared object
 *
 * The object is loaded before the runtime starts and is neither changed nor asked
 * to know goad.  Each coroutine calls the function with an argv of its own, as main
 * would get it. */
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run.h"

enum { FUNCTIONS_MAX = 4096 };

typedef int (*so_function) (int argc, char **argv);

/* The number of dynamic symbols is told by the GNU hash table only in a roundabout
 * way: the last symbol of the last chain. */
static size_t gnu_hash_symbols (const uint32_t *hash)
{
	uint32_t buckets = hash[0], first = hash[1], bloom = hash[2], last = 0;
	const uint32_t *bucket = hash + 4 + bloom * (sizeof (ElfW (Addr)) / 4);
	const uint32_t *chain = bucket + buckets;

	for (uint32_t i = 0; i < buckets; i++)
		if (bucket[i] > last)
			last = bucket[i];
	if (last < first)
		return first;
	while (!(chain[last - first] & 1))
		last++;
	return last + 1;
}

/* The names of the functions that the object defines and exports. */
static size_t list_functions (void *handle, const char **names, size_t max)
{
	const ElfW (Sym) *symbols = NULL;
	const char *strings = NULL;
	struct link_map *map;
	size_t n = 0, all = 0;

	if (dlinfo (handle, RTLD_DI_LINKMAP, &map) != 0)
		return 0;
	for (const ElfW (Dyn) *d = map->l_ld; d->d_tag != DT_NULL; d++) {
		if (d->d_tag == DT_SYMTAB)
			symbols = (const void *) d->d_un.d_ptr;
		else if (d->d_tag == DT_STRTAB)
			strings = (const void *) d->d_un.d_ptr;
		else if (d->d_tag == DT_GNU_HASH)
			all = gnu_hash_symbols ((const void *) d->d_un.d_ptr);
		else if (d->d_tag == DT_HASH && all == 0)
			all = ((const uint32_t *) d->d_un.d_ptr)[1];
	}
	for (size_t i = 1; symbols != NULL && strings != NULL && i < all && n < max; i++)
		if (ELF64_ST_TYPE (symbols[i].st_info) == STT_FUNC && symbols[i].st_shndx != SHN_UNDEF &&
		    strings[symbols[i].st_name] != '_')
			names[n++] = strings + symbols[i].st_name;
	return n;
}

static void complain_function (void *handle, const char *file, const char *function)
{
	static const char *names[FUNCTIONS_MAX];
	size_t n = list_functions (handle, names, FUNCTIONS_MAX);

	if (n == 0)
		util_error ("'%s' exports no function", file);
	else if (function[0] == '\0')
		util_error ("'%s': which function? Write %s:FUNCTION, as in %s:%s", file, file, file,
		            names[0]);
	else
		util_error ("'%s' has no function '%s': the nearest is '%s'", file, function,
		            util_nearest (function, names, n));
}

static void *open_object (const char *file)
{
	char path[4096];

	if (access (file, R_OK) != 0) {
		util_error ("'%s': %s; a shared object is made with: cc -O2 -shared -fPIC -o %s FILE.c",
		            file, strerror (errno), file);
		return NULL;
	}
	/* Without a slash the loader would search its own directories only. */
	snprintf (path, sizeof path, "%s%s", strchr (file, '/') != NULL ? "" : "./", file);
	void *handle = dlopen (path, RTLD_NOW | RTLD_LOCAL);
	if (handle == NULL)
		util_error ("%s (a shared object is made with: cc -O2 -shared -fPIC -o %s FILE.c)",
		            dlerror (), file);
	return handle;
}

static int prepare (struct spec *spec)
{
	char *file = strdup (spec->argv[0]);

	if (file == NULL)
		return TOOL_FAILED;
	char *colon = strrchr (file, ':');
	const char *function = "";
	if (colon != NULL) {
		*colon = '\0';
		function = colon + 1;
	}
	void *handle = open_object (file);
	if (handle == NULL) {
		free (file);
		return TOOL_USAGE;
	}
	spec->data = function[0] != '\0' ? dlsym (handle, function) : NULL;
	if (spec->data == NULL)
		complain_function (handle, file, function);
	free (file);
	return spec->data != NULL ? 0 : TOOL_USAGE;
}

/* main may change its argv, and many do. */
static char **copy_argv (int argc, char **argv)
{
	size_t size = ((size_t) argc + 1) * sizeof *argv;

	for (int i = 0; i < argc; i++)
		size += strlen (argv[i]) + 1;
	char **copy = malloc (size);
	if (copy == NULL)
		return NULL;
	char *s = (char *) (copy + argc + 1);
	for (int i = 0; i < argc; i++) {
		copy[i] = s;
		s = stpcpy (s, argv[i]) + 1;
	}
	copy[argc] = NULL;
	return copy;
}

static int body (struct task *task)
{
	so_function function;
	char **argv = copy_argv (task->spec->argc, task->spec->argv);

	if (argv == NULL)
		return -1;
	/* ISO C has no cast from an object pointer to a function pointer. */
	memcpy (&function, &task->spec->data, sizeof function);
	int status = function (task->spec->argc, argv);
	free (argv);
	if (status == 0)
		run_result (task, "returned 0");
	return status;
}

const struct work work_so = {
	.name = "FILE.so:FUNCTION",
	.args = "[ARG...]",
	.doc = "a function in a shared object",
	.prepare = prepare,
	.body = body,
};
