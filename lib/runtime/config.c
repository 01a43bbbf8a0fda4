/* SPDX-License-Identifier: MIT */
/* Configuration: defaults, the environment, and what is in range. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/fatal.h"
#include "runtime/runtime.h"
#include "sched/feedback.h"

#define MIN_QUANTUM UINT64_C (50000)
#define MAX_QUANTUM UINT64_C (1000000000)
#define MIN_GRAIN UINT64_C (10000)
#define GRAIN UINT64_C (200000)
#define MIN_STACK ((size_t) 16 << 10)
#define MAX_STACK ((size_t) 1 << 30)

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit times[] = {
	{ "ns", 1 }, { "us", 1000 }, { "ms", 1000000 }, { "s", 1000000000 }, { NULL, 0 }
};
static const struct unit sizes[] = {
	{ "", 1 }, { "K", 1 << 10 }, { "M", 1 << 20 }, { "G", 1 << 30 }, { NULL, 0 }
};
static const struct unit plain[] = { { "", 1 }, { NULL, 0 } };
static const struct unit modes[] = {
	{ "auto", GOAD_PREEMPT_AUTO },   { "handoff", GOAD_PREEMPT_HANDOFF },
	{ "yield", GOAD_PREEMPT_YIELD }, { "coop", GOAD_PREEMPT_COOP },
	{ "off", GOAD_PREEMPT_OFF },     { NULL, 0 }
};

static const struct unit mechanisms[] = { { "preempt", GOAD_F_NO_PREEMPT },
	                                      { "handoff", GOAD_F_NO_HANDOFF },
	                                      { "detect-block", GOAD_F_NO_DETECT_BLOCK },
	                                      { "wakeup-preempt", GOAD_F_NO_WAKEUP_PREEMPT },
	                                      { "global-tick", GOAD_F_NO_GLOBAL_TICK },
	                                      { "inherit-slice", GOAD_F_NO_INHERIT_SLICE },
	                                      { "sysmon", GOAD_F_NO_SYSMON },
	                                      { "feedback", GOAD_F_NO_FEEDBACK },
	                                      { NULL, 0 } };

enum { ON = 1, OFF };
static const struct unit switches[] = { { "on", ON }, { "off", OFF }, { NULL, 0 } };

/* A number and a unit out of a list. */
static bool parse (const char *text, const struct unit *units, uint64_t min, uint64_t max,
                   uint64_t *out)
{
	char *end;
	unsigned long long v;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	v = strtoull (text, &end, 10);
	if (errno)
		return false;
	for (; units->name; units++)
		if (strcmp (end, units->name) == 0 && v <= UINT64_MAX / units->factor) {
			*out = v * units->factor;
			return *out >= min && *out <= max;
		}
	return false;
}

static bool parse_word (const char *text, const struct unit *u, uint64_t *out)
{
	for (; u->name; u++)
		if (strcmp (text, u->name) == 0) {
			*out = u->factor;
			return true;
		}
	return false;
}

/* 0: not set, 1: *out is set, -EINVAL. */
static int env (const char *name, const struct unit *units, uint64_t min, uint64_t max,
                const char *want, uint64_t *out)
{
	const char *text = getenv (name);

	if (!text || !*text)
		return 0;
	if (max ? parse (text, units, min, max, out) : parse_word (text, units, out))
		return 1;
	goad__line ("%s=%s: it must be %s", name, text, want);
	return -EINVAL;
}

/* GOAD_DISABLE: words with commas between. */
static int env_disable (uint64_t *flags)
{
	const char *text = getenv ("GOAD_DISABLE");
	uint64_t flag;
	char word[16];

	*flags = 0;
	for (const char *at = text; at && *at; at += *at == ',') {
		size_t n = strcspn (at, ",");
		bool fits = n > 0 && n < sizeof word;
		if (fits)
			memcpy (word, at, n);
		word[fits ? n : 0] = 0;
		if (!parse_word (word, mechanisms, &flag)) {
			goad__line ("GOAD_DISABLE=%s: it must be a list, with commas between, of preempt, "
			            "handoff, detect-block, wakeup-preempt, global-tick, inherit-slice, sysmon "
			            "and feedback",
			            text);
			return -EINVAL;
		}
		*flags |= flag;
		at += n;
	}
	return 0;
}

static bool usable_signal (int signo)
{
	switch (signo) {
	/* clang-format off */
	case SIGKILL: case SIGSTOP: case SIGSEGV: case SIGBUS: case SIGILL: case SIGFPE:
	case SIGABRT: case SIGTRAP: case SIGSYS:
		/* clang-format on */
		return false;
	}
	return signo >= 1 && signo <= SIGRTMAX && !(signo >= 32 && signo < SIGRTMIN);
}

GOAD__API int goad_config_init (goad_config_t *cfg)
{
	uint64_t procs = 0, threads = 10000, stack = 256 << 10, quantum = 10000000;
	uint64_t mode = GOAD_PREEMPT_AUTO, signo = SIGURG, seed = 0, flags = 0;
	uint64_t feedback = ON, grain = GRAIN, disabled;
	int saved = errno;
	int bad;

	if (!cfg || cfg->size == 0)
		return -EINVAL;
	bad = env ("GOAD_PROCS", plain, 1, GOAD__MAX_PROCS, "a number from 1 to 1024", &procs) < 0;
	bad |= env ("GOAD_MAX_THREADS", plain, 1, 1000000, "a number from 1 to 1000000", &threads) < 0;
	bad |= env ("GOAD_STACK_SIZE", sizes, MIN_STACK, MAX_STACK, "bytes from 16K to 1G", &stack) < 0;
	bad |= env ("GOAD_QUANTUM", times, MIN_QUANTUM, MAX_QUANTUM,
	            "a time from 50us to 1s, with its unit (10ms, 250us)", &quantum) < 0;
	bad |= env ("GOAD_PREEMPT", modes, 0, 0, "auto, handoff, yield, coop or off", &mode) < 0;
	bad |= env ("GOAD_SIGNAL", plain, 1, 64, "a signal's number", &signo) < 0;
	if (!bad && !usable_signal ((int) signo)) {
		goad__line (
		    "GOAD_SIGNAL=%lu: it must be a signal that can be caught and that no fault sends",
		    (unsigned long) signo);
		bad = 1;
	}
	bad |= env ("GOAD_SEED", plain, 0, UINT64_MAX, "a number", &seed) < 0;
	bad |= env ("GOAD_EXACT_TIME", plain, 0, 1, "0 or 1", &flags) < 0;
	bad |= env ("GOAD_FEEDBACK", switches, 0, 0, "on or off", &feedback) < 0;
	bad |= env ("GOAD_MIN_GRANULARITY", times, MIN_GRAIN, MAX_QUANTUM,
	            "a time from 10us to 1s, with its unit (200us, 1ms)", &grain) < 0;
	bad |= env_disable (&disabled) < 0;
	errno = saved;
	if (bad)
		return -EINVAL;
	goad_config_t full = { .size = cfg->size,
		                   .procs = (int) procs, /* 0: it follows the CPUs */
		                   .max_threads = (int) threads,
		                   .stack_size = stack,
		                   .quantum_ns = quantum,
		                   .preempt = (int) mode,
		                   .signo = (int) signo,
		                   .flags = (flags ? GOAD_F_EXACT_TIME : 0) |
		                            (feedback == OFF ? GOAD_F_NO_FEEDBACK : 0) |
		                            (unsigned) disabled,
		                   .seed = seed,
		                   .min_granularity_ns = grain };
	memcpy (cfg, &full, cfg->size < sizeof full ? cfg->size : sizeof full);
	if (cfg->size > sizeof full)
		memset ((char *) cfg + sizeof full, 0, cfg->size - sizeof full);
	cfg->size = full.size;
	return 0;
}

/* Chaos is a debugging switch, not configuration: it comes from GOAD_DEBUG alone. */
static int chaos_seed (uint64_t *out)
{
	const char *text = getenv ("GOAD_DEBUG");

	*out = 0;
	if (!text || !*text)
		return 0;
	if (strncmp (text, "chaos=", 6) == 0 && parse (text + 6, plain, 1, UINT64_MAX, out))
		return 0;
	goad__line ("GOAD_DEBUG=%s: it must be chaos=SEED, SEED a number above 0", text);
	return -EINVAL;
}

/* How long a thread that nobody needs is kept: not configuration either. */
static int m_idle (uint64_t *out)
{
	*out = 10 * UINT64_C (1000000000);
	return env ("GOAD_M_IDLE", times, 1000000, UINT64_C (86400000000000),
	            "a time from 1ms to 86400s, with its unit", out);
}

#define KNOWN_FLAGS                                                                   \
	(GOAD_F_EXACT_TIME | GOAD_F_NO_FEEDBACK | GOAD_F_NO_PREEMPT | GOAD_F_NO_HANDOFF | \
	 GOAD_F_NO_DETECT_BLOCK | GOAD_F_NO_WAKEUP_PREEMPT | GOAD_F_NO_GLOBAL_TICK |      \
	 GOAD_F_NO_INHERIT_SLICE | GOAD_F_NO_SYSMON)

#define REFUSE(...) return goad__line (__VA_ARGS__), -EINVAL

int goad__config_check (goad_config_t *c)
{
	struct sched *s = &goad__sched;

	goad__cpus_follow (c->procs == 0);
	c->procs = c->procs ? c->procs : goad__cpus ();
	c->max_threads = c->max_threads ? c->max_threads : 10000;
	c->stack_size = c->stack_size ? c->stack_size : 256 << 10;
	c->quantum_ns = c->quantum_ns ? c->quantum_ns : 10000000;
	c->preempt = c->preempt ? c->preempt : GOAD_PREEMPT_AUTO;
	c->signo = c->signo ? c->signo : SIGURG;
	c->min_granularity_ns = c->min_granularity_ns ? c->min_granularity_ns : GRAIN;
	if (c->procs < 1 || c->procs > GOAD__MAX_PROCS)
		REFUSE ("goad_config_t.procs is %d: it must be from 1 to 1024, or 0 for all CPUs",
		        c->procs);
	if (c->max_threads < c->procs + 1 || c->max_threads > GOAD__MAX_THREADS)
		REFUSE ("goad_config_t.max_threads is %d: it must be more than procs (%d), or 0 for 10000",
		        c->max_threads, c->procs);
	if (c->stack_size < MIN_STACK || c->stack_size > MAX_STACK)
		REFUSE (
		    "goad_config_t.stack_size is %zu: it must be from 16 KiB to 1 GiB, or 0 for 256 KiB",
		    c->stack_size);
	if (c->quantum_ns < MIN_QUANTUM || c->quantum_ns > MAX_QUANTUM)
		REFUSE ("goad_config_t.quantum_ns is %lu: it must be from 50 us to 1 s, or 0 for 10 ms",
		        (unsigned long) c->quantum_ns);
	if (c->preempt < GOAD_PREEMPT_AUTO || c->preempt > GOAD_PREEMPT_OFF)
		REFUSE ("goad_config_t.preempt is %d: it must be one of GOAD_PREEMPT_*", c->preempt);
	if (!usable_signal (c->signo))
		REFUSE ("goad_config_t.signo is %d: that signal cannot be used, take SIGURG (0)", c->signo);
	if (c->min_granularity_ns < MIN_GRAIN || c->min_granularity_ns > MAX_QUANTUM)
		REFUSE ("goad_config_t.min_granularity_ns is %lu: it must be from 10 us to 1 s, or 0 for "
		        "200 us",
		        (unsigned long) c->min_granularity_ns);
	if (c->flags & ~KNOWN_FLAGS)
		REFUSE ("goad_config_t.flags is %x: only GOAD_F_* are known", c->flags);
	if (chaos_seed (&s->chaos) < 0 || m_idle (&s->m_idle_ns) < 0)
		return -EINVAL;
	if (c->seed == 0 && getrandom (&c->seed, sizeof c->seed, 0) != sizeof c->seed)
		c->seed = 1;
	s->nprocs = c->procs;
	s->max_threads = c->max_threads;
	s->stack_size = c->stack_size;
	s->quantum = c->quantum_ns;
	s->preempt = c->preempt;
	s->signo = c->signo;
	s->flags = c->flags;
	goad__feedback_init (c->flags & GOAD_F_NO_FEEDBACK ? 0 : c->min_granularity_ns);
	if (s->chaos)
		c->seed = s->chaos;
	return 0;
}
