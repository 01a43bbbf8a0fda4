/* SPDX-License-Identifier: MIT */
/* decode.c - does a function touch what belongs to its thread?
 *
 * Bound, beside operands in the FS segment other than the stack protector's canary
 * (which is the same for all threads of a process):
 * - operands in the GS segment and moves to the segment registers: goad does not
 *   switch them;
 * - rdfsbase, wrfsbase and their like: the thread pointer itself;
 * - wrpkru, rdpkru, xrstor: protection keys stay with the thread, since goad leaves
 *   PKRU out of what it saves, for a coroutine must not carry one thread's rights to
 *   another;
 * - syscall, sysenter, int: which call it is cannot be told, and gettid, futex locks,
 *   rt_sigprocmask and many others speak of the calling thread.  Code that uses libc
 *   has no such instruction.
 *
 * The sweep is linear.  Bytes that are data would put it out of step, so each direct
 * jump inside the function must lead to where an instruction was decoded.  It goes on
 * behind the first finding, for the jumps are wanted of bound functions too.
 */
#include "preempt/decode.h"

#include <string.h>

#include "base/os.h"

#ifdef HAVE_ZYDIS
#include <Zydis/Zydis.h>
#endif

#define FUNCTION_MAX ((size_t) 4 << 20)

static const char why_fs[] = "uses a thread-local (FS segment)";
#ifdef HAVE_ZYDIS
static const char why_gs[] = "uses the GS segment";
#endif
static const char why_base[] = "reads or sets the thread pointer";
static const char why_pkru[] = "reads or sets the thread's protection keys";
static const char why_syscall[] = "has a system call instruction of its own";

static void add_jump (struct goad__jumps *j, uintptr_t to)
{
	for (uint32_t i = 0; i < j->count && i < GOAD__JUMPS; i++)
		if (j->to[i] == to)
			return;
	if (j->count < GOAD__JUMPS)
		j->to[j->count] = to;
	if (j->count <= GOAD__JUMPS)
		j->count++;
}

/* ModRM and what follows: [disp32] with the canary's offset and no register. */
static bool is_canary (const unsigned char *modrm)
{
	static const unsigned char tail[5] = { 0x25, 0x28, 0, 0, 0 };

	return (modrm[0] & 0xc7) == 0x04 && memcmp (modrm + 1, tail, sizeof tail) == 0;
}

#ifdef HAVE_ZYDIS

bool goad__decode_precise (void)
{
	return true;
}

static const char *why_prefix (const ZydisDecodedInstruction *in, const unsigned char *at)
{
	bool fs = false;

	for (unsigned i = 0; i < in->raw.prefix_count; i++) {
		if (in->raw.prefixes[i].value == 0x65)
			return why_gs;
		if (in->raw.prefixes[i].value == 0x64)
			fs = true;
	}
	if (!fs)
		return NULL;
	if ((in->attributes & ZYDIS_ATTRIB_HAS_MODRM) && in->length >= in->raw.modrm.offset + 6u &&
	    is_canary (at + in->raw.modrm.offset))
		return NULL;
	return why_fs;
}

static const char *why_mnemonic (const ZydisDecodedInstruction *in)
{
	switch (in->mnemonic) {
	case ZYDIS_MNEMONIC_SYSCALL:
	case ZYDIS_MNEMONIC_SYSENTER:
	case ZYDIS_MNEMONIC_INT:
		return why_syscall;
	case ZYDIS_MNEMONIC_RDFSBASE:
	case ZYDIS_MNEMONIC_RDGSBASE:
	case ZYDIS_MNEMONIC_WRFSBASE:
	case ZYDIS_MNEMONIC_WRGSBASE:
	case ZYDIS_MNEMONIC_LFS:
	case ZYDIS_MNEMONIC_LGS:
		return why_base;
	case ZYDIS_MNEMONIC_RDPKRU:
	case ZYDIS_MNEMONIC_WRPKRU:
	case ZYDIS_MNEMONIC_XRSTOR:
	case ZYDIS_MNEMONIC_XRSTOR64:
		return why_pkru;
	case ZYDIS_MNEMONIC_MOV:
		return in->opcode == 0x8e ? why_base : NULL;
	case ZYDIS_MNEMONIC_POP:
		return in->opcode_map == ZYDIS_OPCODE_MAP_0F ? why_base : NULL; /* pop fs, pop gs */
	default:
		return NULL;
	}
}

struct sweep {
	uintptr_t addr;
	size_t len;
	unsigned char *starts; /* a bit for each byte: 1 instruction start, after len/8: target */
	unsigned char *targets;
	struct goad__jumps *jumps;
};

static void note_branch (struct sweep *s, const ZydisDecodedInstruction *in, size_t at)
{
	uintptr_t to = s->addr + at + in->length + (uintptr_t) in->raw.imm[0].value.s;

	if (!in->raw.imm[0].is_relative)
		return;
	if (to - s->addr < s->len)
		s->targets[(to - s->addr) / 8] |= (unsigned char) (1u << ((to - s->addr) % 8));
	else if (in->meta.category != ZYDIS_CATEGORY_CALL)
		add_jump (s->jumps, to);
}

static const char *sweep (struct sweep *s, const unsigned char *text)
{
	ZydisDecoder d;
	ZydisDecodedInstruction in;
	const char *why = NULL;

	if (!ZYAN_SUCCESS (ZydisDecoderInit (&d, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64)))
		return "the decoder is not to be had";
	for (size_t at = 0; at < s->len; at += in.length) {
		if (!ZYAN_SUCCESS (ZydisDecoderDecodeInstruction (&d, NULL, text + at, s->len - at, &in)))
			return "has an instruction that does not decode";
		if (!why)
			why = why_prefix (&in, text + at);
		if (!why)
			why = why_mnemonic (&in);
		s->starts[at / 8] |= (unsigned char) (1u << (at % 8));
		note_branch (s, &in, at);
	}
	for (size_t i = 0; i < (s->len + 7) / 8; i++)
		if (s->targets[i] & ~s->starts[i])
			return "jumps to where no instruction was decoded";
	return why;
}

const char *goad__decode_function (const unsigned char *text, uintptr_t addr, size_t len,
                                   struct goad__jumps *jumps)
{
	unsigned char small[512];
	size_t half = (len + 7) / 8;
	struct sweep s = { addr, len, small, small + half, jumps };
	const char *why;

	jumps->count = 0;
	if (len > FUNCTION_MAX)
		return "is too large to decode";
	if (2 * half > sizeof small)
		s.starts = goad__pages_get (2 * half);
	else
		memset (small, 0, sizeof small);
	if (!s.starts)
		return "could not be decoded: no memory";
	s.targets = s.starts + half;
	why = sweep (&s, text);
	if (s.starts != small)
		goad__pages_put (s.starts, 2 * half);
	return why;
}

#else

bool goad__decode_precise (void)
{
	return false;
}

static const char *why_second (const unsigned char *p, size_t n)
{
	/* p[0] is 0x0f */
	if (n < 2)
		return NULL;
	if (p[1] == 0x05 || p[1] == 0x34)
		return why_syscall;
	if (p[1] == 0xa1 || p[1] == 0xa9 || p[1] == 0xb4 || p[1] == 0xb5)
		return why_base;
	if (n < 3)
		return NULL;
	if (p[1] == 0x01 && (p[2] == 0xee || p[2] == 0xef))
		return why_pkru;
	if (p[1] == 0xae && p[2] >= 0xc0 && p[2] < 0xe0)
		return why_base;
	if (p[1] == 0xae && p[2] < 0xc0 && (p[2] & 0x38) == 0x28)
		return why_pkru;
	return NULL;
}

/* The GS segment and moves to segment registers are left to the decoder: their bytes
 * are too common, and no code that the C library's threads can run uses them. */
static const char *why_bytes (const unsigned char *p, size_t n)
{
	switch (p[0]) {
	case 0x64:
		/* REX.W, then mov, sub, xor or cmp with the canary */
		if (n >= 9 && (p[1] & 0xfb) == 0x48 &&
		    (p[2] == 0x8b || p[2] == 0x2b || p[2] == 0x33 || p[2] == 0x3b) && is_canary (p + 3))
			return NULL;
		return why_fs;
	case 0x0f:
		return why_second (p, n);
	case 0xcd:
		return n > 1 && p[1] == 0x80 ? why_syscall : NULL;
	default:
		return NULL;
	}
}

/* Short jumps are left out: the parts of a split function lie in different sections. */
static void find_jump (const unsigned char *p, size_t n, uintptr_t at, uintptr_t addr, size_t len,
                       struct goad__jumps *jumps)
{
	size_t op = p[0] == 0xe9 ? 1 : n > 1 && p[0] == 0x0f && (p[1] & 0xf0) == 0x80 ? 2 : 0;
	int32_t rel;
	uintptr_t to;

	if (op == 0 || n < op + 4)
		return;
	memcpy (&rel, p + op, 4);
	to = at + op + 4 + (uintptr_t) (intptr_t) rel;
	/* Far off it is no jump. */
	if (to - addr >= len && to - addr + ((uintptr_t) 1 << 28) < ((uintptr_t) 1 << 29))
		add_jump (jumps, to);
}

const char *goad__decode_function (const unsigned char *text, uintptr_t addr, size_t len,
                                   struct goad__jumps *jumps)
{
	const char *why = NULL;

	jumps->count = 0;
	for (size_t i = 0; i < len; i++) {
		if (!why)
			why = why_bytes (text + i, len - i);
		find_jump (text + i, len - i, addr + i, addr, len, jumps);
	}
	return why;
}

#endif
