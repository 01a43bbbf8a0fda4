/* SPDX-License-Identifier: MIT */
/* tests/harness.h - Criterion, or a plain runner with the part of it that the tests use
 *
 *	#include "tests/harness.h"
 *
 *	Test (suite, name, .timeout = 5)
 *	{
 *		cr_assert_eq (1 + 1, 2, "got %d", 1 + 1);
 *	}
 *
 * Compiled with -DGOAD_PLAIN_TESTS a test needs no Criterion, and all the tests
 * of a program run one after another in one process: Criterion executes a worker
 * for each, which ThreadSanitizer does not survive.  Either way tests/harness.c
 * is linked and has main, one test runs at a time, and the options and the
 * closing line are the same:
 *
 *	[====] Synthesis: Tested: 12 | Passing: 12 | Failing: 0 | Crashing: 0
 *
 * A failed cr_assert leaves the test by longjmp, and all of these use malloc and
 * stdio, so they belong to the thread that runs the test and never inside a
 * coroutine: a coroutine notes what it saw, the test asserts it afterwards.
 * Options: .timeout (seconds), .signal, .exit_code, .disabled, .init, .fini.
 */
#ifndef GOAD_TESTS_HARNESS_H
#define GOAD_TESTS_HARNESS_H

#include <stdbool.h>
#include <string.h>

#ifndef GOAD_PLAIN_TESTS

#include <criterion/criterion.h>

#else

struct harness_options {
	bool disabled;
	int signal;     /* the test passes if it dies of this one    */
	int exit_code;  /* the test passes if it exits with this one */
	double timeout; /* seconds; 0: none                          */
	void (*init) (void);
	void (*fini) (void);
	const char *description;
	int end;
};

struct harness_test {
	const char *suite, *name, *file;
	int line;
	void (*fn) (void);
	struct harness_options opt;
	struct harness_test *next;
};

void harness_register (struct harness_test *test);
void harness_check (bool fatal, bool held, const char *file, int line, const char *what,
                    const char *fmt, ...);
_Noreturn void harness_skip (const char *fmt, ...);

/* clang-format off */
#define Test(...) HARNESS_TEST_ (__VA_ARGS__, .end = 0)
#define HARNESS_TEST_(suite_, name_, ...)                                                       \
	static void suite_##_##name_##_impl (void);                                                 \
	static struct harness_test suite_##_##name_##_test = {                                      \
		.suite = #suite_, .name = #name_, .file = __FILE__, .line = __LINE__,                   \
		.fn = suite_##_##name_##_impl, .opt = { __VA_ARGS__ }                                   \
	};                                                                                          \
	__attribute__ ((constructor)) static void suite_##_##name_##_register (void)                \
	{                                                                                           \
		harness_register (&suite_##_##name_##_test);                                            \
	}                                                                                           \
	static void suite_##_##name_##_impl (void)

/* An empty format goes last, so that a message is optional; a spare argument of a
 * printf does no harm. */
#define HARNESS_(fatal, cond, what, ...) \
	harness_check (fatal, cond, __FILE__, __LINE__, what, __VA_ARGS__)
#define HARNESS_1_(fatal, a, ...)       HARNESS_ (fatal, !!(a), #a, __VA_ARGS__)
#define HARNESS_0_(fatal, a, ...)       HARNESS_ (fatal, !(a), "!(" #a ")", __VA_ARGS__)
#define HARNESS_2_(fatal, op, a, b, ...) \
	HARNESS_ (fatal, (a) op (b), #a " " #op " " #b, __VA_ARGS__)
#define HARNESS_S_(fatal, op, a, b, ...) \
	HARNESS_ (fatal, strcmp ((a), (b)) op 0, "strcmp (" #a ", " #b ") " #op " 0", __VA_ARGS__)
#define HARNESS_F_(fatal, a, b, eps, ...)                                   \
	HARNESS_ (fatal, (a) - (b) <= (eps) && (b) - (a) <= (eps), #a " ~ " #b, __VA_ARGS__)
#define HARNESS_A_(fatal, op, a, b, n, ...) \
	HARNESS_ (fatal, memcmp ((a), (b), (n)) op 0, "memcmp (" #a ", " #b ") " #op " 0", __VA_ARGS__)

#define cr_assert(...)          HARNESS_1_ (true, __VA_ARGS__, "")
#define cr_assert_not(...)      HARNESS_0_ (true, __VA_ARGS__, "")
#define cr_assert_fail(...)     HARNESS_ (true, false, "failed", "" __VA_ARGS__)
#define cr_assert_eq(...)       HARNESS_2_ (true, ==, __VA_ARGS__, "")
#define cr_assert_neq(...)      HARNESS_2_ (true, !=, __VA_ARGS__, "")
#define cr_assert_lt(...)       HARNESS_2_ (true, <, __VA_ARGS__, "")
#define cr_assert_leq(...)      HARNESS_2_ (true, <=, __VA_ARGS__, "")
#define cr_assert_gt(...)       HARNESS_2_ (true, >, __VA_ARGS__, "")
#define cr_assert_geq(...)      HARNESS_2_ (true, >=, __VA_ARGS__, "")
#define cr_assert_null(...)     HARNESS_0_ (true, __VA_ARGS__, "")
#define cr_assert_not_null(...) HARNESS_1_ (true, __VA_ARGS__, "")
#define cr_assert_str_eq(...)   HARNESS_S_ (true, ==, __VA_ARGS__, "")
#define cr_assert_str_neq(...)  HARNESS_S_ (true, !=, __VA_ARGS__, "")
#define cr_assert_float_eq(...) HARNESS_F_ (true, __VA_ARGS__, "")
#define cr_assert_arr_eq(...)   HARNESS_A_ (true, ==, __VA_ARGS__, "")
#define cr_assert_arr_neq(...)  HARNESS_A_ (true, !=, __VA_ARGS__, "")

#define cr_expect(...)          HARNESS_1_ (false, __VA_ARGS__, "")
#define cr_expect_not(...)      HARNESS_0_ (false, __VA_ARGS__, "")
#define cr_expect_fail(...)     HARNESS_ (false, false, "failed", "" __VA_ARGS__)
#define cr_expect_eq(...)       HARNESS_2_ (false, ==, __VA_ARGS__, "")
#define cr_expect_neq(...)      HARNESS_2_ (false, !=, __VA_ARGS__, "")
#define cr_expect_lt(...)       HARNESS_2_ (false, <, __VA_ARGS__, "")
#define cr_expect_leq(...)      HARNESS_2_ (false, <=, __VA_ARGS__, "")
#define cr_expect_gt(...)       HARNESS_2_ (false, >, __VA_ARGS__, "")
#define cr_expect_geq(...)      HARNESS_2_ (false, >=, __VA_ARGS__, "")
#define cr_expect_null(...)     HARNESS_0_ (false, __VA_ARGS__, "")
#define cr_expect_not_null(...) HARNESS_1_ (false, __VA_ARGS__, "")
#define cr_expect_str_eq(...)   HARNESS_S_ (false, ==, __VA_ARGS__, "")
#define cr_expect_str_neq(...)  HARNESS_S_ (false, !=, __VA_ARGS__, "")
#define cr_expect_float_eq(...) HARNESS_F_ (false, __VA_ARGS__, "")
#define cr_expect_arr_eq(...)   HARNESS_A_ (false, ==, __VA_ARGS__, "")
#define cr_expect_arr_neq(...)  HARNESS_A_ (false, !=, __VA_ARGS__, "")

#define cr_skip(...)      harness_skip ("" __VA_ARGS__)
#define cr_skip_test(...) harness_skip ("" __VA_ARGS__)
/* clang-format on */

#endif

#endif
