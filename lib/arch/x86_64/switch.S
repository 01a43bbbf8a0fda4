/* SPDX-License-Identifier: MIT */
/* The context switch: what the System V ABI lets a callee keep, on the stack.
 *
 * A saved context is its stack pointer; from there upwards lie (see arch.h)
 *	0 MXCSR, 4 x87 control word, 8 r15, 16 r14, 24 r13, 32 r12, 40 rbx, 48 rbp, 56 PC
 */
	.text

/* void goad__switch (void **save_sp, void *to_sp)
 *
 * Control words are loaded only when they differ: a load serialises (6 ns here).
 * MXCSR's sticky exception flags do not count, they belong to nobody across a call.
 * The jump instead of a ret: a ret would be predicted by the return stack, which
 * holds the other coroutine's callers, and always miss. */
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
	subq	$8, %rsp
	.cfi_adjust_cfa_offset 8
	stmxcsr	(%rsp)
	fnstcw	4(%rsp)
	movl	(%rsp), %eax
	movzwl	4(%rsp), %ecx
	movq	%rsp, (%rdi)
	movq	%rsi, %rsp
	xorl	(%rsp), %eax
	testl	$0xffc0, %eax
	jne	2f
1:	cmpw	4(%rsp), %cx
	jne	3f
4:	addq	$8, %rsp
	.cfi_adjust_cfa_offset -8
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
	popq	%rcx
	.cfi_adjust_cfa_offset -8
	.cfi_register %rip, %rcx
	jmp	*%rcx
	/* out of the way: the control words differ */
	.cfi_adjust_cfa_offset 64
	.cfi_offset %rip, -8
	.cfi_offset %rbp, -16
	.cfi_offset %rbx, -24
	.cfi_offset %r12, -32
	.cfi_offset %r13, -40
	.cfi_offset %r14, -48
	.cfi_offset %r15, -56
2:	ldmxcsr	(%rsp)
	jmp	1b
3:	fldcw	4(%rsp)
	jmp	4b
	.cfi_endproc
	.size	goad__switch, . - goad__switch

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
	ud2
	.cfi_endproc
	.size	goad__g_start, . - goad__g_start

	.section .note.GNU-stack, "", @progbits
