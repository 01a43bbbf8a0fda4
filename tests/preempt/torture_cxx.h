/* SPDX-License-Identifier: MIT */
/* tests/preempt/torture_cxx.h - what torture_cxx_work.cc gives to the C side */
#ifndef GOAD_TESTS_TORTURE_CXX_H
#define GOAD_TESTS_TORTURE_CXX_H

#ifdef __cplusplus
extern "C" {
#endif

/* Throws and catches at many depths; two words of result. */
void cxx_throw_and_catch (unsigned which, void *out);
/* Calls sw inside catch blocks, nested and rethrown; returns how often something was
 * not as it had been left. */
unsigned cxx_switch_in_catch (unsigned which, void (*sw) (void));
/* Calls run inside a catch block, which has its exception still afterwards; returns how
 * often it was not so. */
unsigned cxx_run_in_catch (void (*run) (void));
/* Throws, and nobody catches. */
void cxx_throw_uncaught (void *arg);

#ifdef __cplusplus
}
#endif

#endif
