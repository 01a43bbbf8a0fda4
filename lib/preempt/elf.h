/* SPDX-License-Identifier: MIT */
/* preempt/elf.h - the ELF of an object in memory, read with goad__peek
 *
 * Only what is mapped is looked at: program headers, the dynamic section and what it
 * points to.  Section headers and .symtab are not in memory.
 */
#ifndef GOAD_PREEMPT_ELF_H
#define GOAD_PREEMPT_ELF_H

#include "base/base.h"

#define GOAD__ELF_LOADS 10
#define GOAD__ELF_NEEDED 48
#define GOAD__ELF_NAME 128

struct goad__load {
	uintptr_t lo, hi; /* addresses, rounded to pages */
	uint64_t offset;  /* in the file, of lo          */
	uint32_t flags;   /* PF_*                        */
};

struct goad__elf {
	uintptr_t base, end, bias;
	uint64_t id; /* goad__elf_id of its headers and build id */
	uint32_t header_len, note_len;
	uintptr_t note;
	uint32_t loads;
	struct goad__load load[GOAD__ELF_LOADS];
	bool tls, interp, dynamic;
	uintptr_t eh_hdr;
	size_t eh_hdr_size;
	uintptr_t dyn;
	size_t dyn_size;
	uintptr_t symtab, strtab, rela, jmprel, hash, gnu_hash;
	size_t strsz, relasz, pltrelsz, relacount;
	uint32_t needed; /* more than fit: GOAD__ELF_NEEDED + 1 */
	uint32_t needed_at[GOAD__ELF_NEEDED];
	uint32_t soname_at; /* 0: none */
};

/* Reads headers and dynamic section of the object whose first page is at base.
 * False: no ELF object for this machine is there, or not all of it yet. */
bool goad__elf_read (struct goad__elf *e, uintptr_t base);

/* The string at an offset of its string table. */
bool goad__elf_string (const struct goad__elf *e, uint32_t at, char name[GOAD__ELF_NAME]);

/* Tells each undefined symbol (value: where it is not 0, its address is taken by way
 * of the PLT), each relocation that names a symbol or a thread-local, and the address
 * of each defined symbol; what is NULL is left out.  False when something could not
 * be read or is of a kind not known. */
struct goad__elf_visitor {
	void *token;
	void (*import) (void *token, const char *name, uint64_t value);
	void (*reloc) (void *token, uint32_t type, uintptr_t where, const char *name);
	void (*export) (void *token, uintptr_t at);
};

bool goad__elf_visit (const struct goad__elf *e, const struct goad__elf_visitor *v);

/* A number for the bytes given: headers, which hold the sizes of everything, and the
 * build id.  Two different objects at one address do not share it. */
uint64_t goad__elf_id (const void *headers, size_t len, const void *note, size_t note_len);

/* FNV-1a, for names. */
uint64_t goad__elf_hash (const char *name);

#endif
