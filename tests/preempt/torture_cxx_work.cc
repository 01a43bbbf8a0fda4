/* SPDX-License-Identifier: MIT */
/* tests/preempt/torture_cxx_work.cc - throwing, catching, unwinding */
#include "tests/preempt/torture_cxx.h"

#include <cstdint>
#include <exception>
#include <stdexcept>
#include <string>

namespace {

struct counted {
	uint64_t &n;
	explicit counted (uint64_t &count) : n (count)
	{
	}
	~counted ()
	{
		n = n * 3 + 1;
	}
};

struct thrown {
	unsigned depth;
	uint64_t key;
};

uint64_t spin (uint64_t x, unsigned rounds)
{
	while (rounds-- > 0)
		x = x * UINT64_C (6364136223846793005) + 1442695040888963407;
	return x;
}

__attribute__ ((noinline)) void dive (unsigned depth, uint64_t key, uint64_t &unwound)
{
	counted c (unwound);

	if (depth == 0) {
		if (key % 3 == 0)
			throw std::runtime_error (std::to_string (key));
		throw thrown{ depth, key };
	}
	dive (depth - 1, spin (key, 50), unwound);
	unwound += 1000; /* never reached */
}

} // namespace

void cxx_throw_and_catch (unsigned which, void *out)
{
	uint64_t unwound = 0, sum = 0;

	for (unsigned depth = 1; depth < 40; depth += 3) {
		try {
			dive (depth, which + depth, unwound);
		} catch (const thrown &t) {
			sum += spin (t.key, 500);
			try {
				dive (depth / 2, t.key + 1, unwound);
			} catch (const std::exception &e) {
				sum ^= std::stoull (e.what ()) * 7;
			} catch (...) {
				sum += spin (sum, 300);
			}
		} catch (const std::exception &e) {
			sum ^= spin (std::stoull (e.what ()), 500);
		}
		sum = spin (sum, 100);
	}
	static_cast<uint64_t *> (out)[0] = sum;
	static_cast<uint64_t *> (out)[1] = unwound;
}

unsigned cxx_switch_in_catch (unsigned which, void (*sw) (void))
{
	unsigned wrong = 0;

	for (unsigned i = 0; i < 300; i++) {
		const uint64_t key = which * 1000 + i;

		try {
			try {
				throw thrown{ i, key };
			} catch (const thrown &outer) {
				sw ();
				wrong += outer.key != key || std::uncaught_exceptions () != 0;
				try {
					throw std::runtime_error (std::to_string (key));
				} catch (const std::exception &inner) {
					sw ();
					wrong += std::stoull (inner.what ()) != key;
				}
				sw ();
				/* The handler's own exception is still the current one. */
				throw;
			}
		} catch (const thrown &again) {
			sw ();
			wrong += again.key != key || again.depth != i;
			wrong += !std::current_exception ();
		} catch (...) {
			wrong += 1000;
		}
		wrong += !!std::current_exception ();
		sw ();
	}
	return wrong;
}

unsigned cxx_run_in_catch (void (*run) (void))
{
	unsigned wrong = 0;

	try {
		try {
			throw thrown{ 1, 2 };
		} catch (const thrown &) {
			run ();
			wrong += !std::current_exception ();
			throw;
		}
	} catch (const thrown &again) {
		wrong += again.depth != 1 || again.key != 2;
		run ();
		wrong += !std::current_exception ();
	}
	wrong += !!std::current_exception ();
	return wrong;
}

void cxx_throw_uncaught (void *)
{
	throw std::runtime_error ("nobody");
}
