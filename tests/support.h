/* SPDX-License-Identifier: MIT */
/* tests/support.h - what the behaviour tests share
 *
 * Nothing here but claims_assert may be used to end a test from inside a
 * coroutine: there a test says claim (cond), and asserts the lot when goad_main
 * has returned.
 */
#ifndef GOAD_TESTS_SUPPORT_H
#define GOAD_TESTS_SUPPORT_H

#include <goad.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ROUND_UP_MS(ns) (((ns) + GOAD_MS - 1) / GOAD_MS)

/* Under a sanitizer or valgrind everything is slower and larger. */
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define TEST_SLOW 1
#elif defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define TEST_SLOW 1
#endif
#endif
#ifndef TEST_SLOW
#define TEST_SLOW 0
#endif

#if defined __SANITIZE_THREAD__
#define TEST_TSAN 1
#elif defined __has_feature
#if __has_feature(thread_sanitizer)
#define TEST_TSAN 1
#endif
#endif
#ifndef TEST_TSAN
#define TEST_TSAN 0
#endif

/* Claims: the first sixteen that did not hold are kept, with where and what. */
#define claim(cond) ((cond) ? (void) 0 : claim_broken (__FILE__, __LINE__, #cond, 0, 0))
#define claim_eq(a, b) \
	claim_eq_ (__FILE__, __LINE__, #a " == " #b, (long long) (a), (long long) (b))
void claim_broken (const char *file, int line, const char *what, long long a, long long b);
void claim_eq_ (const char *file, int line, const char *what, long long a, long long b);
const char *claims_text (void); /* "" when all held; forgets them at the next call */
#define claims_assert()                                \
	do {                                               \
		const char *broken_ = claims_text ();          \
		cr_assert (broken_[0] == '\0', "%s", broken_); \
	} while (0)

/* A configuration that does not look at the environment. */
goad_config_t config_of (int procs, uint64_t quantum_ns, int preempt);
/* goad_main with it. */
int run_main (goad_fn fn, void *arg, int procs, uint64_t quantum_ns, int preempt);
/* The counters of the run that is on or was last. */
goad_stats_t stats_now (void);
/* What was counted between two looks: the counters only, not the levels. */
goad_stats_t stats_delta (const goad_stats_t *before, const goad_stats_t *after);

/* Says that the program, whose own code here leaves its thread alone, may be
 * yielded in place although Criterion, which it is linked to, may not. */
void program_scanned (void);

/* What ThreadSanitizer leaves of the preemptions that a test wants to see: libc may have
 * been called by its code, so that nothing is handed off there either. */
#define TEST_SOME(n) (TEST_TSAN ? (n) / 20 : (n))

/* Belongs into a loop around an atomic: ThreadSanitizer's code, which is never preempted,
 * would be nearly all of it otherwise. */
static inline void loop_apart (void)
{
	for (int i = 0; i < (TEST_TSAN ? 500 : 0); i++)
		__asm__ volatile("");
}

/* Hogs: coroutines that run for ever, with no call, until the flag is raised. */
struct hog {
	goad_task_t *task;
	const _Atomic int *stop;
	_Atomic uint64_t loops;
};
void hog_run (void *arg);
/* Spawns it; attr may be NULL. */
int hog_spawn (struct hog *h, const goad_attr_t *attr, const _Atomic int *stop);
/* n of them, and their end; *stop is 0 meanwhile. */
void hogs_begin (struct hog *h, int n, _Atomic int *stop);
void hogs_end (struct hog *h, int n, _Atomic int *stop);
/* Runs for that long without a call into goad but to read the clock. */
void spin_for (uint64_t ns);
/* Runs for that long with no call at all. */
void spin_loops (uint64_t loops);
uint64_t loops_per_ms (void);

/* Jain's index of n values: 1 when all are equal, 1/n when one has everything. */
double jain (const double *x, size_t n);

/* Waits until the flag is at least want, yielding (or sleeping) meanwhile. */
void await (const _Atomic int *flag, int want);

/* How this process stands, from /proc. */
struct census {
	int threads, fds, maps;
	size_t vm_kb;
};
struct census census_now (void);
/* The same once the kernel has let go of threads that have ended. */
struct census census_settled (int threads);
uint64_t process_cpu_ns (void);
size_t rss_bytes (void);

/* Time that the kernel or the hypervisor kept this process's threads from running,
 * although they could: what a test may be excused with. */
uint64_t host_delay_ns (void);

/* A bound on time did not hold by that much: the test says nothing, neither way, if the
 * host withheld more than that meanwhile. */
#define excuse(excess, host)                                                              \
	do {                                                                                  \
		double excess_ = (double) (excess), host_ = (double) (host);                      \
		if (excess_ > 0 && host_ > excess_)                                               \
			cr_skip ("inconclusive: %.1f ms too much, the host took %.1f", excess_ / 1e6, \
			         host_ / 1e6);                                                        \
	} while (0)

/* Runs fn in a forked child with default signal actions, its stdout and stderr in
 * out; returns waitpid's status, or -1 when it had to be killed after timeout. */
int child_run (void (*fn) (void *), void *arg, double timeout, char *out, size_t size);
/* True if the child ended by that signal, or exited with that code. */
bool child_signalled (int status, int signo);
bool child_exited (int status, int code);

#endif
