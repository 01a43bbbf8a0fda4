/* SPDX-License-Identifier: MIT */
/* tests/unit/arch_xsave.c - the room for the extended state is as large as what is saved */
#include "tests/harness.h"

#include <cpuid.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "arch.h"

enum { AREA = 16384, BEYOND = 512, REGS = 32 * 64 + 8 * 2, FILL = 0xa5 };

/* As preempt.S does it, with all the registers of one width full: loads them from regs, saves
 * with mask into area, loads others from out, restores, and stores into out. */
typedef void round_trip_fn (const void *regs, void *area, void *out, uint64_t mask, uint32_t kind);
round_trip_fn xsave_trip_sse, xsave_trip_avx, xsave_trip_avx512;

/* clang-format off */
#define SIXTEEN "0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15"
#define THIRTY_TWO SIXTEEN ",16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31"
#define EACH(registers, line) ".irp r, " registers "\n\t" line "\n.endr\n"
#define ROUND_TRIP(name, load, store, end)                       \
	".text\n.p2align 4\n.globl " name "\n.hidden " name "\n"     \
	".type " name ", @function\n" name ":\n.cfi_startproc\n"     \
	"	movq %rdx, %r9\n"                                        \
	"	movl %ecx, %eax\n"                                       \
	"	movq %rcx, %rdx\n"                                       \
	"	shrq $32, %rdx\n"                                        \
	load                                                         \
	"	cmpl $1, %r8d\n"                                         \
	"	jb 3f\n"                                                 \
	"	jne 2f\n"                                                \
	"	xsave64 (%rsi)\n"                                        \
	"	jmp 4f\n"                                                \
	"2:	xsavec64 (%rsi)\n"                                       \
	"	jmp 4f\n"                                                \
	"3:	fxsave64 (%rsi)\n"                                       \
	"4:	movq %rdi, %r10\n"                                       \
	"	movq %r9, %rdi\n"                                        \
	load                                                         \
	"	testl %r8d, %r8d\n"                                      \
	"	jz 5f\n"                                                 \
	"	xrstor64 (%rsi)\n"                                       \
	"	jmp 6f\n"                                                \
	"5:	fxrstor64 (%rsi)\n"                                      \
	"6:\n"                                                       \
	store end                                                    \
	"	ret\n.cfi_endproc\n.size " name ", . - " name "\n"

__asm__ (ROUND_TRIP ("xsave_trip_sse",
	EACH (SIXTEEN, "movdqu \\r*16(%rdi), %xmm\\r"),
	EACH (SIXTEEN, "movdqu %xmm\\r, \\r*16(%rdi)"), ""));
__asm__ (ROUND_TRIP ("xsave_trip_avx",
	EACH (SIXTEEN, "vmovdqu \\r*32(%rdi), %ymm\\r"),
	EACH (SIXTEEN, "vmovdqu %ymm\\r, \\r*32(%rdi)"), "	vzeroupper\n"));
__asm__ (ROUND_TRIP ("xsave_trip_avx512",
	EACH (THIRTY_TWO, "vmovdqu64 \\r*64(%rdi), %zmm\\r")
	EACH ("0,1,2,3,4,5,6,7", "kmovw 32*64+\\r*2(%rdi), %k\\r"),
	EACH (THIRTY_TWO, "vmovdqu64 %zmm\\r, \\r*64(%rdi)")
	EACH ("0,1,2,3,4,5,6,7", "kmovw %k\\r, 32*64+\\r*2(%rdi)"), "	vzeroupper\n"));
/* clang-format on */

/* What the processor itself calls the size of everything that is enabled, PKRU and all. */
static uint32_t hardware_size (uint32_t kind)
{
	uint32_t a, b, c, d;

	if (kind == 0)
		return 512;
	__cpuid_count (0xd, kind == 2, a, b, c, d);
	return (b + 63) & ~63u;
}

static void round_trip (round_trip_fn *trip, size_t bytes)
{
	static alignas (64) unsigned char area[AREA];
	static unsigned char regs[REGS], out[REGS];
	size_t size;

	goad__arch_init ();
	size = goad__xsave_size;
	fprintf (stderr, "  mask %#llx, kind %u: %zu bytes; with all that is enabled %u\n",
	         (unsigned long long) goad__xsave_mask, goad__xsave_kind, size,
	         hardware_size (goad__xsave_kind));
	cr_assert_leq (size + BEYOND, AREA);
	cr_expect_leq (size, hardware_size (goad__xsave_kind));
	cr_expect_eq (goad__xsave_mask >> 9 & 1, 0, "PKRU is the thread's");
	for (size_t i = 0; i < REGS; i++) {
		regs[i] = (unsigned char) (i * 7 + 1);
		out[i] = (unsigned char) (i * 5 + 2);
	}
	memset (area, FILL, sizeof area);
	memset (area + 512, 0, 64);
	if (goad__xsave_kind == 0)
		memset (area + 512, FILL, 64);
	trip (regs, area, out, goad__xsave_mask, goad__xsave_kind);
	cr_expect_arr_eq (out, regs, bytes, "the registers did not come back");
	for (size_t i = size; i < sizeof area; i++)
		cr_assert_eq (area[i], FILL, "byte %zu was written, of %zu", i, size);
}

/* The tests share a process in a plain build, so each leaves the environment as it was. */
static void both_kinds (round_trip_fn *trip, size_t bytes)
{
	const char *was = getenv ("GOAD_NO_XSAVEC");

	if (was) {
		round_trip (trip, bytes);
		return;
	}
	round_trip (trip, bytes);
	setenv ("GOAD_NO_XSAVEC", "1", 1);
	round_trip (trip, bytes);
	cr_expect_leq (goad__xsave_kind, 1);
	unsetenv ("GOAD_NO_XSAVEC");
	goad__arch_init ();
}

Test (arch_xsave, sse)
{
	both_kinds (xsave_trip_sse, 16 * 16);
}

Test (arch_xsave, avx)
{
	if (!__builtin_cpu_supports ("avx"))
		cr_skip ("this CPU has no AVX");
	both_kinds (xsave_trip_avx, 16 * 32);
}

Test (arch_xsave, avx512)
{
	if (!__builtin_cpu_supports ("avx512f"))
		cr_skip ("this CPU has no AVX-512");
	both_kinds (xsave_trip_avx512, REGS);
}
