/* SPDX-License-Identifier: MIT */
/* work_echo.c - echo [PERIOD]: a client and a server, two coroutines and a TCP connection
 * over the loopback between them
 *
 * Requests are due at fixed times, as ticks are, and what counts is the time from when
 * one was due to when its answer is there: the wake-up, and the way there and back.  One
 * that comes so late that others were due meanwhile does not excuse those. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "run.h"

extern const struct work work_echo;

#if __has_include(<goad/io.h>)
#include <goad/io.h>

enum { ECHOES_ALONE = 1000, MESSAGE = 64 };

struct pair {
	int client, server;
};

static int prepare (struct spec *spec)
{
	uint64_t *period = malloc (sizeof *period);

	if (period == NULL)
		return TOOL_FAILED;
	spec->data = period;
	*period = GOAD_MS;
	if (spec->argc > 2) {
		util_error ("'echo' takes a PERIOD and nothing more, as in 'echo 1ms'");
		return TOOL_USAGE;
	}
	if (spec->argc == 2 && util_parse_time (spec->argv[1], period) < 0) {
		util_error ("echo: '%s' is not a time: write it as 1ms, 250us or 2s", spec->argv[1]);
		return TOOL_USAGE;
	}
	if (*period < 10 * GOAD_US || *period > 3600 * GOAD_S) {
		util_error ("echo: '%s' is out of range: 10us to 1h", spec->argv[1]);
		return TOOL_USAGE;
	}
	return 0;
}

/* A connection to oneself: it stands as soon as it is in the listener's queue, so
 * nothing here waits. */
static int connect_pair (struct pair *p)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	struct sockaddr *addr = (struct sockaddr *) &at;
	socklen_t len = sizeof at;
	int listener = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	p->client = p->server = -1;
	at.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
	if (listener < 0)
		return -errno;
	if (bind (listener, addr, len) < 0 || listen (listener, 1) < 0 ||
	    getsockname (listener, addr, &len) < 0)
		goto fail;
	p->client = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (p->client < 0 || connect (p->client, addr, len) < 0)
		goto fail;
	p->server = accept4 (listener, NULL, NULL, SOCK_CLOEXEC);
	if (p->server < 0)
		goto fail;
	close (listener);
	setsockopt (p->client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	setsockopt (p->server, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	return 0;
fail:;
	int e = -errno;
	close (listener);
	if (p->client >= 0)
		close (p->client);
	return e;
}

static void serve (void *arg)
{
	const struct pair *p = arg;
	char buf[MESSAGE];
	ssize_t n;

	while ((n = goad_read (p->server, buf, sizeof buf)) > 0)
		if (goad_write (p->server, buf, (size_t) n) < 0)
			break;
	goad_close (p->server);
}

static int ask (int fd)
{
	char buf[MESSAGE] = "echo";
	ssize_t n = goad_write (fd, buf, sizeof buf);

	for (size_t have = 0; n >= 0 && have < sizeof buf; have += (size_t) n) {
		n = goad_read (fd, buf + have, sizeof buf - have);
		if (n == 0)
			return -EPIPE;
	}
	return n < 0 ? (int) n : 0;
}

static int ask_at_times (struct task *task, int fd)
{
	const struct run *run = task->run;
	uint64_t period = *(const uint64_t *) task->spec->data;
	uint64_t due = goad_now ();
	uint64_t end = run->opt.for_ns != 0 ? atomic_load (&run->start_ns) + run->opt.for_ns
	                                    : due + (ECHOES_ALONE + 1) * period;
	int e = 0;

	for (due += period; due < end && e == 0; due += period) {
		atomic_store (&task->due_ns, due);
		goad_sleep_until (due);
		e = ask (fd);
		if (e == 0)
			util_hist_add (task->late, goad_now () - due);
	}
	atomic_store (&task->due_ns, 0);
	return e;
}

static int body (struct task *task)
{
	goad_attr_t attr = GOAD_ATTR_INIT;
	goad_task_t *server;
	struct pair p;
	int e = connect_pair (&p);

	if (e == 0) {
		attr.name = "echo-server";
		e = goad_spawn (&server, &attr, serve, &p);
		if (e < 0) {
			close (p.client);
			close (p.server);
		} else {
			e = ask_at_times (task, p.client);
			goad_close (p.client);
			goad_join (server);
		}
	}
	if (e < 0)
		snprintf (task->result, sizeof task->result, "%s", strerrordesc_np (-e));
	return e < 0;
}

#define PACKAGE NULL
#define PREPARE prepare
#define BODY body
#else
#define PACKAGE "<goad/io.h>"
#define PREPARE NULL
#define BODY NULL
#endif

const struct work work_echo = {
	.name = "echo",
	.args = "[PERIOD]",
	.doc = "loopback TCP, there and back, and measure how late",
	.flags = WORK_ECHO,
	.package = PACKAGE,
	.prepare = PREPARE,
	.body = BODY,
};
