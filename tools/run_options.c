/* SPDX-License-Identifier: MIT */
/* run_options.c - the options of goad run */
#include <stdlib.h>
#include <string.h>

#include "run.h"

enum {
	KEY_PREEMPT = 256,
	KEY_FOR,
	KEY_WEIGHTS,
	KEY_STACK,
	KEY_SEED,
	KEY_TRACE,
	KEY_FORMAT,
	KEY_EXPECT,
	KEY_PLOT
};

static const struct argp_option options[] = {
	{ "number", 'n', "N", 0, "Run each WORK N times (1); \"+ -n N WORK\" holds for that WORK", 1 },
	{ "procs", 'p', "PROCS", 0, "Coroutines that run at once (the CPUs of this process)", 1 },
	{ "quantum", 'q', "TIME", 0, "Longest run while another waits, 50us to 1s (10ms)", 1 },
	{ "preempt", KEY_PREEMPT, "MODE", 0, "auto, handoff, yield, coop or off (auto)", 1 },
	{ "for", KEY_FOR, "TIME", 0, "End the run after this time (5s if a WORK is endless)", 1 },
	{ "weights", KEY_WEIGHTS, "W,W,...", 0,
	  "Shares of CPU, 0.01 to 100 each: one for each WORK, or for each coroutine", 1 },
	{ "stack-size", KEY_STACK, "SIZE", 0, "Address space of a coroutine's stack (256K)", 1 },
	{ "seed", KEY_SEED, "SEED", 0, "Make the scheduler's random choices repeatable", 1 },
	{ "format", KEY_FORMAT, "FORMAT", 0, "text, or json (\"schema\": \"goad-run/1\")", 2 },
	{ "expect", KEY_EXPECT, "BOUNDS", 0,
	  "Exit with 1 if a bound is broken: 'jain>=0.98,wait_max<=50ms'; "
	  "\"--expect help\" lists the names",
	  2 },
	{ "plot", KEY_PLOT, "FILE", 0, "Draw CPU shares and who ran when: FILE.svg or FILE.png", 2 },
	{ "trace", KEY_TRACE, "FILE", 0, "Write every event of the scheduler to FILE, for goad trace",
	  2 },
	{ 0 },
};

static const char doc[] =
    "Run CPU-bound work as coroutines, fairly, and show that it was."
    "\v"
    "WORK is FILE.so:FUNCTION, an `int FUNCTION (int argc, char **argv)` in any shared\n"
    "object, which need not know goad; or one of\n\n"
    "  spin                 an endless loop without a call\n"
    "  primes LIMIT         count the primes up to LIMIT\n"
    "  mandelbrot [SIZE]    compute a picture of SIZE x SIZE (512)\n"
    "  sha256 FILE...       hash files, as `cat FILE... | sha256sum`\n"
    "  deflate FILE...      compress files with zlib\n"
    "  lua SCRIPT [ARG...]  run a Lua script\n"
    "  tick PERIOD          sleep, wake, and measure how late\n"
    "  echo [PERIOD]        ask over loopback TCP, and measure how late (1ms)\n"
    "  block [TIME]         sleep in the kernel, unannounced (100ms)\n\n"
    "Exit status: 0 done and fair, 1 a bound was broken or a work failed, 2 bad usage,\n"
    "77 cannot run here, 99 goad itself failed.\n\n"
    "Example: goad run --for 2s -n 4 ./hog.so:main_loop + lua endless.lua + tick 1ms";

static const char *const preempt_words[] = { "auto", "handoff", "yield", "coop", "off" };

int run_preempt_parse (const char *word)
{
	for (size_t i = 0; i < UTIL_COUNT (preempt_words); i++)
		if (strcmp (word, preempt_words[i]) == 0)
			return GOAD_PREEMPT_AUTO + (int) i;
	return -1;
}

const char *run_preempt_name (int preempt)
{
	if (preempt == GOAD_PREEMPT_DEFAULT)
		preempt = GOAD_PREEMPT_AUTO;
	return preempt_words[preempt - GOAD_PREEMPT_AUTO];
}

struct parse {
	struct run *run;
	int rest, code;
};

static error_t refuse (struct parse *parse)
{
	parse->code = TOOL_USAGE;
	return EINVAL;
}

static error_t done (struct parse *p, int code)
{
	p->code = code;
	return code == 0 ? 0 : EINVAL;
}

static error_t parse_preempt (struct parse *p, const char *arg)
{
	p->run->opt.preempt = run_preempt_parse (arg);
	if (p->run->opt.preempt > 0)
		return 0;
	util_error (
	    "--preempt '%s' is unknown: the nearest is '%s' (of auto, handoff, yield, coop, off)", arg,
	    util_nearest (arg, preempt_words, UTIL_COUNT (preempt_words)));
	return refuse (p);
}

static error_t parse_stack (struct parse *p, const char *arg)
{
	size_t *size = &p->run->opt.stack_size;

	if (util_parse_size (arg, size) == 0 && *size >= 16384 && *size <= (size_t) 1 << 30)
		return 0;
	util_error ("--stack-size '%s' is not a size from 16K to 1G", arg);
	return refuse (p);
}

static error_t parse_one (int key, char *arg, struct argp_state *state)
{
	struct parse *p = state->input;
	struct options *o = &p->run->opt;
	uint64_t n = 0;
	error_t e;

	switch (key) {
	case 'n':
		e = done (p, util_read_count ("-n", arg, 1, TASKS_MAX, &n));
		o->copies = (unsigned) n;
		return e;
	case 'p':
		return done (p, util_read_count ("--procs", arg, 1, PROCS_MAX, &o->procs));
	case 'q':
		return done (p, util_read_time ("--quantum", arg, 50 * GOAD_US, GOAD_S, "50us to 1s",
		                                &o->quantum_ns));
	case KEY_PREEMPT:
		return parse_preempt (p, arg);
	case KEY_FOR:
		o->for_given = true;
		return done (p, util_read_time ("--for", arg, GOAD_MS, 30 * 86400 * GOAD_S, "1ms to 720h",
		                                &o->for_ns));
	case KEY_WEIGHTS:
		o->weights = arg;
		return 0;
	case KEY_STACK:
		return parse_stack (p, arg);
	case KEY_SEED:
		return done (p, util_read_count ("--seed", arg, 1, UINT64_MAX, &o->seed));
	case KEY_FORMAT:
		return done (p, util_read_format (arg, &o->json));
	case KEY_EXPECT:
		p->code = run_expect_parse (p->run, arg);
		return p->code == 0 ? 0 : EINVAL;
	case KEY_PLOT:
		return done (p, util_read_plot (arg, &o->plot));
	case KEY_TRACE:
		o->trace = arg;
		return 0;
	case ARGP_KEY_ARG:
		/* The rest belongs to the works, options and all. */
		p->rest = state->next - 1;
		state->next = state->argc;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int run_options_parse (struct run *run, int argc, char **argv, int *rest)
{
	const struct argp argp = { .options = options,
		                       .parser = parse_one,
		                       .doc = doc,
		                       .args_doc = "WORK [ARG...] [+ WORK [ARG...]]..." };
	struct parse parse = { .run = run, .rest = argc };
	int code;

	run->opt.preempt = -1;
	run->opt.copies = 1;
	code = util_parse_options (&argp, "goad run", ARGP_IN_ORDER, argc, argv, &parse);
	if (parse.code != 0 || code != 0)
		return parse.code != 0 ? parse.code : code;
	*rest = parse.rest;
	return 0;
}
