/* SPDX-License-Identifier: MIT */
/* tests/preempt/torture_regex.c - regcomp and regexec */
#include "tests/preempt/torture.h"

#include <regex.h>
#include <stdlib.h>

/* clang-format off */
static const char *const patterns[] = {
	"^([a-z]+) ([0-9]+) (.*)$", "(a|b)*abb", "[[:alpha:]]{3,7}-[[:digit:]]{1,4}",
	"([^,]*,){3}x", "(foo|bar|baz)+qux?", "\\b[A-Z][a-z]*\\b",
};
/* clang-format on */

enum { PATTERNS = sizeof patterns / sizeof *patterns };

static void make_text (uint64_t *state, char *text, size_t size)
{
	static const char alphabet[] = "abcxyz ,-AB01290foobarqux";

	for (size_t i = 0; i + 1 < size; i++)
		text[i] = alphabet[next_random (state) % (sizeof alphabet - 1)];
	text[size - 1] = '\0';
}

static void match (unsigned which, void *out)
{
	uint64_t state = which, sum = 0;
	regmatch_t m[4];
	char text[200];

	for (unsigned p = 0; p < PATTERNS; p++) {
		regex_t re;

		if (regcomp (&re, patterns[(p + which) % PATTERNS], REG_EXTENDED) != 0)
			abort ();
		for (int i = 0; i < 6; i++) {
			int rc;

			make_text (&state, text, sizeof text);
			memset (m, 0, sizeof m);
			rc = regexec (&re, text, 4, m, 0);
			sum = fold (sum, &rc, sizeof rc);
			for (int k = 0; rc == 0 && k < 4; k++) {
				int span[2] = { (int) m[k].rm_so, (int) m[k].rm_eo };

				sum = fold (sum, span, sizeof span);
			}
		}
		regfree (&re);
	}
	*(uint64_t *) out = sum;
}

static const struct torture t = {
	.work = match, .size = sizeof (uint64_t), .yielded = 20, .handed_off = 500
};

Test (torture_regex, chosen, .timeout = 60)
{
	torture_auto (&t);
}

Test (torture_regex, handed_off, .timeout = 60)
{
	torture_handoff (&t);
}
