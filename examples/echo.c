/* SPDX-License-Identifier: MIT */
/* echo.c - a server that stays quick while coroutines compute on every P
 *
 *	cc echo.c $(pkg-config --cflags --libs goad)
 *	./a.out            # talks to itself, and says how long a round trip takes
 *	./a.out 7777       # serves that port until it is killed: nc localhost 7777
 */
#include <goad.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#define ROUNDS 200

static struct sockaddr_in address = { .sin_family = AF_INET };
static _Atomic int done;

static void compute (void *arg)
{
	(void) arg;
	while (!done)
		for (volatile int i = 0; i < 100000; i++)
			;
}

static void talk (void *arg)
{
	int fd = (int) (intptr_t) arg;
	char buf[4096];
	ssize_t n;

	while ((n = goad_read (fd, buf, sizeof buf)) > 0)
		if (goad_write (fd, buf, (size_t) n) < 0)
			break;
	goad_close (fd);
}

static void serve (void *arg)
{
	int fd, listener = (int) (intptr_t) arg;

	while ((fd = goad_accept (listener, NULL, NULL)) >= 0)
		if (goad_go (talk, (void *) (intptr_t) fd) < 0)
			goad_close (fd);
}

/* The mean time of a byte to the server and back. */
static void measure (const char *when)
{
	int fd = socket (AF_INET, SOCK_STREAM, 0);
	uint64_t start;
	char c = 'x';

	if (goad_connect (fd, (struct sockaddr *) &address, sizeof address) < 0)
		return;
	start = goad_now ();
	for (int i = 0; i < ROUNDS; i++)
		if (goad_write (fd, &c, 1) != 1 || goad_read (fd, &c, 1) != 1)
			return;
	printf ("%s: %lu us\n", when, (unsigned long) ((goad_now () - start) / ROUNDS / GOAD_US));
	goad_close (fd);
}

static void first (void *arg)
{
	int fd = socket (AF_INET, SOCK_STREAM, 0), one = 1;
	socklen_t len = sizeof address;
	goad_task_t *server;

	address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
	address.sin_port = htons ((uint16_t) * (int *) arg);
	setsockopt (fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind (fd, (struct sockaddr *) &address, len) < 0 || listen (fd, 100) < 0 ||
	    getsockname (fd, (struct sockaddr *) &address, &len) < 0 ||
	    goad_spawn (&server, NULL, serve, (void *) (intptr_t) fd) < 0)
		return;
	if (*(int *) arg == 0) {
		measure ("alone");
		for (int i = 0; i < goad_procs (); i++)
			goad_go (compute, NULL);
		measure ("beside one that computes on each P");
		done = 1;
		goad_close (fd); /* the server hears -ECANCELED, and ends */
	}
	goad_join (server);
}

int main (int argc, char **argv)
{
	int port = argc > 1 ? atoi (argv[1]) : 0;
	goad_config_t cfg = GOAD_CONFIG_INIT;

	if (goad_config_init (&cfg) < 0)
		return 2;
	cfg.quantum_ns = GOAD_MS;
	return goad_main (first, &port, &cfg) < 0;
}
