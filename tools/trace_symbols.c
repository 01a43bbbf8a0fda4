/* SPDX-License-Identifier: MIT */
/* trace_symbols.c - addresses of the traced program as functions of its files
 *
 * By the mappings that the trace noted and the symbol tables of the files that were mapped,
 * if they are still what they were. */
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trace_read.h"

enum { FILES_MAX = 256 };

struct symbol {
	uint64_t at, size;
	const char *name;
};

struct file {
	char *path;
	const uint8_t *data;
	size_t size, symbols_n;
	struct symbol *symbols;
	uint64_t load_offset, load_address; /* of the first executable segment */
};

static struct file files[FILES_MAX];
static unsigned files_n;

static bool within (const struct file *f, uint64_t at, uint64_t size)
{
	return at <= f->size && size <= f->size - at;
}

static int by_address (const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	return x->at < y->at ? -1 : x->at > y->at;
}

static void take_symbols (struct file *f, const Elf64_Shdr *s, const Elf64_Shdr *names)
{
	const Elf64_Sym *sym = (const void *) (f->data + s->sh_offset);
	size_t n = s->sh_size / sizeof *sym;

	if (names->sh_size == 0 || f->data[names->sh_offset + names->sh_size - 1] != 0)
		return;
	f->symbols = calloc (n + 1, sizeof *f->symbols);
	for (size_t i = 0; f->symbols != NULL && i < n; i++)
		if (ELF64_ST_TYPE (sym[i].st_info) == STT_FUNC && sym[i].st_shndx != SHN_UNDEF &&
		    sym[i].st_name < names->sh_size)
			f->symbols[f->symbols_n++] = (struct symbol){ sym[i].st_value, sym[i].st_size,
				                                          (const char *) f->data +
				                                              names->sh_offset + sym[i].st_name };
	if (f->symbols_n > 0)
		qsort (f->symbols, f->symbols_n, sizeof *f->symbols, by_address);
}

static void read_segments (struct file *f, const Elf64_Ehdr *h)
{
	const Elf64_Phdr *p = (const void *) (f->data + h->e_phoff);

	if (h->e_phentsize != sizeof *p || h->e_phoff % 8 != 0 ||
	    !within (f, h->e_phoff, (uint64_t) h->e_phnum * sizeof *p))
		return;
	for (unsigned i = 0; i < h->e_phnum; i++)
		if (p[i].p_type == PT_LOAD && (p[i].p_flags & PF_X)) {
			f->load_offset = p[i].p_offset & ~UINT64_C (4095);
			f->load_address = p[i].p_vaddr & ~UINT64_C (4095);
			return;
		}
}

static void read_elf (struct file *f)
{
	static const uint32_t kinds[] = { SHT_SYMTAB, SHT_DYNSYM };
	const Elf64_Ehdr *h = (const void *) f->data;
	const Elf64_Shdr *s;

	if (f->size < sizeof *h || memcmp (h->e_ident, ELFMAG, SELFMAG) != 0 ||
	    h->e_ident[EI_CLASS] != ELFCLASS64)
		return;
	read_segments (f, h);
	s = (const void *) (f->data + h->e_shoff);
	if (h->e_shentsize != sizeof *s || h->e_shoff % 8 != 0 ||
	    !within (f, h->e_shoff, (uint64_t) h->e_shnum * sizeof *s))
		return;
	for (int k = 0; k < 2 && f->symbols_n == 0; k++)
		for (unsigned i = 0; i < h->e_shnum; i++)
			if (s[i].sh_type == kinds[k] && s[i].sh_link < h->e_shnum && s[i].sh_offset % 8 == 0 &&
			    within (f, s[i].sh_offset, s[i].sh_size) &&
			    within (f, s[s[i].sh_link].sh_offset, s[s[i].sh_link].sh_size))
				take_symbols (f, &s[i], &s[s[i].sh_link]);
}

static struct file *file_of (const char *path)
{
	struct stat st;
	struct file *f;
	int fd;

	for (unsigned i = 0; i < files_n; i++)
		if (strcmp (files[i].path, path) == 0)
			return &files[i];
	if (files_n == FILES_MAX)
		return NULL;
	f = &files[files_n];
	*f = (struct file){ .path = strdup (path) };
	if (f->path == NULL)
		return NULL;
	files_n++;
	fd = path[0] == '/' ? open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
	if (fd >= 0 && fstat (fd, &st) == 0 && S_ISREG (st.st_mode) && st.st_size > 0) {
		void *at = mmap (NULL, (size_t) st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (at != MAP_FAILED) {
			f->data = at;
			f->size = (size_t) st.st_size;
			read_elf (f);
		}
	}
	if (fd >= 0)
		close (fd);
	return f;
}

/* The last that begins at or before the address. */
static const struct symbol *symbol_at (const struct file *f, uint64_t at)
{
	size_t lo = 0, hi = f->symbols_n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (f->symbols[mid].at <= at)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo > 0; lo--) {
		const struct symbol *s = &f->symbols[lo - 1];
		if (at - s->at < s->size || (s->size == 0 && s->at == at))
			return s;
		if (s->size != 0 && at - s->at > 1 << 20)
			break;
	}
	return NULL;
}

static const struct trace_map *map_of (const struct trace *t, uint64_t pc)
{
	for (size_t i = 0; i < t->maps_n; i++)
		if (pc >= t->maps[i].lo && pc < t->maps[i].hi)
			return &t->maps[i];
	return NULL;
}

static const struct symbol *find (const struct trace *t, uint64_t pc, const struct trace_map **map,
                                  uint64_t *offset)
{
	const struct symbol *s = NULL;
	struct file *f;

	*map = pc ? map_of (t, pc) : NULL;
	f = *map != NULL && (*map)->path != NULL ? file_of ((*map)->path) : NULL;
	*offset = *map != NULL ? pc - (*map)->lo + (*map)->offset : 0;
	if (f != NULL && f->symbols_n > 0) {
		uint64_t at = *offset - f->load_offset + f->load_address;
		s = symbol_at (f, at);
		if (s != NULL)
			*offset = at - s->at;
	}
	return s;
}

static const char *base (const char *path)
{
	const char *slash = strrchr (path, '/');

	return slash != NULL ? slash + 1 : path;
}

const char *trace_symbol (const struct trace *t, uint64_t pc, char *buf, size_t size)
{
	const struct trace_map *map;
	uint64_t offset;
	const struct symbol *s = find (t, pc, &map, &offset);

	if (pc == 0)
		buf[0] = '\0';
	else if (s != NULL)
		snprintf (buf, size, "%s+0x%llx (%s)", s->name, (unsigned long long) offset,
		          base (map->path));
	else if (map != NULL && map->path != NULL)
		snprintf (buf, size, "%s+0x%llx", base (map->path), (unsigned long long) offset);
	else
		snprintf (buf, size, "0x%llx", (unsigned long long) pc);
	return buf;
}

const char *trace_function (const struct trace *t, uint64_t pc, char *buf, size_t size)
{
	const struct trace_map *map;
	uint64_t offset;
	const struct symbol *s = find (t, pc, &map, &offset);

	snprintf (buf, size, "%s", s != NULL ? s->name : "");
	return buf;
}

void trace_symbols_free (void)
{
	for (unsigned i = 0; i < files_n; i++) {
		if (files[i].data != NULL)
			munmap ((void *) (uintptr_t) files[i].data, files[i].size);
		free (files[i].symbols);
		free (files[i].path);
	}
	files_n = 0;
}
