/* SPDX-License-Identifier: MIT */
/* arch.h - x86-64: saved contexts, the injected call's frame, PC and SP of a signal */
#ifndef GOAD_ARCH_H
#define GOAD_ARCH_H

#include <ucontext.h>

#include "base/base.h"

/* switch.S */
void goad__switch (void **save_sp, void *to_sp);
void goad__switch_last (void *to_sp);
void goad__g_start (void);

/* The last switch of a coroutine, as it is best for the processor's return stack. */
_Noreturn static inline void goad__switch_away (void *to_sp)
{
	__asm__ volatile("jmp goad__switch_last" ::"D"(to_sp) : "memory");
	__builtin_unreachable ();
}

struct goad__context { /* what a saved stack pointer points to */
	uint64_t r15, r14, r13, r12, rbx, rbp, pc;
};

/* The control words that a coroutine keeps across calls.  They are read early in a
 * switch and looked at late, for reading takes 6 ns that other work can hide; and they
 * are loaded only when they differ, for a load serialises.  MXCSR's sticky exception
 * flags do not count: across a call they belong to nobody. */
struct goad__fp {
	uint32_t mxcsr;
	uint16_t fcw;
};

static inline void goad__fp_save (struct goad__fp *f)
{
	__asm__ volatile("stmxcsr %0" : "=m"(f->mxcsr));
	__asm__ volatile("fnstcw %0" : "=m"(f->fcw));
}

static inline void goad__fp_switch (const struct goad__fp *from, const struct goad__fp *to)
{
	if (__builtin_expect (((from->mxcsr ^ to->mxcsr) & 0xffc0) != 0, 0))
		__asm__ volatile("ldmxcsr %0" ::"m"(to->mxcsr));
	if (__builtin_expect (from->fcw != to->fcw, 0))
		__asm__ volatile("fldcw %0" ::"m"(to->fcw));
}

/* preempt.S.  The frame that goad__preempt_here is given: */
struct goad__frame {
	uint64_t rax, rdx, rcx, rbx, rsi, rdi, rbp;
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t flags, pc;
};

void goad_preempt_entry (void);
void goad__preempt_self (void);
void goad__sigreturn (void);
extern const char goad__preempt_entry_end[];

extern uint64_t goad__xsave_mask; /* components that are saved                     */
extern uint32_t goad__xsave_size; /* bytes they take                               */
extern uint32_t goad__xsave_kind; /* 0 FXSAVE, 1 XSAVE, 2 XSAVEC                   */

/* Looks at the processor once; GOAD_NO_XSAVEC=1 forces the next best. */
void goad__arch_init (void);

/* Stack that an injected call needs below the interrupted stack pointer. */
static inline size_t goad__arch_inject_room (void)
{
	return 128 + 8 + sizeof (struct goad__frame) + 64 + goad__xsave_size + 2048;
}

/* A stack on which goad__switch starts goad__g_start with arg. */
static inline void *goad__arch_make (void *top, void *arg)
{
	struct goad__context *c = (struct goad__context *) top - 1;

	c->r15 = c->r14 = c->r13 = c->r12 = c->rbp = 0;
	c->rbx = (uintptr_t) arg;
	c->pc = (uintptr_t) goad__g_start;
	return c;
}

static inline uintptr_t goad__arch_pc (const ucontext_t *uc)
{
	return (uintptr_t) uc->uc_mcontext.gregs[REG_RIP];
}

static inline uintptr_t goad__arch_sp (const ucontext_t *uc)
{
	return (uintptr_t) uc->uc_mcontext.gregs[REG_RSP];
}

/* Makes the interrupted code call goad_preempt_entry as soon as the handler has
 * returned. */
static inline void goad__arch_inject (ucontext_t *uc)
{
	uintptr_t sp = goad__arch_sp (uc) - 128 - 8;

	*(uintptr_t *) sp = goad__arch_pc (uc);
	uc->uc_mcontext.gregs[REG_RSP] = (greg_t) sp;
	uc->uc_mcontext.gregs[REG_RIP] = (greg_t) (uintptr_t) goad_preempt_entry;
}

/* restart.c: sets code that a signal found at the end of a system call that it broke off
 * back to its beginning, where that does no harm; it was seen computing so many ns ago, or
 * UINT64_MAX.  In the handler. */
bool goad__arch_restart (ucontext_t *uc, uint64_t ns);

/* In the DWARF order 0..15, then the PC. */
static inline void goad__arch_frame_regs (const struct goad__frame *f, uint64_t r[17])
{
	r[0] = f->rax, r[1] = f->rdx, r[2] = f->rcx, r[3] = f->rbx;
	r[4] = f->rsi, r[5] = f->rdi, r[6] = f->rbp, r[7] = (uintptr_t) (f + 1) + 128;
	r[8] = f->r8, r[9] = f->r9, r[10] = f->r10, r[11] = f->r11;
	r[12] = f->r12, r[13] = f->r13, r[14] = f->r14, r[15] = f->r15;
	r[16] = f->pc;
}

static inline void goad__arch_context_regs (const struct goad__context *c, uint64_t r[17])
{
	for (int i = 0; i < 17; i++)
		r[i] = 0;
	r[3] = c->rbx, r[6] = c->rbp, r[7] = (uintptr_t) (c + 1);
	r[12] = c->r12, r[13] = c->r13, r[14] = c->r14, r[15] = c->r15;
	r[16] = c->pc;
}

/* Those of whoever calls this, here: good for a walk as long as he does not return. */
static inline void goad__arch_here_regs (uint64_t r[17])
{
	for (int i = 0; i < 17; i++)
		r[i] = 0;
	__asm__ volatile("movq %%rbx, 24(%0)\n\t"
	                 "movq %%rbp, 48(%0)\n\t"
	                 "movq %%rsp, 56(%0)\n\t"
	                 "movq %%r12, 96(%0)\n\t"
	                 "movq %%r13, 104(%0)\n\t"
	                 "movq %%r14, 112(%0)\n\t"
	                 "movq %%r15, 120(%0)\n\t"
	                 "leaq 0f(%%rip), %%rax\n\t"
	                 "0: movq %%rax, 128(%0)" ::"r"(r)
	                 : "rax", "memory");
}

static inline void goad__arch_ucontext_regs (const ucontext_t *uc, uint64_t r[17])
{
	static const unsigned char order[17] = { REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI,
		                                     REG_RBP, REG_RSP, REG_R8,  REG_R9,  REG_R10, REG_R11,
		                                     REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP };
	for (int i = 0; i < 17; i++)
		r[i] = (uint64_t) uc->uc_mcontext.gregs[order[i]];
}

#endif
