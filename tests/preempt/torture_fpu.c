/* SPDX-License-Identifier: MIT */
/* tests/preempt/torture_fpu.c - the x87 stack and control word, rounding modes, MXCSR */
#include "tests/preempt/torture.h"

#include <fenv.h>
#include <math.h>

static const int modes[] = { FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO };

static uint16_t x87_control (void)
{
	uint16_t cw;

	__asm__ volatile("fnstcw %0" : "=m"(cw));
	return cw;
}

static void set_x87_control (uint16_t cw)
{
	__asm__ volatile("fldcw %0" : : "m"(cw));
}

static uint32_t mxcsr (void)
{
	uint32_t v;

	__asm__ volatile("stmxcsr %0" : "=m"(v));
	return v;
}

static void set_mxcsr (uint32_t v)
{
	__asm__ volatile("ldmxcsr %0" : : "m"(v));
}

/* Six values on the x87 stack for the whole loop. */
static long double on_the_x87_stack (unsigned which, unsigned rounds)
{
	static const long double step = 1.0000001L, third = 1.0L / 3;
	long double sum, seed = which + 1;

	__asm__ volatile("fldt %[third]\n\tfldt %[step]\n\tfldt %[seed]\n\tfld1\n\tfldpi\n\tfldl2e\n"
	                 "1:\tfmul %%st(4), %%st\n\t"
	                 "fadd %%st, %%st(1)\n\t"
	                 "fxch %%st(2)\n\t"
	                 "fmul %%st(5), %%st\n\t"
	                 "fadd %%st(3), %%st\n\t"
	                 "fxch %%st(1)\n\t"
	                 "fmul %%st(5), %%st\n\t"
	                 "decl %[n]\n\t"
	                 "jnz 1b\n\t"
	                 "faddp\n\tfaddp\n\tfaddp\n\tfaddp\n\tfaddp\n\t"
	                 "fstpt %[sum]"
	                 : [sum] "=m"(sum), [n] "+r"(rounds)
	                 : [third] "m"(third), [step] "m"(step), [seed] "m"(seed)
	                 : "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)", "cc");
	return sum;
}

/* The sum depends on every rounding. */
static __attribute__ ((noinline)) double rounded_sum (unsigned rounds)
{
	volatile double third = 1.0 / 3;
	double sum = 0;

	for (unsigned i = 1; i <= rounds; i++)
		sum += third / i;
	return sum;
}

static void compute (unsigned which, void *out)
{
	uint16_t before = x87_control ();
	uint32_t sse_before = mxcsr ();
	unsigned char *result = out;
	long double x;
	double d;
	uint32_t control;

	memset (out, 0, 64);
	fesetround (modes[which % 4]);
	/* Precision: extended, double, single. */
	set_x87_control ((uint16_t) ((x87_control () & ~0x300u) | (which % 3 == 0   ? 0x300u
	                                                           : which % 3 == 1 ? 0x200u
	                                                                            : 0u)));
	/* Denormals as zero and flushed, for half of them. */
	set_mxcsr ((mxcsr () & ~0x8040u & ~0x3fu) | (which & 1 ? 0x8040u : 0));
	x = on_the_x87_stack (which, 60000);
	memcpy (result, &x, 10);
	d = rounded_sum (60000);
	memcpy (result + 16, &d, 8);
	d = (double) which * 4e-320;
	d = *(volatile double *) &d / 2;
	memcpy (result + 24, &d, 8);
	control = x87_control ();
	memcpy (result + 32, &control, 4);
	control = mxcsr ();
	memcpy (result + 36, &control, 4);
	control = (uint32_t) fegetround ();
	memcpy (result + 40, &control, 4);
	set_x87_control (before);
	set_mxcsr (sse_before);
}

static const struct torture t = { .work = compute, .size = 64, .tasks = 8, .yielded = 1000 };

Test (torture_fpu, chosen, .timeout = 60)
{
	torture_auto (&t);
}

Test (torture_fpu, handed_off, .timeout = 60)
{
	torture_handoff (&t);
}

/* libm's functions, which are scanned. */
static void transcend (unsigned which, void *out)
{
	double sum[4] = { 0, 0, 0, 0 };

	for (int i = 1; i < 3000; i++) {
		double x = (double) (which + 1) * i / 7;

		sum[0] += sin (x) * cos (x);
		sum[1] += exp (-x / 1000);
		sum[2] += atan2 (x, i) + cbrt (x);
		sum[3] += pow (x, 0.3) + tgamma (1 + 1 / x);
	}
	memcpy (out, sum, sizeof sum);
}

static const struct torture libm = { .work = transcend, .size = 32, .yielded = 500 };

Test (torture_fpu, libm, .timeout = 60)
{
	torture_auto (&libm);
}

Test (torture_fpu, libm_handed_off, .timeout = 60)
{
	torture_handoff (&libm);
}
