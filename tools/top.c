/* SPDX-License-Identifier: MIT */
/* top.c - goad top: watches the coroutines of a running program */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "top.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tool.h"

enum { KEY_ONCE = 256, KEY_FORMAT, KEY_INTERVAL, KEY_SORT, KEY_LIST };

static const struct argp_option options[] = {
	{ "pid", 'p', "PID", 0, "The program; without it, the one that was started last", 1 },
	{ "list", KEY_LIST, NULL, 0, "Show the programs that can be watched, the newest first", 1 },
	{ "once", KEY_ONCE, NULL, 0, "Print what it does now, and end", 1 },
	{ "interval", KEY_INTERVAL, "TIME", 0, "Look so often, 100ms to 60s (1s)", 1 },
	{ "sort", KEY_SORT, "KEY", 0, "By cpu (in the last quarter of a second), wait, or id", 1 },
	{ "format", KEY_FORMAT, "FORMAT", 0, "text, or json (\"schema\": \"goad-top/1\")", 1 },
	{ 0 },
};

static const char doc[] =
    "Watch the coroutines of a running program: who uses how much CPU, and who\n"
    "waits for what.  The program must be yours, and be started with GOAD_TOP=1 in\n"
    "its environment."
    "\v"
    "On a terminal the table is drawn anew each interval, with these keys:\n"
    "q quits, c sorts by CPU time, w by the time waited, i by number, space looks\n"
    "at once.  Elsewhere, and with --once, it is printed as text.\n\n"
    "Exit status: 0 done, 2 bad usage, 77 there is no such program,\n"
    "99 goad itself failed.\n\n"
    "Example: GOAD_TOP=1 goad run --for 1m spin + tick 10ms & goad top -p $!";

struct parse {
	struct top_options *o;
	int code;
};

static int read_sort (const char *arg, enum top_sort *sort)
{
	static const char *const words[] = { "cpu", "wait", "id" };

	for (size_t i = 0; i < UTIL_COUNT (words); i++)
		if (strcmp (arg, words[i]) == 0) {
			*sort = (enum top_sort) i;
			return 0;
		}
	util_error ("--sort '%s' is unknown: the nearest is '%s' (of cpu, wait, id)", arg,
	            util_nearest (arg, words, UTIL_COUNT (words)));
	return TOOL_USAGE;
}

static error_t parse_one (int key, char *arg, struct argp_state *state)
{
	struct parse *p = state->input;
	uint64_t n = 0;

	switch (key) {
	case 'p':
		p->code = util_read_count ("--pid", arg, 1, 1 << 22, &n);
		p->o->pid = (pid_t) n;
		break;
	case KEY_LIST:
		p->o->list = true;
		break;
	case KEY_ONCE:
		p->o->once = true;
		break;
	case KEY_INTERVAL:
		p->code = util_read_time ("--interval", arg, 100 * GOAD_MS, 60 * GOAD_S, "100ms to 60s",
		                          &p->o->interval_ns);
		break;
	case KEY_SORT:
		p->code = read_sort (arg, &p->o->sort);
		break;
	case KEY_FORMAT:
		p->code = util_read_format (arg, &p->o->json);
		break;
	case ARGP_KEY_ARG:
		util_error ("'%s' is one too many: write -p %s for a process", arg, arg);
		p->code = TOOL_USAGE;
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return p->code == 0 ? 0 : EINVAL;
}

static int parse_options (struct top_options *o, int argc, char **argv)
{
	const struct argp argp = { .options = options, .parser = parse_one, .doc = doc };
	struct parse parse = { .o = o };
	int code = util_parse_options (&argp, "goad top", 0, argc, argv, &parse);

	return parse.code != 0 ? parse.code : code;
}

static int print (struct top *t)
{
	struct text out = { .s = NULL };
	int code = TOOL_OK;

	top_order (t);
	if (!t->opt.json)
		top_text (t, &out, GOAD_TOP_TASKS);
	else if (top_json (t, &out) < 0)
		code = TOOL_FAILED;
	if (out.failed || util_write_all (STDOUT_FILENO, out.s, out.len) < 0)
		code = TOOL_FAILED;
	util_text_free (&out);
	return code;
}

/* A page of text each interval, as long as there is somebody to read it. */
static int print_on (struct top *t)
{
	struct timespec pause = { (time_t) (t->opt.interval_ns / GOAD_S),
		                      (long) (t->opt.interval_ns % GOAD_S) };
	int code;

	do {
		code = print (t);
		if (code != TOOL_OK || t->opt.once)
			return code;
		nanosleep (&pause, NULL);
	} while (top_read (t));
	return code;
}

static int list (void)
{
	struct text out = { .s = NULL };
	int code;

	top_list (&out);
	code = out.failed || util_write_all (STDOUT_FILENO, out.s, out.len) < 0 ? TOOL_FAILED : TOOL_OK;
	util_text_free (&out);
	return code;
}

int tool_top (int argc, char **argv)
{
	static struct top t = { .opt = { .interval_ns = GOAD_S } };
	int code;

	util_set_command ("goad top");
	code = parse_options (&t.opt, argc, argv);
	if (code != 0)
		return code;
	if (t.opt.list)
		return list ();
	code = top_attach (&t);
	if (code != 0)
		return code;
	top_await (&t);
	if (!top_read (&t)) {
		util_error ("process %d has ended", (int) t.program.pid);
		code = TOOL_CANNOT;
	} else if (top_has_screen && !t.opt.once && !t.opt.json && isatty (STDOUT_FILENO) &&
	           isatty (STDIN_FILENO)) {
		code = top_screen (&t);
	} else {
		code = print_on (&t);
	}
	top_detach (&t);
	return code;
}
