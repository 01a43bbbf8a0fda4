/* SPDX-License-Identifier: MIT */
/* elf.c - the ELF of an object in memory
 *
 * Everything read may be garbage or vanish between two reads: sizes are bounded,
 * offsets checked, and nothing is dereferenced but our own copies.
 */
#include "preempt/elf.h"

#include <elf.h>
#include <string.h>

#include "base/os.h"
#include "preempt/peek.h"

#define PHDRS 32
#define TABLE_MAX ((size_t) 64 << 20)
#define NOTE_MAX 256

static uint64_t mix (uint64_t h, const unsigned char *p, size_t n)
{
	for (; n >= 8; p += 8, n -= 8) {
		uint64_t w;

		memcpy (&w, p, 8);
		h = (h ^ w) * 0x9e3779b97f4a7c15u;
		h ^= h >> 29;
	}
	for (; n > 0; p++, n--)
		h = (h ^ *p) * 0x100000001b3u;
	return h;
}

uint64_t goad__elf_id (const void *headers, size_t len, const void *note, size_t note_len)
{
	return mix (mix (0xcbf29ce484222325u, headers, len), note, note_len);
}

uint64_t goad__elf_hash (const char *name)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (; *name; name++)
		h = (h ^ (unsigned char) *name) * 0x100000001b3u;
	return h;
}

static bool add_load (struct goad__elf *e, const Elf64_Phdr *p)
{
	struct goad__load *l = &e->load[e->loads];

	if (e->loads == GOAD__ELF_LOADS)
		return false;
	l->lo = (e->bias + p->p_vaddr) & ~(GOAD__PAGE - 1);
	l->hi = goad__round_up (e->bias + p->p_vaddr + p->p_memsz, GOAD__PAGE);
	l->offset = p->p_offset & ~(uint64_t) (GOAD__PAGE - 1);
	l->flags = p->p_flags;
	if (l->hi < l->lo)
		return false;
	if (l->hi > e->end)
		e->end = l->hi;
	e->loads++;
	return true;
}

/* The segments.  The first PT_LOAD gives the bias: base is where its page lies. */
static bool read_headers (struct goad__elf *e, const Elf64_Phdr *ph, int n)
{
	int first = 0;

	while (first < n && ph[first].p_type != PT_LOAD)
		first++;
	if (first == n || (ph[first].p_offset & ~(uint64_t) (GOAD__PAGE - 1)) != 0)
		return false;
	e->bias = e->base - (ph[first].p_vaddr & ~(GOAD__PAGE - 1));
	for (int i = 0; i < n; i++) {
		uintptr_t at = e->bias + ph[i].p_vaddr;

		switch (ph[i].p_type) {
		case PT_LOAD:
			if (!add_load (e, &ph[i]))
				return false;
			break;
		case PT_TLS:
			e->tls = true;
			break;
		case PT_INTERP:
			e->interp = true;
			break;
		case PT_DYNAMIC:
			e->dynamic = true, e->dyn = at, e->dyn_size = ph[i].p_memsz;
			break;
		case PT_GNU_EH_FRAME:
			e->eh_hdr = at, e->eh_hdr_size = ph[i].p_memsz;
			break;
		case PT_NOTE:
			/* Of several the smallest that holds a build id will do: any is stable. */
			if (!e->note && ph[i].p_filesz > 0 && ph[i].p_filesz <= NOTE_MAX)
				e->note = at, e->note_len = (uint32_t) ph[i].p_filesz;
			break;
		default:
			break;
		}
	}
	return true;
}

/* glibc relocates the pointers of the dynamic section in place, others do not. */
static uintptr_t pointer (const struct goad__elf *e, uint64_t value)
{
	return value < e->base ? e->bias + value : value;
}

static bool read_dynamic (struct goad__elf *e)
{
	Elf64_Dyn d[256];
	size_t n = e->dyn_size / sizeof d[0];

	if (n > 256 || !goad__peek (e->dyn, d, n * sizeof d[0]))
		return false;
	for (size_t i = 0; i < n && d[i].d_tag != DT_NULL; i++) {
		uint64_t v = d[i].d_un.d_val;

		switch (d[i].d_tag) {
		case DT_SYMTAB:
			e->symtab = pointer (e, v);
			break;
		case DT_STRTAB:
			e->strtab = pointer (e, v);
			break;
		case DT_STRSZ:
			e->strsz = v;
			break;
		case DT_RELA:
			e->rela = pointer (e, v);
			break;
		case DT_RELASZ:
			e->relasz = v;
			break;
		case DT_RELACOUNT:
			e->relacount = v;
			break;
		case DT_JMPREL:
			e->jmprel = pointer (e, v);
			break;
		case DT_PLTRELSZ:
			e->pltrelsz = v;
			break;
		case DT_HASH:
			e->hash = pointer (e, v);
			break;
		case DT_GNU_HASH:
			e->gnu_hash = pointer (e, v);
			break;
		case DT_SONAME:
			e->soname_at = (uint32_t) v;
			break;
		case DT_NEEDED:
			if (e->needed < GOAD__ELF_NEEDED)
				e->needed_at[e->needed] = (uint32_t) v;
			if (e->needed <= GOAD__ELF_NEEDED)
				e->needed++;
			break;
		default:
			break;
		}
	}
	return true;
}

bool goad__elf_read (struct goad__elf *e, uintptr_t base)
{
	unsigned char head[sizeof (Elf64_Ehdr) + PHDRS * sizeof (Elf64_Phdr)];
	unsigned char note[NOTE_MAX];
	Elf64_Phdr ph[PHDRS];
	Elf64_Ehdr eh;

	memset (e, 0, sizeof *e);
	e->base = base;
	if (!goad__peek (base, &eh, sizeof eh) || memcmp (eh.e_ident, ELFMAG, SELFMAG) != 0)
		return false;
	if (eh.e_ident[EI_CLASS] != ELFCLASS64 || eh.e_machine != EM_X86_64 || eh.e_phnum == 0 ||
	    eh.e_phnum > PHDRS || eh.e_phentsize != sizeof ph[0] || eh.e_phoff != sizeof eh)
		return false;
	e->header_len = (uint32_t) (sizeof eh + eh.e_phnum * sizeof ph[0]);
	if (!goad__peek (base, head, e->header_len))
		return false;
	memcpy (ph, head + sizeof eh, eh.e_phnum * sizeof ph[0]);
	if (!read_headers (e, ph, eh.e_phnum))
		return false;
	if (e->note_len && !goad__peek (e->note, note, e->note_len))
		return false;
	e->id = goad__elf_id (head, e->header_len, note, e->note_len);
	return !e->dynamic || read_dynamic (e);
}

bool goad__elf_string (const struct goad__elf *e, uint32_t at, char name[GOAD__ELF_NAME])
{
	size_t n = GOAD__ELF_NAME - 1;

	if (!e->strtab || at >= e->strsz)
		return false;
	if (n > e->strsz - at)
		n = e->strsz - at;
	if (!goad__peek (e->strtab + at, name, n))
		return false;
	name[n] = '\0';
	return true;
}

/* How many dynamic symbols there are: DT_HASH says it; of DT_GNU_HASH the longest
 * chain's end tells. */
static bool count_symbols (const struct goad__elf *e, size_t *count)
{
	uint32_t h[4], last = 0, word;
	uintptr_t buckets, chains;

	if (e->hash) {
		if (!goad__peek (e->hash, h, 8))
			return false;
		*count = h[1];
		return true;
	}
	if (!e->gnu_hash || !goad__peek (e->gnu_hash, h, sizeof h))
		return false;
	buckets = e->gnu_hash + 16 + (uintptr_t) h[2] * 8;
	chains = buckets + (uintptr_t) h[0] * 4;
	for (uint32_t i = 0; i < h[0];) {
		uint32_t part[1024], n = h[0] - i < 1024 ? h[0] - i : 1024;

		if (!goad__peek (buckets + (uintptr_t) i * 4, part, n * 4))
			return false;
		for (uint32_t k = 0; k < n; k++)
			last = part[k] > last ? part[k] : last;
		i += n;
	}
	if (last < h[1]) {
		*count = h[1];
		return true;
	}
	do {
		if (!goad__peek (chains + (uintptr_t) (last - h[1]) * 4, &word, 4))
			return false;
		last++;
	} while (!(word & 1));
	*count = last;
	return true;
}

struct tables {
	Elf64_Sym *sym;
	char *str;
	size_t symbols, sym_bytes, str_bytes;
};

static bool names_tls (uint32_t type)
{
	return type == R_X86_64_DTPMOD64 || type == R_X86_64_DTPOFF64 || type == R_X86_64_TPOFF64 ||
	       type == R_X86_64_TLSDESC;
}

static bool visit_relocs (const struct tables *t, uintptr_t at, size_t size,
                          const struct goad__elf *e, const struct goad__elf_visitor *v)
{
	Elf64_Rela part[128];

	for (size_t i = 0, n = size / sizeof part[0]; i < n;) {
		size_t k = n - i < 128 ? n - i : 128;

		if (!goad__peek (at + i * sizeof part[0], part, k * sizeof part[0]))
			return false;
		for (size_t j = 0; j < k; j++) {
			size_t s = ELF64_R_SYM (part[j].r_info);
			uint32_t type = ELF64_R_TYPE (part[j].r_info);

			if (s >= t->symbols && s != 0)
				return false;
			if (s != 0 && t->sym[s].st_name >= e->strsz)
				return false;
			if (s != 0 || names_tls (type))
				v->reloc (v->token, type, e->bias + part[j].r_offset,
				          s ? t->str + t->sym[s].st_name : "");
		}
		i += k;
	}
	return true;
}

static bool visit_tables (const struct tables *t, const struct goad__elf *e,
                          const struct goad__elf_visitor *v)
{
	size_t skip = e->relacount * sizeof (Elf64_Rela); /* the relative ones, sorted to the front */

	if (!goad__peek (e->symtab, t->sym, t->symbols * sizeof *t->sym) ||
	    !goad__peek (e->strtab, t->str, e->strsz))
		return false;
	for (size_t i = 1; i < t->symbols; i++) {
		if (t->sym[i].st_name >= e->strsz)
			return false;
		if (t->sym[i].st_shndx != SHN_UNDEF) {
			if (v->export)
				v->export(v->token, e->bias + t->sym[i].st_value);
		} else if (v->import) {
			v->import (v->token, t->str + t->sym[i].st_name, t->sym[i].st_value);
		}
	}
	if (!v->reloc)
		return true;
	if (skip > e->relasz)
		return false;
	if (e->rela && !visit_relocs (t, e->rela + skip, e->relasz - skip, e, v))
		return false;
	return !e->jmprel || visit_relocs (t, e->jmprel, e->pltrelsz, e, v);
}

bool goad__elf_visit (const struct goad__elf *e, const struct goad__elf_visitor *v)
{
	struct tables t = { 0 };
	bool ok = false;

	if (!e->dynamic)
		return true;
	if (!e->symtab || !e->strtab || e->strsz == 0 || e->strsz > TABLE_MAX ||
	    !count_symbols (e, &t.symbols) || t.symbols > TABLE_MAX / sizeof *t.sym)
		return false;
	t.sym_bytes = t.symbols * sizeof *t.sym + 1;
	t.str_bytes = e->strsz + 1; /* the last byte stays zero */
	t.sym = goad__pages_get (t.sym_bytes);
	t.str = goad__pages_get (t.str_bytes);
	if (t.sym && t.str)
		ok = visit_tables (&t, e, v);
	goad__pages_put (t.sym, t.sym_bytes);
	goad__pages_put (t.str, t.str_bytes);
	return ok;
}
