/* SPDX-License-Identifier: MIT */
/* tests/api/stack.c - stacks: their size, their contents, their overflow */
#include "tests/harness.h"
#include "tests/support.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *volatile nowhere;
static volatile bool deeper = true;

/* Each frame keeps a pattern and checks it on the way back. */
static __attribute__ ((noinline)) unsigned descend (size_t bytes, unsigned key)
{
	volatile unsigned char frame[512];
	unsigned sum = key;

	for (size_t i = 0; i < sizeof frame; i += 64)
		frame[i] = (unsigned char) (key + i);
	if (bytes > 640)
		sum += descend (bytes - 640, key * 31 + 7);
	else
		goad_yield ();
	for (size_t i = 0; i < sizeof frame; i += 64)
		claim_eq (frame[i], (unsigned char) (key + i));
	return sum;
}

struct depth {
	size_t size, use;
};

static void use_stack (void *arg)
{
	struct depth *d = arg;

	for (int i = 0; i < 3; i++)
		claim (descend (d->use, (unsigned) (uintptr_t) arg) != 1);
	claim_eq ((uintptr_t) __builtin_frame_address (0) % 16, 0);
}

static void depths (void *arg)
{
	static struct depth all[] = {
		{ 0, 200 << 10 },       { 0, 4096 },
		{ 16 << 10, 8 << 10 },  { 64 << 10, 48 << 10 },
		{ 1 << 20, 900 << 10 }, { 8 << 20, 7 << 20 },
		{ 64 << 20, 60 << 20 }, { 100 * 1000, 80 * 1000 },
		{ 0, 200 << 10 },       { 0, 200 << 10 },
	};
	enum { N = sizeof all / sizeof *all };
	goad_task_t *task[N];

	(void) arg;
	for (int i = 0; i < N; i++) {
		goad_attr_t attr = GOAD_ATTR_INIT;

		attr.stack_size = all[i].size;
		claim_eq (goad_spawn (&task[i], &attr, use_stack, &all[i]), 0);
	}
	for (int i = 0; i < N; i++)
		claim_eq (goad_join (task[i]), 0);
}

Test (stack, deep_recursion_within_the_size, .timeout = 20, .disabled = TEST_SLOW)
{
	for (int procs = 1; procs <= 2; procs++)
		cr_assert_eq (run_main (depths, NULL, procs, 0, 0), 0);
	claims_assert ();
}

static void use_config_size (void *arg)
{
	(void) arg;
	claim (descend (1800 << 10, 5) != 1);
}

Test (stack, size_from_the_config, .timeout = 10, .disabled = TEST_SLOW)
{
	goad_config_t cfg = config_of (2, 0, 0);

	cfg.stack_size = 2 << 20;
	cr_assert_eq (goad_main (use_config_size, NULL, &cfg), 0);
	claims_assert ();
}

/* What calls with aligned vector stores meet at the entry. */
static void check_alignment (void *arg)
{
	_Alignas(64) volatile char vector[64];

	(void) arg;
	vector[0] = 1;
	claim_eq ((uintptr_t) &vector[0] % 64, 0);
	claim_eq ((uintptr_t) __builtin_frame_address (0) % 16, 0);
}

Test (stack, aligned_at_the_entry, .timeout = 10)
{
	cr_assert_eq (run_main (check_alignment, NULL, 1, 0, 0), 0);
	claims_assert ();
}

/* Overflow. */

static __attribute__ ((noinline)) size_t overflow (size_t n)
{
	volatile char frame[256];

	frame[n % sizeof frame] = 1;
	return deeper ? overflow (n + 1) + (size_t) frame[0] : n;
}

static void fall (void *arg)
{
	(void) arg;
	printf ("id=%llu\n", (unsigned long long) goad_id ());
	(void) overflow (0);
}

static void spawn_faller (void *arg)
{
	goad_attr_t attr = GOAD_ATTR_INIT;
	goad_task_t *task;

	attr.name = "digger";
	attr.stack_size = *(size_t *) arg;
	for (int i = 0; i < 5; i++)
		goad_go (check_alignment, NULL);
	if (goad_spawn (&task, &attr, fall, NULL) == 0)
		goad_join (task);
}

static void overflow_main (void *arg)
{
	run_main (spawn_faller, arg, 2, 0, 0);
}

static void expect_overflow (size_t size, const char *bytes, const char *kib)
{
	char out[16384], id[64];
	int status = child_run (overflow_main, &size, 20, out, sizeof out);
	const char *line, *end;
	unsigned long long number = 0;
	char text[1024];

	cr_assert (child_signalled (status, SIGSEGV), "status %#x: %s", status, out);
	cr_assert_eq (sscanf (out, "id=%llu", &number), 1);
	line = strstr (out, "stack overflow");
	cr_assert (line != NULL, "said '%s'", out);
	while (line > out && line[-1] != '\n')
		line--;
	end = strchr (line, '\n');
	cr_assert (end != NULL, "said '%s'", out);
	snprintf (text, sizeof text, "%.*s", (int) (end - line), line);
	snprintf (id, sizeof id, "%llu", number);
	cr_expect (strstr (text, "digger") != NULL, "no name in '%s'", text);
	cr_expect (strstr (text, id) != NULL, "no id %s in '%s'", id, text);
	cr_expect (strstr (text, bytes) || strstr (text, kib), "no size in '%s'", text);
	cr_expect (end[1] != '\0', "no backtrace after '%s'", text);
}

Test (stack, overflow_is_told, .timeout = 60, .disabled = TEST_SLOW)
{
	expect_overflow (64 << 10, "65536", "64 KiB");
	expect_overflow (1 << 20, "1048576", "1024 KiB");
	expect_overflow (16 << 10, "16384", "16 KiB");
}

/* Other faults are left to whoever handled them before. */

__attribute__ ((no_sanitize ("undefined"))) static void fault (void *arg)
{
	(void) arg;
	*(volatile int *) nowhere = 1;
}

static void own_handler (int signo)
{
	_exit (signo == SIGSEGV ? 42 : 43);
}

static void fault_handled (void *arg)
{
	(void) arg;
	nowhere = NULL;
	signal (SIGSEGV, own_handler);
	run_main (fault, NULL, 2, 0, 0);
	_exit (44);
}

static void fault_plain (void *arg)
{
	(void) arg;
	nowhere = NULL;
	signal (SIGSEGV, SIG_DFL);
	run_main (fault, NULL, 2, 0, 0);
	_exit (44);
}

Test (stack, other_faults_go_to_the_old_handler, .timeout = 30, .disabled = TEST_SLOW)
{
	char out[8192];
	int status = child_run (fault_handled, NULL, 10, out, sizeof out);

	cr_assert (child_exited (status, 42), "status %#x: %s", status, out);
	cr_assert (strstr (out, "overflow") == NULL, "said '%s'", out);
	status = child_run (fault_plain, NULL, 10, out, sizeof out);
	cr_assert (child_signalled (status, SIGSEGV), "status %#x: %s", status, out);
	cr_assert (strstr (out, "overflow") == NULL, "said '%s'", out);
}
