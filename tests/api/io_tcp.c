/* SPDX-License-Identifier: MIT */
/* tests/api/io_tcp.c - connections: accept, connect, a queue that is full */
#include "tests/harness.h"
#include "tests/support.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int spawn (goad_task_t **t, goad_fn fn, void *arg)
{
	int rc = goad_spawn (t, NULL, fn, arg);

	claim_eq (rc, 0);
	return rc;
}

static void run (goad_fn fn, void *arg, int procs)
{
	cr_assert_eq (run_main (fn, arg, procs, 0, 0), 0);
	claims_assert ();
}

static int listener (struct sockaddr_in *a, int flags)
{
	socklen_t len = sizeof *a;
	int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

	*a = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
	claim_eq (bind (fd, (struct sockaddr *) a, sizeof *a), 0);
	claim_eq (listen (fd, 4000), 0);
	claim_eq (getsockname (fd, (struct sockaddr *) a, &len), 0);
	return fd;
}

static void serve_one (void *arg)
{
	int fd = (int) (intptr_t) arg;
	char buf[100];
	ssize_t n;

	while ((n = goad_recv (fd, buf, sizeof buf, 0)) > 0)
		claim_eq (goad_send (fd, buf, (size_t) n, 0), n);
	claim_eq (n, 0);
	claim_eq (goad_close (fd), 0);
}

static void serve (void *arg)
{
	int l = (int) (intptr_t) arg, fd;

	while ((fd = goad_accept (l, NULL, NULL)) >= 0)
		claim_eq (goad_go (serve_one, (void *) (intptr_t) fd), 0);
	claim_eq (fd, -ECANCELED);
}

struct client {
	struct sockaddr_in to;
	int flags, rounds;
	goad_task_t *task;
};

static void client (void *arg)
{
	struct client *c = arg;
	int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC | c->flags, 0);
	char buf[8] = "";

	claim_eq (goad_connect (fd, (struct sockaddr *) &c->to, sizeof c->to), 0);
	claim_eq (fcntl (fd, F_GETFL) & O_NONBLOCK, c->flags ? O_NONBLOCK : 0);
	for (int i = 0; i < c->rounds; i++) {
		claim_eq (goad_write (fd, "12345", 5), 5);
		claim_eq (goad_recv (fd, buf, 5, MSG_WAITALL), 5);
		claim (memcmp (buf, "12345", 5) == 0);
	}
	claim_eq (goad_close (fd), 0);
}

static void tcp (int flags)
{
	static struct client clients[50];
	struct sockaddr_in a;
	goad_task_t *server[3];
	int l = listener (&a, flags);

	claim_eq (goad_accept_until (l, NULL, NULL, 0), -EAGAIN);
	claim_eq (goad_accept_until (l, NULL, NULL, goad_after (GOAD_MS)), -ETIMEDOUT);
	for (int i = 0; i < 3; i++)
		spawn (&server[i], serve, (void *) (intptr_t) l);
	for (int i = 0; i < 50; i++) {
		clients[i] = (struct client){ a, i & 1 ? SOCK_NONBLOCK : 0, 20, NULL };
		spawn (&clients[i].task, client, &clients[i]);
	}
	for (int i = 0; i < 50; i++)
		claim_eq (goad_join (clients[i].task), 0);
	claim_eq (goad_close (l), 0);
	for (int i = 0; i < 3; i++)
		claim_eq (goad_join (server[i]), 0);
}

static void tcp_both (void *arg)
{
	(void) arg;
	tcp (0);
	tcp (SOCK_NONBLOCK);
}

Test (io_tcp, echo, .timeout = 30)
{
	run (tcp_both, NULL, 1);
	run (tcp_both, NULL, 2);
}

static void refused (void *arg)
{
	struct sockaddr_in a;
	int l = listener (&a, 0), fd;

	(void) arg;
	close (l);
	for (int flags = 0; flags <= SOCK_NONBLOCK; flags += SOCK_NONBLOCK) {
		fd = socket (AF_INET, SOCK_STREAM | flags, 0);
		claim_eq (goad_connect (fd, (struct sockaddr *) &a, sizeof a), -ECONNREFUSED);
		claim_eq (goad_close (fd), 0);
	}
}

Test (io_tcp, connect_refused, .timeout = 10)
{
	run (refused, NULL, 1);
	refused (NULL);
	claims_assert ();
}

/* A local listener with a full queue has no event for those who wait to connect. */

static void connect_late (void *arg)
{
	struct sockaddr_un *a = arg;
	int fd = socket (AF_UNIX, SOCK_STREAM, 0);

	claim_eq (goad_connect (fd, (struct sockaddr *) a, sizeof *a), 0);
	goad_close (fd);
}

static void full_queue (void *arg)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int l = socket (AF_UNIX, SOCK_STREAM, 0), first, fd;
	goad_task_t *t;

	(void) arg;
	snprintf (a.sun_path + 1, sizeof a.sun_path - 1, "goad-io-%d", (int) getpid ());
	claim_eq (bind (l, (struct sockaddr *) &a, sizeof a), 0);
	claim_eq (listen (l, 0), 0);
	first = socket (AF_UNIX, SOCK_STREAM, 0);
	fd = socket (AF_UNIX, SOCK_STREAM, 0);
	claim_eq (goad_connect (first, (struct sockaddr *) &a, sizeof a), 0);
	claim_eq (goad_connect_until (fd, (struct sockaddr *) &a, sizeof a, 0), -EAGAIN);
	claim_eq (goad_connect_until (fd, (struct sockaddr *) &a, sizeof a, goad_after (GOAD_MS)),
	          -ETIMEDOUT);
	spawn (&t, connect_late, &a);
	goad_sleep (2 * GOAD_MS);
	close (fd);
	for (int i = 0; i < 2; i++) {
		fd = goad_accept (l, NULL, NULL);
		claim (fd >= 0);
		close (fd);
	}
	claim_eq (goad_join (t), 0);
	close (first);
	close (l);
}

Test (io_tcp, connect_to_a_full_queue, .timeout = 10)
{
	run (full_queue, NULL, 2);
}
