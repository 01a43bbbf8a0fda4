/* SPDX-License-Identifier: MIT */
/* tests/preempt/torture_tls.c - __thread data: what uses it stays on its thread */
#include "tests/preempt/so/so.h"
#include "tests/preempt/torture.h"

#include <dlfcn.h>
#include <pthread.h>

static __thread uint64_t own;
static __thread uint64_t table[64];
static pthread_key_t key;

/* The address of own may be kept in a register over each loop. */
static void use_thread_local (unsigned which, void *out)
{
	uint64_t sum = 0;

	own = which + 1;
	for (int i = 0; i < 20000; i++) {
		own = own * UINT64_C (6364136223846793005) + 1442695040888963407;
		table[i % 64] = own;
		sum += table[(i * 7) % 64 > i % 64 ? i % 64 : (i * 7) % 64] ^ own;
	}
	/* What was left in the table by who was here before does not count. */
	memset (table, 0, sizeof table);
	for (int i = 0; i < 20000; i++) {
		table[i % 64] += own >> (i % 13);
		sum = sum * 31 + table[i % 64];
		own ^= own << 7;
		own ^= own >> 9;
	}
	*(uint64_t *) out = sum ^ own;
}

/* The address is handed to a function that knows nothing of it. */
static __attribute__ ((noinline)) uint64_t work_on (uint64_t *p, unsigned rounds)
{
	uint64_t before = *p;

	while (rounds-- > 0) {
		*p = *p * UINT64_C (6364136223846793005) + 99;
		__asm__ volatile("" ::: "memory");
	}
	return before ^ *p;
}

static void pass_address (unsigned which, void *out)
{
	uint64_t sum = 0;

	own = which;
	for (int i = 0; i < 20; i++)
		sum += work_on (&own, 5000);
	*(uint64_t *) out = sum;
}

/* pthread_getspecific: a value of the thread's that no instruction at hand touches. */
static void use_specific (unsigned which, void *out)
{
	uint64_t mine = which, sum = 0;

	pthread_setspecific (key, &mine);
	for (int i = 0; i < 20; i++) {
		sum += work_on (&mine, 3000);
		sum += *(uint64_t *) pthread_getspecific (key);
		sum ^= (uint64_t) (pthread_getspecific (key) == &mine);
	}
	*(uint64_t *) out = sum;
}

/* A shared object's, through __tls_get_addr. */
static so_work in_object;

static void use_object (unsigned which, void *out)
{
	*(uint64_t *) out = in_object (which, 20000);
}

/* This program has a PT_TLS segment, so all of it is bound unless it says otherwise.  A
 * coroutine may still yield before its first line: no frame there is this program's. */
static void expect_only_handed_off (const struct torture *t)
{
	torture_auto (t);
	cr_expect_eq (torture_yielded (t), 0);
}

static const struct torture locals = {
	.work = use_thread_local, .size = 8, .handed_off = 2000, .bound = true
};
static const struct torture passed = {
	.work = pass_address, .size = 8, .handed_off = 2000, .bound = true
};
static const struct torture specific = {
	.work = use_specific, .size = 8, .handed_off = 2000, .bound = true
};
static const struct torture object = {
	.work = use_object, .size = 8, .handed_off = 2000, .bound = true
};

Test (torture_tls, own_program, .timeout = 60)
{
	expect_only_handed_off (&locals);
	expect_only_handed_off (&passed);
}

Test (torture_tls, specific_data, .timeout = 60)
{
	cr_assert_eq (pthread_key_create (&key, NULL), 0);
	expect_only_handed_off (&specific);
}

Test (torture_tls, shared_object, .timeout = 60)
{
	void *handle = dlopen (so_path ("tls"), RTLD_NOW);

	if (handle == NULL)
		cr_skip ("no %s: %s", so_path ("tls"), dlerror ());
	in_object = (so_work) (uintptr_t) dlsym (handle, "so_work_tls");
	cr_assert_not_null (in_object);
	expect_only_handed_off (&object);
}

/* With the program called thread-independent each function is still looked at, and
 * these two touch the FS segment. */
Test (torture_tls, each_function_is_looked_at, .timeout = 60)
{
	struct torture t = locals;

	t.bound = false;
	t.handed_off = 1500;
	torture_auto (&t);
	t = passed;
	t.bound = false;
	t.handed_off = 1500;
	torture_auto (&t);
}
