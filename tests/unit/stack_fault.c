/* SPDX-License-Identifier: MIT */
/* stack_fault.c - the report of an overflow, and other faults going where they went before */
#include "runtime/fault.h"
#include "tests/harness.h"
#include "tests/unit/stack_kit.h"

#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

static struct stack *on; /* the stack that the thread is on, or NULL */
static ucontext_t back;

static bool ask (struct goad__fault_subject *out)
{
	if (!on)
		return false;
	*out = (struct goad__fault_subject){ .lo = (uintptr_t) on->lo,
		                                 .hi = (uintptr_t) on->hi,
		                                 .guard_lo = (uintptr_t) on->lo - GOAD__GUARD,
		                                 .id = 17,
		                                 .name = "digger",
		                                 .size = (size_t) (on->hi - on->lo) };
	return true;
}

/* Runs fn on a stack from the pool, with the handlers in place. */
static void run_on_stack (void (*fn) (void), size_t size)
{
	static char alt[64 << 10];
	static ucontext_t there;
	stack_t ss = { .ss_sp = alt, .ss_size = sizeof alt };

	goad__stack_init ();
	must (goad__fault_init (ask, NULL) == 0);
	must (sigaltstack (&ss, NULL) == 0);
	/* A frame that misses the guard must not find the stack below it mapped. */
	mprotect (get (NULL, size)->lo, size - GOAD__PAGE, PROT_NONE);
	on = get (NULL, size);
	getcontext (&there);
	there.uc_stack.ss_sp = on->lo;
	there.uc_stack.ss_size = (size_t) ((char *) goad__stack_top (on) - on->lo);
	there.uc_link = &back;
	makecontext (&there, fn, 0);
	swapcontext (&back, &there);
	on = NULL;
}

__attribute__ ((noinline)) static int dig (volatile char *above)
{
	volatile char here[200];

	here[0] = *above;
	return here[0] == 1 ? 0 : dig (here) + here[0];
}

static void dig_from_here (void)
{
	volatile char here[8] = { 0 };
	dig (here);
}

static void jump_over_the_guard (void)
{
	char here[30 << 10];

	/* The compiler must not see that a byte of it would do. */
	__asm__ volatile("movb $1, (%0)" ::"r"(here) : "memory");
}

static void read_page_0 (void)
{
	volatile int *low = (volatile int *) 16;
	__asm__ volatile("" : "+r"(low));
	dprintf (2, "%d", *low);
}

static void overflow (void)
{
	run_on_stack (dig_from_here, DEFAULT);
}

static void overflow_with_a_large_frame (void)
{
	run_on_stack (jump_over_the_guard, 16 * KIB);
}

static void fault_on_a_stack (void)
{
	run_on_stack (read_page_0, DEFAULT);
}

Test (stack_fault, an_overflow_is_named_and_kills)
{
	char *trace;

	cr_assert (child_dies_of (overflow, SIGSEGV) || SANITIZED, "%s", child_output);
	cr_assert_not_null (strstr (child_output, "goad: stack overflow in coroutine 17 'digger' "
	                                          "(stack size 262144 bytes; ask for more with "
	                                          "goad_attr_t.stack_size or GOAD_STACK_SIZE)\n"),
	                    "%s", child_output);
	trace = strstr (child_output, "goad:   #0 0x");
	cr_assert_not_null (trace, "%s", child_output);
	cr_assert_not_null (strstr (trace, "stack_fault+0x"), "%s", trace);
}

Test (stack_fault, a_large_frame_that_misses_the_guard_is_named_too)
{
	if (SANITIZED)
		cr_skip ("frames are not where they would be");
	cr_assert (child_dies_of (overflow_with_a_large_frame, SIGSEGV), "%s", child_output);
	cr_assert_not_null (strstr (child_output, "stack size 16384 bytes"), "%s", child_output);
}

Test (stack_fault, another_fault_has_its_default_action_and_no_words_of_ours)
{
	if (SANITIZED)
		cr_skip ("a sanitizer has an action of its own");
	cr_assert (child_dies_of (fault_on_a_stack, SIGSEGV), "%s", child_output);
	cr_assert_null (strstr (child_output, "goad:"), "%s", child_output);
}

/* ---- the handler that was there -------------------------------------------------------------- */

static sigjmp_buf leave;
static siginfo_t seen;
static void *seen_context;
static sigset_t seen_mask;
static volatile int calls;

static void program_handler (int signo, siginfo_t *info, void *context)
{
	(void) signo;
	calls++;
	seen = *info;
	seen_context = context;
	sigprocmask (SIG_BLOCK, NULL, &seen_mask);
	if (info->si_code > 0)
		siglongjmp (leave, 1);
}

static char *no_access;

static void install (int signo, int flags)
{
	struct sigaction a;

	memset (&a, 0, sizeof a);
	a.sa_sigaction = program_handler;
	a.sa_flags = SA_SIGINFO | flags;
	sigaddset (&a.sa_mask, SIGUSR2);
	must (sigaction (signo, &a, NULL) == 0);
	no_access = mmap (NULL, GOAD__PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void fault_at (char *p)
{
	if (sigsetjmp (leave, 1) == 0)
		*(volatile char *) p = 1;
}

static void chained (void)
{
	install (SIGSEGV, 0);
	must (goad__fault_init (ask, NULL) == 0);
	fault_at (no_access + 5);
	must (calls == 1 && seen.si_addr == no_access + 5 && seen.si_code == SEGV_ACCERR);
	must (seen_context != NULL);
	must (sigismember (&seen_mask, SIGSEGV) && sigismember (&seen_mask, SIGUSR2));
	fault_at (no_access);
	must (calls == 2);
	raise (SIGSEGV);
	must (calls == 3 && seen.si_code == SI_TKILL);
	sigprocmask (SIG_BLOCK, NULL, &seen_mask);
	must (!sigismember (&seen_mask, SIGSEGV) && !sigismember (&seen_mask, SIGUSR2));
}

static void chained_nodefer (void)
{
	install (SIGSEGV, SA_NODEFER);
	must (goad__fault_init (ask, NULL) == 0);
	fault_at (no_access);
	must (calls == 1 && !sigismember (&seen_mask, SIGSEGV));
	must (sigismember (&seen_mask, SIGUSR2));
}

static void chained_once (void)
{
	install (SIGSEGV, (int) SA_RESETHAND);
	must (goad__fault_init (ask, NULL) == 0);
	fault_at (no_access);
	dprintf (2, "once\n");
	fault_at (no_access);
	dprintf (2, "twice\n");
}

static void ignored (void)
{
	signal (SIGSEGV, SIG_IGN);
	must (goad__fault_init (ask, NULL) == 0);
	raise (SIGSEGV);
	dprintf (2, "sent: ignored\n");
	read_page_0 ();
}

static void sent (void)
{
	must (goad__fault_init (ask, NULL) == 0);
	raise (SIGBUS);
	dprintf (2, "survived\n");
}

Test (stack_fault, the_program_s_handler_is_called_as_before)
{
	if (ON_VALGRIND)
		cr_skip ("valgrind counts faults on purpose as errors of the child");
	cr_assert (child_succeeds (chained), "%s", child_output);
	cr_assert (child_succeeds (chained_nodefer), "%s", child_output);
}

Test (stack_fault, one_shot_handlers_ignored_and_sent_signals)
{
	cr_assert (child_dies_of (chained_once, SIGSEGV), "%s", child_output);
	cr_assert_str_eq (child_output, "once\n");
	cr_assert (child_dies_of (ignored, SIGSEGV), "%s", child_output);
	cr_assert_str_eq (child_output, "sent: ignored\n");
	cr_assert (child_dies_of (sent, SIGBUS), "%s", child_output);
	cr_assert_str_eq (child_output, "");
}

static void restored (void)
{
	struct sigaction before[2], after[2];

	install (SIGSEGV, SA_NODEFER | SA_RESTART);
	sigaction (SIGSEGV, NULL, &before[0]);
	sigaction (SIGBUS, NULL, &before[1]);
	for (int i = 0; i < 3; i++) {
		must (goad__fault_init (ask, NULL) == 0);
		goad__fault_fini ();
	}
	sigaction (SIGSEGV, NULL, &after[0]);
	sigaction (SIGBUS, NULL, &after[1]);
	for (int i = 0; i < 2; i++) {
		must (before[i].sa_flags == after[i].sa_flags);
		must (before[i].sa_sigaction == after[i].sa_sigaction);
		must (memcmp (&before[i].sa_mask, &after[i].sa_mask, 8) == 0);
	}
}

/* What the program installs meanwhile is its own business. */
static void replaced (void)
{
	struct sigaction now;

	must (goad__fault_init (ask, NULL) == 0);
	install (SIGSEGV, 0);
	goad__fault_fini ();
	sigaction (SIGSEGV, NULL, &now);
	must (now.sa_sigaction == program_handler);
	sigaction (SIGBUS, NULL, &now);
	must (now.sa_handler == SIG_DFL);
}

Test (stack_fault, afterwards_all_is_as_it_was)
{
	cr_assert (child_succeeds (restored), "%s", child_output);
	cr_assert (child_succeeds (replaced), "%s", child_output);
}
