/* SPDX-License-Identifier: MIT */
/* The context switch: what the System V ABI lets a callee keep, on the stack.
 *
 * A saved context is its stack pointer; from there upwards lie (see arch.h)
 *	0 r15, 8 r14, 16 r13, 24 r12, 32 rbx, 40 rbp, 48 PC
 * MXCSR and the x87 control word are kept by the caller (arch.h, struct goad__fp).
 */
	.text

/* void goad__switch (void **save_sp, void *to_sp)
 *
 * It ends in a ret, not a jump: nearly all switches are left from the same few call
 * sites that they are entered from, so the return stack predicts right, and stays in
 * step for the returns that follow.  With a jump each of those missed (5 ns here).
 *
 * A coroutine's first switch is a jump, for no call belongs to it: a ret would take the
 * place of the one from which some other left, and each return up from there would miss.
 * For the same reason the last switch of a coroutine is no call (goad__switch_last), nor
 * is what leads to it (goad__g_start).  So who makes a coroutine, joins it, and is
 * switched back to at its end returns as if it had called a function. */
	.globl	goad__switch
	.hidden	goad__switch
	.type	goad__switch, @function
	.p2align 6
goad__switch:
	.cfi_startproc
	pushq	%rbp
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %rbp, 0
	pushq	%rbx
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %rbx, 0
	pushq	%r12
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %r12, 0
	pushq	%r13
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %r13, 0
	pushq	%r14
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %r14, 0
	pushq	%r15
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %r15, 0
	movq	%rsp, (%rdi)
	movq	%rsi, %rsp
.Lresume:
	leaq	goad__g_start(%rip), %rcx
	popq	%r15
	.cfi_adjust_cfa_offset -8
	.cfi_restore %r15
	popq	%r14
	.cfi_adjust_cfa_offset -8
	.cfi_restore %r14
	popq	%r13
	.cfi_adjust_cfa_offset -8
	.cfi_restore %r13
	popq	%r12
	.cfi_adjust_cfa_offset -8
	.cfi_restore %r12
	popq	%rbx
	.cfi_adjust_cfa_offset -8
	.cfi_restore %rbx
	popq	%rbp
	.cfi_adjust_cfa_offset -8
	.cfi_restore %rbp
	cmpq	%rcx, (%rsp)
	je	1f
	ret
1:	addq	$8, %rsp
	.cfi_adjust_cfa_offset -8
	.cfi_undefined %rip
	jmp	goad__g_start
	.cfi_endproc
	.size	goad__switch, . - goad__switch

/* void goad__switch_last (void *to_sp): what is left here is never come back to.  Jumped
 * to, not called: see goad__switch_away (arch.h). */
	.globl	goad__switch_last
	.hidden	goad__switch_last
	.type	goad__switch_last, @function
	.p2align 4
goad__switch_last:
	.cfi_startproc
	.cfi_undefined %rip
	movq	%rdi, %rsp
	jmp	.Lresume
	.cfi_endproc
	.size	goad__switch_last, . - goad__switch_last

/* The bottom frame of each coroutine: rbx holds what goad__g_main is given.  Its
 * undefined return address ends every unwind: gdb, perf, libunwind, C++. */
	.globl	goad__g_start
	.hidden	goad__g_start
	.type	goad__g_start, @function
	.p2align 4
goad__g_start:
	.cfi_startproc
	.cfi_undefined %rip
	xorl	%ebp, %ebp
	movq	%rbx, %rdi
	call	goad__g_main
	leaq	1f(%rip), %rax	/* a call, but for the return stack */
	pushq	%rax
	.cfi_adjust_cfa_offset 8
	jmp	goad__sched_exit
1:	ud2
	.cfi_endproc
	.size	goad__g_start, . - goad__g_start

	.section .note.GNU-stack, "", @progbits
