/* SPDX-License-Identifier: MIT */
/* web.c - a web server, and a fetcher that asks it over the loopback
 *
 *	cc web.c $(pkg-config --cflags --libs goad)
 *	./a.out            # fetches 1000 pages from itself, 50 at a time, and ends
 *	./a.out 8080       # serves until it is killed: curl -i localhost:8080/sum/1000000
 *
 * One coroutine for each connection, written as if it alone existed.  Nobody waits for
 * ever: who sends no request in time hears 408, and a page that computes for long holds up
 * no other. */
#include <errno.h>
#include <goad.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE (10 * GOAD_S)
enum { FETCHERS = 50, PAGES = 20 };

static struct sockaddr_in address = { .sin_family = AF_INET };
static uint64_t patience = PATIENCE;

/* ---- the server ---- */

/* Reads to the empty line that ends a request.  0, -ETIMEDOUT, -EMSGSIZE, or why not. */
static int read_request (int fd, char *buf, size_t size, uint64_t deadline)
{
	size_t len = 0;

	while (len + 1 < size) {
		ssize_t n = goad_read_until (fd, buf + len, size - 1 - len, deadline);

		if (n <= 0)
			return n < 0 ? (int) n : -ECONNRESET;
		len += (size_t) n;
		buf[len] = '\0';
		if (strstr (buf, "\r\n\r\n") != NULL)
			return 0;
	}
	return -EMSGSIZE;
}

static void answer (int fd, const char *status, const char *body)
{
	char page[512];
	int n = snprintf (page, sizeof page,
	                  "HTTP/1.0 %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n\r\n%s",
	                  status, strlen (body), body);

	/* Who does not take his page in time does not get it. */
	(void) goad_write_until (fd, page, (size_t) n, goad_after (patience));
}

static void answer_get (int fd, const char *path)
{
	char body[64];
	unsigned long n;
	uint64_t sum = 0;

	if (strcmp (path, "/") == 0) {
		answer (fd, "200 OK", "try /sum/1000\n");
	} else if (sscanf (path, "/sum/%lu", &n) == 1) {
		for (volatile unsigned long i = 1; i <= n; i++)
			sum += i; /* however long it takes: it is preempted */
		snprintf (body, sizeof body, "%llu\n", (unsigned long long) sum);
		answer (fd, "200 OK", body);
	} else {
		answer (fd, "404 Not Found", "no such page\n");
	}
}

static void connection (void *arg)
{
	int fd = (int) (intptr_t) arg;
	char request[2048], path[256];
	int err = read_request (fd, request, sizeof request, goad_after (patience));

	if (err == -ETIMEDOUT)
		answer (fd, "408 Request Timeout", "too slow\n");
	else if (err == 0 && sscanf (request, "GET %255s HTTP/", path) == 1)
		answer_get (fd, path);
	else if (err == 0 || err == -EMSGSIZE)
		answer (fd, "400 Bad Request", "only GET\n");
	goad_close (fd);
}

static void serve (void *arg)
{
	int fd, listener = (int) (intptr_t) arg;

	while ((fd = goad_accept (listener, NULL, NULL)) >= 0)
		if (goad_go (connection, (void *) (intptr_t) fd) < 0)
			goad_close (fd); /* no memory for another now */
}

static int listen_at (int port)
{
	int fd = socket (AF_INET, SOCK_STREAM, 0), one = 1;
	socklen_t len = sizeof address;

	address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
	address.sin_port = htons ((uint16_t) port);
	setsockopt (fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (fd < 0 || bind (fd, (struct sockaddr *) &address, len) < 0 || listen (fd, 1000) < 0 ||
	    getsockname (fd, (struct sockaddr *) &address, &len) < 0)
		return -errno;
	return fd;
}

/* ---- the fetcher ---- */

/* Sends the request, and reads the whole answer.  Its status (200), or a negative errno. */
static int fetch (const char *request, char *answer, size_t size)
{
	uint64_t deadline = goad_after (PATIENCE);
	int fd = socket (AF_INET, SOCK_STREAM, 0), status;
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = goad_connect_until (fd, (struct sockaddr *) &address, sizeof address, deadline);
	if (n == 0)
		n = goad_write_until (fd, request, strlen (request), deadline);
	while (n > 0 && len + 1 < size) {
		n = goad_read_until (fd, answer + len, size - 1 - len, deadline);
		len += n > 0 ? (size_t) n : 0;
	}
	answer[len] = '\0';
	goad_close (fd);
	if (n < 0)
		return (int) n;
	return sscanf (answer, "HTTP/1.0 %d ", &status) == 1 ? status : -EPROTO;
}

/* Asks for sums, and counts the answers that are right. */
static void fetcher (void *arg)
{
	int *right = arg;
	char request[64], page[512], *body;

	for (unsigned long i = 1; i <= PAGES; i++) {
		snprintf (request, sizeof request, "GET /sum/%lu HTTP/1.0\r\n\r\n", 1000 * i);
		if (fetch (request, page, sizeof page) == 200 &&
		    (body = strstr (page, "\r\n\r\n")) != NULL &&
		    strtoul (body, NULL, 10) == 1000 * i * (1000 * i + 1) / 2)
			++*right;
	}
}

static void fetch_all (void)
{
	goad_task_t *task[FETCHERS];
	int right[FETCHERS] = { 0 }, all = 0;
	char page[512];
	uint64_t begin = goad_now ();

	for (int i = 0; i < FETCHERS; i++)
		if (goad_spawn (&task[i], NULL, fetcher, &right[i]) < 0)
			task[i] = NULL;
	for (int i = 0; i < FETCHERS; i++) {
		if (task[i] != NULL)
			goad_join (task[i]);
		all += right[i];
	}
	printf ("%d of %d pages are right\n", all, FETCHERS * PAGES);
	fprintf (stderr, "%lu us for each\n",
	         (unsigned long) ((goad_now () - begin) / GOAD_US / (FETCHERS * PAGES)));
	printf ("no such page: %d\n", fetch ("GET /none HTTP/1.0\r\n\r\n", page, sizeof page));
	patience = 50 * GOAD_MS;
	printf ("half a request: %d\n", fetch ("GET / HT", page, sizeof page));
}

static void first (void *arg)
{
	int port = *(int *) arg, listener = listen_at (port);
	goad_task_t *server;

	if (listener < 0 || goad_spawn (&server, NULL, serve, (void *) (intptr_t) listener) < 0) {
		fprintf (stderr, "cannot listen at port %d\n", port);
		return;
	}
	if (port == 0) {
		fetch_all ();
		goad_close (listener); /* the server hears -ECANCELED, and ends */
	}
	goad_join (server);
}

int main (int argc, char **argv)
{
	int port = argc > 1 ? atoi (argv[1]) : 0;

	return goad_main (first, &port, NULL) < 0;
}
