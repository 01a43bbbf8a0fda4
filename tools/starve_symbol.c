/* SPDX-License-Identifier: MIT */
/* starve_symbol.c - names for addresses: a hog is a static function, which dladdr knows not
 *
 * By the symbol table of the file, which a program has unless it was stripped. */
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/starve.h"

/* The file that was asked about last. */
static struct {
	char path[4096];
	const char *at;
	size_t size;
} file;

static bool open_file (const char *path)
{
	struct stat st;
	void *at;

	if (strcmp (path, file.path) == 0)
		return file.at != NULL;
	if (file.at)
		munmap ((void *) (uintptr_t) file.at, file.size);
	file.at = NULL;
	snprintf (file.path, sizeof file.path, "%s", path);
	int fd = open (path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (fstat (fd, &st) == 0 && st.st_size > (off_t) sizeof (ElfW (Ehdr))) {
		at = mmap (NULL, (size_t) st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (at != MAP_FAILED) {
			file.at = at;
			file.size = (size_t) st.st_size;
		}
	}
	close (fd);
	return file.at != NULL;
}

static const void *part (uint64_t offset, uint64_t size)
{
	return offset <= file.size && size <= file.size - offset ? file.at + offset : NULL;
}

static const ElfW (Sym) * search (const ElfW (Shdr) * s, uintptr_t at)
{
	const ElfW (Sym) *all = part (s->sh_offset, s->sh_size);

	for (size_t i = 0; all && i < s->sh_size / sizeof *all; i++)
		if ((all[i].st_info & 0xf) == STT_FUNC && at - all[i].st_value < all[i].st_size)
			return &all[i];
	return NULL;
}

/* at: the address as linked. */
static const char *symbol (uintptr_t at, uintptr_t *offset)
{
	const ElfW (Ehdr) *h = part (0, sizeof *h);
	const ElfW (Shdr) * all;

	if (!h || memcmp (h->e_ident, ELFMAG, SELFMAG) != 0 || h->e_shentsize != sizeof *all)
		return NULL;
	all = part (h->e_shoff, (uint64_t) h->e_shnum * sizeof *all);
	for (size_t i = 0; all && i < h->e_shnum; i++) {
		const ElfW (Sym) *s = all[i].sh_type == SHT_SYMTAB ? search (&all[i], at) : NULL;
		const char *names, *name;

		if (!s || all[i].sh_link >= h->e_shnum)
			continue;
		names = part (all[all[i].sh_link].sh_offset, all[all[i].sh_link].sh_size);
		name = names && s->st_name < all[all[i].sh_link].sh_size ? names + s->st_name : NULL;
		if (name && memchr (name, '\0', all[all[i].sh_link].sh_size - s->st_name)) {
			*offset = at - s->st_value;
			return name;
		}
	}
	return NULL;
}

void starve_frame_name (char *buf, size_t size, void *pc, bool exact)
{
	char *at = (char *) pc - !exact; /* of a return address the call counts */
	uintptr_t offset = 0;
	const char *name, *slash, *path;
	Dl_info i;

	if (!dladdr (at, &i) || !i.dli_fname) {
		snprintf (buf, size, "%p", pc);
		return;
	}
	slash = strrchr (i.dli_fname, '/');
	path = i.dli_fbase == NULL || !slash ? "/proc/self/exe" : i.dli_fname;
	name = open_file (path) ? symbol ((uintptr_t) (at - (char *) i.dli_fbase), &offset) : NULL;
	offset += !exact;
	if (!name) {
		name = i.dli_sname;
		offset = (uintptr_t) ((char *) pc - (char *) i.dli_saddr);
	}
	if (name)
		snprintf (buf, size, "%s+0x%lx (%s)", name, (unsigned long) offset,
		          slash ? slash + 1 : i.dli_fname);
	else
		snprintf (buf, size, "%s+0x%lx", slash ? slash + 1 : i.dli_fname,
		          (unsigned long) ((char *) pc - (char *) i.dli_fbase));
}
