/* SPDX-License-Identifier: MIT */
/* tests/preempt/torture_vector.c - SSE, AVX2 and AVX-512 registers that live across a loop */
#include "tests/preempt/torture.h"

/* Each takes the address of as many vectors as there are registers, loads them all, works
 * for some rounds in registers alone, and stores them. */
void live_sse (void *regs, uint64_t rounds);
void live_avx2 (void *regs, uint64_t rounds);
void live_avx512 (void *regs, uint64_t rounds);

/* clang-format off */
#define FUNCTION(name)                                         \
	".text\n.p2align 4\n.globl " name "\n.hidden " name "\n"   \
	".type " name ", @function\n" name ":\n.cfi_startproc\n"
#define THIRTY_ONE \
	"1,2,3,4,5,6,7,8,9,10,11,12,13,14,15," \
	"16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31"
#define THIRTY_TWO "0," THIRTY_ONE
#define END(name) ".cfi_endproc\n.size " name ", . - " name "\n"

__asm__ (
	FUNCTION ("live_sse")
	".irp r, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
	"	movdqu \\r*16(%rdi), %xmm\\r\n"
	".endr\n"
	"1:\n"
	".irp r, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
	"	paddq %xmm\\r, %xmm0\n"
	"	pxor %xmm0, %xmm\\r\n"
	"	pshufd $0x93, %xmm\\r, %xmm\\r\n"
	".endr\n"
	"	decq %rsi\n"
	"	jnz 1b\n"
	".irp r, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
	"	movdqu %xmm\\r, \\r*16(%rdi)\n"
	".endr\n"
	"	ret\n"
	END ("live_sse"));

__asm__ (
	FUNCTION ("live_avx2")
	".irp r, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
	"	vmovdqu \\r*32(%rdi), %ymm\\r\n"
	".endr\n"
	"1:\n"
	".irp r, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
	"	vpaddq %ymm\\r, %ymm0, %ymm0\n"
	"	vpxor %ymm0, %ymm\\r, %ymm\\r\n"
	"	vpermq $0x93, %ymm\\r, %ymm\\r\n"
	".endr\n"
	"	decq %rsi\n"
	"	jnz 1b\n"
	".irp r, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
	"	vmovdqu %ymm\\r, \\r*32(%rdi)\n"
	".endr\n"
	"	vzeroupper\n"
	"	ret\n"
	END ("live_avx2"));

/* All 32 registers and the eight masks, which go with the vectors at the end. */
__asm__ (
	FUNCTION ("live_avx512")
	".irp r, " THIRTY_TWO "\n"
	"	vmovdqu64 \\r*64(%rdi), %zmm\\r\n"
	".endr\n"
	".irp k, 0,1,2,3,4,5,6,7\n"
	"	kmovw 32*64+\\k*2(%rdi), %k\\k\n"
	".endr\n"
	"1:\n"
	".irp r, " THIRTY_ONE "\n"
	"	vpaddq %zmm\\r, %zmm0, %zmm0\n"
	"	vpxorq %zmm0, %zmm\\r, %zmm\\r\n"
	"	vprolq $7, %zmm\\r, %zmm\\r\n"
	".endr\n"
	".irp k, 1,2,3,4,5,6,7\n"
	"	kxorw %k\\k, %k0, %k0\n"
	"	knotw %k0, %k\\k\n"
	"	vpaddq %zmm1, %zmm0, %zmm0{%k\\k}\n"
	".endr\n"
	"	decq %rsi\n"
	"	jnz 1b\n"
	".irp r, " THIRTY_TWO "\n"
	"	vmovdqu64 %zmm\\r, \\r*64(%rdi)\n"
	".endr\n"
	".irp k, 0,1,2,3,4,5,6,7\n"
	"	kmovw %k\\k, 32*64+\\k*2(%rdi)\n"
	".endr\n"
	"	vzeroupper\n"
	"	ret\n"
	END ("live_avx512"));
/* clang-format on */

static void work (unsigned which, void *out, void (*live) (void *, uint64_t), size_t bytes)
{
	uint64_t regs[(32 * 64 + 16) / 8], state = which * 17 + 1;

	for (size_t i = 0; i < bytes / 8; i++)
		regs[i] = next_random (&state);
	live (regs, 10000);
	memcpy (out, regs, bytes);
}

static void sse (unsigned which, void *out)
{
	work (which, out, live_sse, 16 * 16);
}

static void avx2 (unsigned which, void *out)
{
	work (which, out, live_avx2, 16 * 32);
}

static void avx512 (unsigned which, void *out)
{
	work (which, out, live_avx512, 32 * 64 + 16);
}

static const struct torture with_sse = { .work = sse, .size = 256, .yielded = 1500 };
static const struct torture with_avx2 = { .work = avx2, .size = 512, .yielded = 1500 };
static const struct torture with_avx512 = { .work = avx512, .size = 2064, .yielded = 1500 };

Test (torture_vector, sse, .timeout = 60)
{
	torture_auto (&with_sse);
	torture_handoff (&with_sse);
}

Test (torture_vector, avx2, .timeout = 60)
{
	if (!__builtin_cpu_supports ("avx2"))
		cr_skip ("this CPU has no AVX2");
	torture_auto (&with_avx2);
}

Test (torture_vector, avx2_handed_off, .timeout = 60)
{
	if (!__builtin_cpu_supports ("avx2"))
		cr_skip ("this CPU has no AVX2");
	torture_handoff (&with_avx2);
}

Test (torture_vector, avx512, .timeout = 60)
{
	if (!__builtin_cpu_supports ("avx512f"))
		cr_skip ("this CPU has no AVX-512");
	torture_auto (&with_avx512);
}

Test (torture_vector, avx512_handed_off, .timeout = 60)
{
	if (!__builtin_cpu_supports ("avx512f"))
		cr_skip ("this CPU has no AVX-512");
	torture_handoff (&with_avx512);
}
