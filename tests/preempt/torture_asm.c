/* SPDX-License-Identifier: MIT */
/* tests/preempt/torture_asm.c - a leaf that lives in the red zone, and a carry that lives in
 * the flags */
#include "tests/preempt/torture.h"

/* uint64_t red_zone_leaf (uint64_t seed, uint64_t rounds): sixteen words below the stack
 * pointer, which never moves, each rewritten from its neighbour. */
uint64_t red_zone_leaf (uint64_t seed, uint64_t rounds);

/* clang-format off */
__asm__ (
	".text\n"
	".p2align 4\n"
	".globl red_zone_leaf\n"
	".hidden red_zone_leaf\n"
	".type red_zone_leaf, @function\n"
	"red_zone_leaf:\n"
	".cfi_startproc\n"
	"	movabsq $0x5851f42d4c957f2d, %r8\n"
	"	movq $-16, %rcx\n"
	"1:	imulq %r8, %rdi\n"
	"	addq $1442695, %rdi\n"
	"	movq %rdi, (%rsp,%rcx,8)\n"
	"	incq %rcx\n"
	"	jnz 1b\n"
	"2:	movq -128(%rsp), %rax\n"
	"	movq $-16, %rcx\n"
	"3:	movq 8(%rsp,%rcx,8), %rdx\n"
	"	cmpq $-1, %rcx\n"
	"	cmoveq %rax, %rdx\n"
	"	rolq $7, %rdx\n"
	"	xorq (%rsp,%rcx,8), %rdx\n"
	"	imulq %r8, %rdx\n"
	"	movq %rdx, (%rsp,%rcx,8)\n"
	"	incq %rcx\n"
	"	jnz 3b\n"
	"	decq %rsi\n"
	"	jnz 2b\n"
	"	xorl %eax, %eax\n"
	"	movq $-16, %rcx\n"
	"4:	rolq $5, %rax\n"
	"	xorq (%rsp,%rcx,8), %rax\n"
	"	incq %rcx\n"
	"	jnz 4b\n"
	"	ret\n"
	".cfi_endproc\n"
	".size red_zone_leaf, . - red_zone_leaf\n");
/* clang-format on */

/* uint64_t carry_chain (uint64_t *sum, const uint64_t *add, uint64_t words): one long
 * addition; between two words the carry is nowhere but in CF, which lea and dec spare.
 * Returns the last carry. */
uint64_t carry_chain (uint64_t *sum, const uint64_t *add, uint64_t words);

/* clang-format off */
__asm__ (
	".text\n"
	".p2align 4\n"
	".globl carry_chain\n"
	".hidden carry_chain\n"
	".type carry_chain, @function\n"
	"carry_chain:\n"
	".cfi_startproc\n"
	"	xorl %eax, %eax\n"
	"1:	movq (%rsi), %r8\n"
	"	adcq %r8, (%rdi)\n"
	"	leaq 8(%rsi), %rsi\n"
	"	leaq 8(%rdi), %rdi\n"
	"	decq %rdx\n"
	"	jnz 1b\n"
	"	adcq $0, %rax\n"
	"	ret\n"
	".cfi_endproc\n"
	".size carry_chain, . - carry_chain\n");
/* clang-format on */

/* uint64_t backwards (uint64_t seed, uint64_t rounds, void *buf): string stores with the
 * direction flag set, in a buffer of 512 bytes; the flag is set while signals come. */
uint64_t backwards (uint64_t seed, uint64_t rounds, void *buf);

/* clang-format off */
__asm__ (
	".text\n"
	".p2align 4\n"
	".globl backwards\n"
	".hidden backwards\n"
	".type backwards, @function\n"
	"backwards:\n"
	".cfi_startproc\n"
	"	movq %rdi, %rax\n"
	"	movq %rdx, %r8\n"
	"	std\n"
	"1:	leaq 504(%r8), %rdi\n"
	"	movl $64, %ecx\n"
	"2:	imulq $1103515245, %rax, %rax\n"
	"	addq $12345, %rax\n"
	"	stosq\n"
	"	decl %ecx\n"
	"	jnz 2b\n"
	"	leaq 504(%r8), %rdi\n"
	"	xorq (%rdi), %rax\n"
	"	decq %rsi\n"
	"	jnz 1b\n"
	"	cld\n"
	"	ret\n"
	".cfi_endproc\n"
	".size backwards, . - backwards\n");
/* clang-format on */

static void red_zone (unsigned which, void *out)
{
	*(uint64_t *) out = red_zone_leaf (which + 1, 20000);
}

enum { WORDS = 4096 };

static void carry (unsigned which, void *out)
{
	static uint64_t sums[TORTURE_TASKS][WORDS], adds[TORTURE_TASKS][WORDS];
	uint64_t *sum = sums[which], *add = adds[which], state = which, carries = 0;

	/* All ones, so that most words pass a carry on. */
	for (int i = 0; i < WORDS; i++) {
		sum[i] = UINT64_MAX;
		add[i] = i % 64 ? 0 : next_random (&state) | 1;
	}
	for (int i = 0; i < 200; i++)
		carries += carry_chain (sum, add, WORDS);
	*(uint64_t *) out = fold (carries, sum, sizeof sums[0]);
}

static void direction (unsigned which, void *out)
{
	uint64_t buf[64], last = backwards (which + 1, 2000, buf);

	*(uint64_t *) out = fold (last, buf, sizeof buf);
}

static const struct torture in_red_zone = { .work = red_zone, .size = 8, .yielded = 1500 };

Test (torture_asm, red_zone, .timeout = 60)
{
	torture_auto (&in_red_zone);
}

Test (torture_asm, red_zone_handed_off, .timeout = 60)
{
	torture_handoff (&in_red_zone);
}

static const struct torture in_flags = { .work = carry, .size = 8, .yielded = 1500 };

Test (torture_asm, carry_flag, .timeout = 60)
{
	torture_auto (&in_flags);
}

Test (torture_asm, carry_flag_handed_off, .timeout = 60)
{
	torture_handoff (&in_flags);
}

static const struct torture backward = { .work = direction, .size = 8, .yielded = 1000 };

Test (torture_asm, direction_flag, .timeout = 60)
{
	torture_auto (&backward);
}

Test (torture_asm, direction_flag_handed_off, .timeout = 60)
{
	torture_handoff (&backward);
}
