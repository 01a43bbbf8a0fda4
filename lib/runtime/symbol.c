/* SPDX-License-Identifier: MIT */
/* The name of a function, from the file that it was loaded from: .symtab, which a program
 * has unless it was stripped, or else .dynsym. */
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/syscall.h"
#include "runtime/backtrace.h"

typedef ElfW (Ehdr) Header;
typedef ElfW (Shdr) Section;
typedef ElfW (Sym) Symbol;

void goad__symbol_done (struct goad__symbols *file)
{
	if (file->at)
		goad__syscall3 (SYS_munmap, (long) file->at, (long) file->size, 0);
	memset (file, 0, sizeof *file);
}

static bool map_file (struct goad__symbols *file, const char *path)
{
	struct stat st;
	long fd = goad__syscall4 (SYS_openat, AT_FDCWD, (long) path, O_RDONLY | O_CLOEXEC, 0);
	long p = -1;

	if (fd < 0)
		return false;
	if (goad__syscall3 (SYS_fstat, fd, (long) &st, 0) == 0 && S_ISREG (st.st_mode) &&
	    st.st_size > (off_t) sizeof (Header))
		p = goad__syscall6 (SYS_mmap, 0, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	goad__syscall3 (SYS_close, fd, 0, 0);
	if (p < 0 && p > -4096)
		return false;
	file->at = (const char *) p;
	file->size = (size_t) st.st_size;
	return true;
}

static bool inside (const struct goad__symbols *file, uint64_t offset, uint64_t size)
{
	return offset <= file->size && size <= file->size - offset;
}

static bool take_table (struct goad__symbols *file, const Section *all, size_t n, const Section *s)
{
	const Section *names = s->sh_link < n ? &all[s->sh_link] : NULL;

	if (!names || !inside (file, s->sh_offset, s->sh_size) ||
	    !inside (file, names->sh_offset, names->sh_size) || names->sh_size == 0 ||
	    s->sh_offset % _Alignof(Symbol) != 0)
		return false;
	file->symbols = (const Symbol *) (const void *) (file->at + s->sh_offset);
	file->count = s->sh_size / sizeof (Symbol);
	file->strings = file->at + names->sh_offset;
	file->strings_size = names->sh_size;
	return file->strings[names->sh_size - 1] == '\0';
}

static bool find_table (struct goad__symbols *file)
{
	static const uint32_t kinds[] = { SHT_SYMTAB, SHT_DYNSYM };
	const Header *h = (const Header *) (const void *) file->at;
	const Section *all;

	if (memcmp (h->e_ident, ELFMAG, SELFMAG) != 0 || h->e_shentsize != sizeof (Section) ||
	    h->e_shoff % _Alignof(Section) != 0 ||
	    !inside (file, h->e_shoff, (uint64_t) h->e_shnum * sizeof (Section)))
		return false;
	file->fixed = h->e_type == ET_EXEC;
	all = (const Section *) (const void *) (file->at + h->e_shoff);
	for (int k = 0; k < 2; k++)
		for (size_t i = 0; i < h->e_shnum; i++)
			if (all[i].sh_type == kinds[k] && take_table (file, all, h->e_shnum, &all[i]))
				return true;
	return false;
}

static bool open_file (struct goad__symbols *file, const char *path)
{
	size_t n = strlen (path);

	if (n == 0 || n >= sizeof file->path)
		return false;
	if (strcmp (path, file->path) == 0)
		return file->count > 0;
	goad__symbol_done (file);
	memcpy (file->path, path, n + 1); /* also if it fails: so it is tried once */
	if (!map_file (file, path) || !find_table (file))
		file->count = 0;
	return file->count > 0;
}

bool goad__symbol_find (struct goad__symbols *file, const char *path, uintptr_t base, uintptr_t pc,
                        char *name, size_t size, uintptr_t *offset)
{
	const Symbol *best = NULL;
	uintptr_t at;
	size_t n;

	if (!open_file (file, path))
		return false;
	at = file->fixed ? pc : pc - base;
	for (size_t i = 0; i < file->count; i++) {
		const Symbol *s = (const Symbol *) file->symbols + i;
		if ((s->st_info & 0xf) == STT_FUNC && s->st_shndx != SHN_UNDEF && s->st_value <= at &&
		    (at - s->st_value < s->st_size || (s->st_size == 0 && s->st_value == at)) &&
		    s->st_name < file->strings_size && (!best || s->st_value >= best->st_value))
			best = s;
	}
	if (!best)
		return false;
	n = strlen (file->strings + best->st_name);
	if (n >= size)
		n = size - 1;
	memcpy (name, file->strings + best->st_name, n);
	name[n] = '\0';
	*offset = at - best->st_value;
	return true;
}
