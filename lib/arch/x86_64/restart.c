/* SPDX-License-Identifier: MIT */
/* A system call that our signal broke off begins again
 *
 * SA_RESTART has the kernel do so for read, wait, futex and most others, but never for
 * poll and its like nor for sleeps: these return EINTR, which a program that sends itself
 * no signals need not expect.  sysmon signals nobody whom it sees asleep; but who is seen
 * computing may be in such a call by the time that the signal comes.
 *
 * So the handler sets the interrupted code back to before the call, where that does just
 * what the first call would have gone on to do: it has no time limit, or an absolute one,
 * or one that the kernel has brought up to date; and it does not open the signal mask, as
 * who does that waits for signals, and another one may have come along with ours.  All
 * that the kernel leaves of the call's number is in the code: "mov $n, %eax; syscall".
 *
 * A limit that counts from the call begins again too, and with it the wait: it ends later
 * by the time that the first call has lasted, which is less than what has passed since the
 * thread was seen computing.  That is the way of a signal, some ten microseconds, and on a
 * busy host the time until a thread gets its CPU; by that much any such wait may end late.
 * Where it is more than LITTLE, and no small part of the limit, the call returns EINTR.
 *
 * The kernel builds the frames of several signals one upon the other: only the lowest is
 * at the call, the others are at a handler's first instruction and left alone here.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#include "arch.h"

#define LENGTH 7 /* of the two instructions */

#define LITTLE 200000u /* ns */
#define PART 16u       /* of the limit */

/* ns have passed since it computed. */
static bool may_be_later (uint64_t limit, uint64_t ns)
{
	return ns <= LITTLE || ns <= limit / PART;
}

static bool ms_may_be_later (greg_t ms, uint64_t ns)
{
	return (int32_t) ms < 0 || may_be_later ((uint64_t) (int32_t) ms * 1000000u, ns);
}

/* The kernel has just read it. */
static bool ts_may_be_later (greg_t at, uint64_t ns)
{
	struct timespec ts;

	memcpy (&ts, (const void *) at, sizeof ts);
	return may_be_later ((uint64_t) ts.tv_sec * 1000000000u + (uint64_t) ts.tv_nsec, ns);
}

static bool goes_on (uint32_t number, const greg_t *r, uint64_t ns)
{
	switch (number) {
	case SYS_poll:
		return ms_may_be_later (r[REG_RDX], ns);
	case SYS_ppoll: /* the time that is left is in *rdx */
		return r[REG_R10] == 0;
	case SYS_select: /* in *r8 */
		return true;
	case SYS_pselect6:
		return r[REG_R9] == 0;
	case SYS_epoll_wait:
		return ms_may_be_later (r[REG_R10], ns);
	case SYS_epoll_pwait:
		return r[REG_R8] == 0 && ms_may_be_later (r[REG_R10], ns);
	case SYS_nanosleep: /* perhaps what is left has been written over what was asked for */
		return (r[REG_RSI] != 0 && r[REG_RSI] == r[REG_RDI]) || ts_may_be_later (r[REG_RDI], ns);
	case SYS_clock_nanosleep:
		return (r[REG_RSI] & TIMER_ABSTIME) || (r[REG_R10] != 0 && r[REG_R10] == r[REG_RDX]) ||
		       ts_may_be_later (r[REG_RDX], ns);
	default:
		return false;
	}
}

bool goad__arch_restart (ucontext_t *uc, uint64_t ns)
{
	greg_t *r = uc->uc_mcontext.gregs;
	uintptr_t pc = (uintptr_t) r[REG_RIP];
	unsigned char code[LENGTH];
	uint32_t number;

	/* What is before it in the same page can be read. */
	if (r[REG_RAX] != -EINTR || pc % GOAD__PAGE < LENGTH)
		return false;
	memcpy (code, (const void *) (pc - LENGTH), LENGTH);
	if (code[0] != 0xb8 || code[5] != 0x0f || code[6] != 0x05)
		return false;
	memcpy (&number, code + 1, sizeof number);
	if (!goes_on (number, r, ns))
		return false;
	r[REG_RIP] -= LENGTH;
	return true;
}
