/* SPDX-License-Identifier: MIT */
/* loopback.h - TCP connections to oneself; included by echo.c and idleconn.c and their twins */
#ifndef BENCH_LOOPBACK_H
#define BENCH_LOOPBACK_H

#include "work.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>

static inline int bench_listen (struct sockaddr_in *a)
{
	socklen_t len = sizeof *a;
	int fd = socket (AF_INET, SOCK_STREAM, 0);
	*a = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
	if (fd < 0 || bind (fd, (struct sockaddr *) a, sizeof *a) != 0 || listen (fd, 4096) != 0 ||
	    getsockname (fd, (struct sockaddr *) a, &len) != 0) {
		perror ("listen");
		exit (1);
	}
	return fd;
}

/* A connection to the listener, by blocking calls: before anything is measured. */
BENCH_UNUSED static void bench_connect (int listener, const struct sockaddr_in *a, int fd[2])
{
	int one = 1;
	fd[0] = socket (AF_INET, SOCK_STREAM, 0);
	if (fd[0] < 0 || connect (fd[0], (const struct sockaddr *) a, sizeof *a) != 0 ||
	    (fd[1] = accept (listener, NULL, NULL)) < 0) {
		perror ("connect");
		exit (1);
	}
	for (int i = 0; i < 2; i++)
		setsockopt (fd[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

/* As many connections as asked for, or as there may be descriptors for. */
BENCH_UNUSED static long bench_connections (long want)
{
	struct rlimit lim;
	getrlimit (RLIMIT_NOFILE, &lim);
	lim.rlim_cur = lim.rlim_max;
	setrlimit (RLIMIT_NOFILE, &lim);
	return (long) lim.rlim_cur < 2 * want + 100 ? ((long) lim.rlim_cur - 100) / 2 : want;
}

#endif /* BENCH_LOOPBACK_H */
