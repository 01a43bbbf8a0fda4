/* SPDX-License-Identifier: MIT */
/* The injected call: where a coroutine that was interrupted at any instruction goes
 * when the signal handler has returned.
 *
 * On entry rsp is the interrupted rsp - 128 (the red zone) - 8, and the word there is
 * the interrupted PC; the thread counts as being in the runtime.  Everything is saved:
 * flags and integer registers in the order of arch.h's struct goad__frame, and the
 * extended state with the best instruction there is.  The C function may return on
 * another thread.
 *
 * goad__preempt_self enters the same way from a call, at a point where the runtime
 * finds on its way out that it was asked to stop.
 */
	.text

	.globl	goad__preempt_self
	.hidden	goad__preempt_self
	.type	goad__preempt_self, @function
	.p2align 4
goad__preempt_self:
	.cfi_startproc
	popq	%rax
	.cfi_adjust_cfa_offset -8
	.cfi_register %rip, %rax
	subq	$128, %rsp
	.cfi_adjust_cfa_offset 128
	pushq	%rax
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %rip, 0
	jmp	goad_preempt_entry
	.cfi_endproc
	.size	goad__preempt_self, . - goad__preempt_self

	.globl	goad_preempt_entry
	.hidden	goad_preempt_entry
	.type	goad_preempt_entry, @function
	.p2align 6
goad_preempt_entry:
	.cfi_startproc
	.cfi_signal_frame
	.cfi_def_cfa %rsp, 136
	.cfi_offset %rip, -136
	pushfq
	.cfi_adjust_cfa_offset 8
	.irp	r, r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rbx, rcx, rdx, rax
	pushq	%\r
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %\r, 0
	.endr
	cld
	movq	%rsp, %rbp
	.cfi_def_cfa_register %rbp
	movl	goad__xsave_size(%rip), %ecx
	leaq	-16(%rsp), %rsp /* -8: scratch */
	subq	%rcx, %rsp
	andq	$-64, %rsp
	movl	goad__xsave_mask(%rip), %eax
	movl	4+goad__xsave_mask(%rip), %edx
	movl	goad__xsave_kind(%rip), %ecx
	cmpl	$1, %ecx
	jb	3f
	/* the header must not carry bits of whatever lay here */
	xorl	%esi, %esi
	movq	%rsi, 512(%rsp)
	movq	%rsi, 520(%rsp)
	movq	%rsi, 528(%rsp)
	movq	%rsi, 536(%rsp)
	movq	%rsi, 544(%rsp)
	movq	%rsi, 552(%rsp)
	movq	%rsi, 560(%rsp)
	movq	%rsi, 568(%rsp)
	jne	2f
	xsave64	(%rsp)
	jmp	4f
2:	xsavec64 (%rsp)
	jmp	4f
3:	fxsave64 (%rsp)
4:	/* What runs next expects what the ABI promises a function: an empty x87 stack, and
	 * the control word that was; no upper halves that slow SSE code down. */
	fnstcw	-8(%rbp)
	fninit
	fldcw	-8(%rbp)
	testl	$4, goad__xsave_mask(%rip)
	jz	7f
	vzeroupper
7:	movq	%rbp, %rdi
	call	goad__preempt_here
	movl	goad__xsave_kind(%rip), %ecx
	testl	%ecx, %ecx
	jz	5f
	movl	goad__xsave_mask(%rip), %eax
	movl	4+goad__xsave_mask(%rip), %edx
	xrstor64 (%rsp)
	jmp	6f
5:	fxrstor64 (%rsp)
6:	movq	%rbp, %rsp
	.cfi_def_cfa_register %rsp
	.irp	r, rax, rdx, rcx, rbx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15
	popq	%\r
	.cfi_adjust_cfa_offset -8
	.cfi_restore %\r
	.endr
	popfq
	.cfi_adjust_cfa_offset -8
	ret	$128
	.cfi_endproc
	.globl	goad__preempt_entry_end
	.hidden	goad__preempt_entry_end
goad__preempt_entry_end:
	.size	goad_preempt_entry, . - goad_preempt_entry

/* The handler's return when it was installed by a raw rt_sigaction. */
	.globl	goad__sigreturn
	.hidden	goad__sigreturn
	.type	goad__sigreturn, @function
	.p2align 4
	nop
goad__sigreturn:
	movl	$15, %eax
	syscall
	.size	goad__sigreturn, . - goad__sigreturn

	.section .note.GNU-stack, "", @progbits
