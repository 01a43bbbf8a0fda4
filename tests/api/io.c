/* SPDX-License-Identifier: MIT */
/* tests/api/io.c - descriptors of every kind, in both modes, with deadlines and closes */
#include "tests/harness.h"
#include "tests/support.h"

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define FOR_EVER GOAD_FOREVER

static void pair (int fd[2], int type)
{
	claim_eq (socketpair (AF_UNIX, type, 0, fd), 0);
}

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

/* One round: a byte there, a byte back, again and again. */

enum { ROUNDS = 300 };

struct ends {
	int in, out;
};

static void echo (void *arg)
{
	struct ends *e = arg;
	char buf[64];
	ssize_t n;

	while ((n = goad_read (e->in, buf, sizeof buf)) > 0)
		claim_eq (goad_write (e->out, buf, (size_t) n), n);
	claim_eq (n, 0);
}

static void ping (struct ends mine, struct ends other)
{
	goad_task_t *t;
	char c;

	spawn (&t, echo, &other);
	for (int i = 0; i < ROUNDS; i++) {
		char sent = (char) i;

		claim_eq (goad_write (mine.out, &sent, 1), 1);
		claim_eq (goad_read (mine.in, &c, 1), 1);
		claim_eq (c, sent);
	}
	claim_eq (goad_close (mine.out), 0);
	claim_eq (goad_join (t), 0);
	goad_close (other.in);
}

static void sockets (void *arg)
{
	int fd[2];

	(void) arg;
	pair (fd, SOCK_STREAM);
	ping ((struct ends){ fd[0], fd[0] }, (struct ends){ fd[1], fd[1] });
	pair (fd, SOCK_STREAM | SOCK_NONBLOCK);
	ping ((struct ends){ fd[0], fd[0] }, (struct ends){ fd[1], fd[1] });
}

static void pipes (void *arg)
{
	int a[2], b[2];

	for (int flags = 0; flags <= O_NONBLOCK; flags += O_NONBLOCK) {
		claim_eq (pipe2 (a, flags), 0);
		claim_eq (pipe2 (b, flags), 0);
		ping ((struct ends){ a[0], b[1] }, (struct ends){ b[0], a[1] });
		claim_eq (fcntl (a[0], F_GETFL) & O_NONBLOCK, flags);
		goad_close (a[0]);
		goad_close (a[1]);
	}
	(void) arg;
}

Test (io, echo_through_sockets, .timeout = 20)
{
	run (sockets, NULL, 1);
	run (sockets, NULL, 2);
}

Test (io, echo_through_pipes, .timeout = 20)
{
	run (pipes, NULL, 1);
	run (pipes, NULL, 2);
}

/* The same where the kernel lacks what we like to use. */
Test (io, echo_without_the_new_calls, .timeout = 40)
{
	setenv ("GOAD_NO_RWF_NOWAIT", "1", 1);
	setenv ("GOAD_NO_RWF_NOSIGNAL", "1", 1);
	setenv ("GOAD_NO_EPOLL_PWAIT2", "1", 1);
	run (sockets, NULL, 2);
	run (pipes, NULL, 1);
	run (pipes, NULL, 2);
	unsetenv ("GOAD_NO_RWF_NOWAIT");
	unsetenv ("GOAD_NO_RWF_NOSIGNAL");
	unsetenv ("GOAD_NO_EPOLL_PWAIT2");
}

/* goad_wait_fd is poll. */

static void wait_fd (void *arg)
{
	int fd[2], file = open ("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	uint64_t start;

	(void) arg;
	pair (fd, SOCK_STREAM);
	claim_eq (goad_wait_fd (fd[0], POLLIN, 0), -EAGAIN);
	claim_eq (goad_wait_fd (fd[0], POLLIN, 1), -ETIMEDOUT);
	start = goad_now ();
	claim_eq (goad_wait_fd (fd[0], POLLIN, start + 5 * GOAD_MS), -ETIMEDOUT);
	claim (goad_now () >= start + 5 * GOAD_MS);
	claim_eq (goad_wait_fd (fd[0], POLLOUT, 0), POLLOUT);
	claim_eq (goad_wait_fd (fd[0], POLLIN | POLLOUT, FOR_EVER), POLLOUT);
	claim_eq (write (fd[1], "x", 1), 1);
	claim_eq (goad_wait_fd (fd[0], POLLIN, FOR_EVER), POLLIN);
	claim_eq (goad_wait_fd (fd[0], POLLIN, 1), POLLIN); /* ready, though it is late */
	close (fd[1]);
	claim (goad_wait_fd (fd[0], 0, FOR_EVER) & POLLHUP);
	claim_eq (goad_wait_fd (file, POLLIN, FOR_EVER), POLLIN);
	claim_eq (goad_wait_fd (-1, POLLIN, FOR_EVER), -EBADF);
	claim_eq (goad_wait_fd (1 << 20, POLLIN, FOR_EVER), -EBADF);
	close (fd[0]);
	close (file);
}

Test (io, wait_fd_is_poll, .timeout = 10)
{
	run (wait_fd, NULL, 1);
	run (wait_fd, NULL, 2);
	wait_fd (NULL); /* without a runtime */
	claims_assert ();
}

static void bad_calls (void *arg)
{
	struct sockaddr a = { .sa_family = AF_INET };
	struct iovec v = { NULL, 10 };
	struct msghdr m = { 0 };
	int fd[2];
	char c;

	(void) arg;
	claim_eq (goad_read (-1, &c, 1), -EBADF);
	claim_eq (goad_write (-1, &c, 1), -EBADF);
	claim_eq (goad_readv (-1, &v, 1), -EBADF);
	claim_eq (goad_writev (-1, &v, 1), -EBADF);
	claim_eq (goad_recv (-1, &c, 1, 0), -EBADF);
	claim_eq (goad_send (-1, &c, 1, 0), -EBADF);
	claim_eq (goad_recvmsg (-1, &m, 0), -EBADF);
	claim_eq (goad_sendmsg (-1, &m, 0), -EBADF);
	claim_eq (goad_accept (-1, NULL, NULL), -EBADF);
	claim_eq (goad_connect (-1, &a, sizeof a), -EBADF);
	claim_eq (goad_close (-1), -EBADF);
	claim_eq (goad_close (1 << 20), -EBADF);
	claim_eq (goad_recvmsg (0, NULL, 0), -EINVAL);
	claim_eq (goad_sendmsg (0, NULL, 0), -EINVAL);
	claim_eq (pipe (fd), 0);
	claim_eq (goad_recv (fd[0], &c, 1, 0), -ENOTSOCK);
	claim_eq (goad_accept (fd[0], NULL, NULL), -ENOTSOCK);
	claim_eq (goad_write (fd[1], NULL, 1), -EFAULT);
	claim_eq (goad_writev (fd[1], NULL, 1), -EFAULT);
	claim_eq (goad_read (fd[1], &c, 1), -EBADF);
	claim_eq (goad_read (fd[0], &c, 0), 0);
	claim_eq (goad_write (fd[1], &c, 0), 0);
	claim_eq (goad_readv (fd[0], &v, -1), -EINVAL);
	close (fd[0]);
	claim_eq (goad_write (fd[1], &c, 1), -EPIPE); /* and no signal */
	close (fd[1]);
	pair (fd, SOCK_STREAM);
	claim_eq (goad_accept (fd[0], NULL, NULL), -EINVAL);
	close (fd[0]);
	claim_eq (goad_write (fd[1], &c, 1), -EPIPE);
	claim_eq (goad_send (fd[1], &c, 1, 0), -EPIPE);
	close (fd[1]);
}

Test (io, errors_are_those_of_the_namesakes, .timeout = 10)
{
	run (bad_calls, NULL, 1);
	bad_calls (NULL);
	claims_assert ();
	setenv ("GOAD_NO_RWF_NOWAIT", "1", 1);
	setenv ("GOAD_NO_RWF_NOSIGNAL", "1", 1);
	run (bad_calls, NULL, 1);
	unsetenv ("GOAD_NO_RWF_NOWAIT");
	unsetenv ("GOAD_NO_RWF_NOSIGNAL");
}

/* Deadlines. */

static void deadlines (void *arg)
{
	char buf[4] = "abc", big[70000] = { 0 };
	struct iovec v = { buf, 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
	int fd[2], pipes_[2];
	uint64_t late = goad_now () - 1, soon;

	(void) arg;
	pair (fd, SOCK_STREAM);
	claim_eq (pipe (pipes_), 0);
	claim_eq (goad_read_until (fd[0], buf, 1, 0), -EAGAIN);
	claim_eq (goad_read_until (pipes_[0], buf, 1, 0), -EAGAIN);
	claim_eq (goad_readv_until (fd[0], &v, 1, 0), -EAGAIN);
	claim_eq (goad_recv_until (fd[0], buf, 1, 0, 0), -EAGAIN);
	claim_eq (goad_recv (fd[0], buf, 1, MSG_DONTWAIT), -EAGAIN);
	claim_eq (goad_recvmsg_until (fd[0], &m, 0, 0), -EAGAIN);
	claim_eq (goad_read_until (fd[0], buf, 1, late), -ETIMEDOUT);
	claim_eq (goad_read_until (pipes_[0], buf, 1, late), -ETIMEDOUT);
	claim_eq (goad_recvmsg_until (fd[0], &m, 0, late), -ETIMEDOUT);
	for (int i = 0; i < 20; i++) {
		soon = goad_after (GOAD_MS);
		claim_eq (goad_read_until (i & 1 ? fd[0] : pipes_[0], buf, 1, soon), -ETIMEDOUT);
		claim (goad_now () >= soon);
	}
	claim_eq (buf[0], 'a');
	claim_eq (write (fd[1], "x", 1), 1);
	claim_eq (goad_read_until (fd[0], buf, 1, late), 1); /* what is ready succeeds */
	claim_eq (goad_write_until (pipes_[1], big, sizeof big, 0), 65536);
	claim_eq (goad_write_until (pipes_[1], big, 1, 0), -EAGAIN);
	claim_eq (goad_write_until (pipes_[1], big, 1, goad_after (GOAD_MS)), -ETIMEDOUT);
	while (goad_send_until (fd[0], big, sizeof big, 0, 0) > 0)
		;
	claim_eq (goad_send_until (fd[0], big, 1, 0, goad_after (GOAD_MS)), -ETIMEDOUT);
	claim_eq (goad_sendmsg_until (fd[0], &m, 0, 0), -EAGAIN);
	for (int i = 0; i < 2; i++) {
		close (fd[i]);
		close (pipes_[i]);
	}
}

Test (io, deadlines, .timeout = 10)
{
	run (deadlines, NULL, 1);
	run (deadlines, NULL, 2);
	deadlines (NULL);
	claims_assert ();
	setenv ("GOAD_NO_EPOLL_PWAIT2", "1", 1);
	run (deadlines, NULL, 2);
	unsetenv ("GOAD_NO_EPOLL_PWAIT2");
}

/* What is larger than the kernel's buffers is written whole, in pieces. */

enum { BIG = 3 << 20 };

static void drain (void *arg)
{
	struct ends *e = arg;
	unsigned char *buf = malloc (40000);
	size_t total = 0;
	ssize_t n;

	while ((n = goad_read (e->in, buf, 40000)) > 0)
		for (ssize_t i = 0; i < n; i++, total++)
			if (buf[i] != (unsigned char) (total * 7 + total / 1000))
				claim_eq (total, -1);
	claim_eq (n, 0);
	claim_eq (total, BIG);
	free (buf);
}

static void write_whole (int kind)
{
	unsigned char *buf = malloc (BIG);
	struct iovec v[] = { { buf, 1 },
		                 { buf + 1, 0 },
		                 { buf + 1, 99999 },
		                 { buf + 100000, 1 },
		                 { buf + 100001, BIG - 100001 } };
	struct msghdr m = { .msg_iov = v, .msg_iovlen = 5 };
	struct ends e;
	goad_task_t *t;
	int fd[2];

	for (size_t i = 0; i < BIG; i++)
		buf[i] = (unsigned char) (i * 7 + i / 1000);
	if (kind == 0)
		claim_eq (pipe (fd), 0);
	else
		pair (fd, SOCK_STREAM);
	e = (struct ends){ kind == 0 ? fd[0] : fd[1], -1 };
	spawn (&t, drain, &e);
	if (kind == 0)
		claim_eq (goad_write (fd[1], buf, BIG), BIG);
	else if (kind == 1)
		claim_eq (goad_sendmsg (fd[0], &m, 0), BIG);
	else if (kind == 2)
		claim_eq (goad_send (fd[0], buf, BIG, 0), BIG);
	else
		claim_eq (goad_writev (fd[0], v, 5), BIG);
	close (kind == 0 ? fd[1] : fd[0]);
	claim_eq (goad_join (t), 0);
	close (e.in);
	free (buf);
}

static void write_whole_all (void *arg)
{
	(void) arg;
	for (int kind = 0; kind < 4; kind++)
		write_whole (kind);
}

Test (io, all_is_written, .timeout = 30)
{
	run (write_whole_all, NULL, 1);
	run (write_whole_all, NULL, 2);
	setenv ("GOAD_NO_RWF_NOWAIT", "1", 1);
	run (write_whole_all, NULL, 2);
	unsetenv ("GOAD_NO_RWF_NOWAIT");
}

static void wait_all (void *arg)
{
	char *buf = calloc (1, 100000);
	int *fd = arg;

	claim_eq (goad_recv (fd[0], buf, 100000, MSG_WAITALL), 100000);
	claim_eq (buf[99999], 'z');
	free (buf);
}

static void send_in_parts (void *arg)
{
	char *buf = calloc (1, 25000);
	goad_task_t *t;
	int fd[2];

	(void) arg;
	pair (fd, SOCK_STREAM);
	memset (buf, 'z', 25000);
	spawn (&t, wait_all, fd);
	for (int i = 0; i < 4; i++) {
		goad_yield ();
		claim_eq (goad_send (fd[1], buf, 25000, 0), 25000);
	}
	claim_eq (goad_join (t), 0);
	close (fd[0]);
	close (fd[1]);
	free (buf);
}

Test (io, waitall, .timeout = 10)
{
	run (send_in_parts, NULL, 1);
	run (send_in_parts, NULL, 2);
}

static void pass_descriptor (void *arg)
{
	char control[CMSG_SPACE (sizeof (int))] = { 0 }, got[sizeof control] = { 0 }, c = 'd';
	struct iovec v = { &c, 1 };
	struct msghdr m = {
		.msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control
	};
	struct cmsghdr *h = CMSG_FIRSTHDR (&m);
	int fd[2], p[2], there;

	(void) arg;
	pair (fd, SOCK_DGRAM);
	claim_eq (pipe (p), 0);
	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN (sizeof (int));
	memcpy (CMSG_DATA (h), &p[1], sizeof (int));
	claim_eq (goad_sendmsg (fd[0], &m, 0), 1);
	m.msg_control = got;
	claim_eq (goad_recvmsg (fd[1], &m, 0), 1);
	h = CMSG_FIRSTHDR (&m);
	claim (h && h->cmsg_type == SCM_RIGHTS);
	if (h) {
		memcpy (&there, CMSG_DATA (h), sizeof there);
		claim_eq (goad_write (there, "!", 1), 1);
		claim_eq (goad_read (p[0], &c, 1), 1);
		claim_eq (c, '!');
		close (there);
	}
	for (int i = 0; i < 2; i++) {
		close (fd[i]);
		close (p[i]);
	}
}

Test (io, control_messages, .timeout = 10)
{
	run (pass_descriptor, NULL, 1);
}

/* Regular files, terminals, eventfds. */

static void files (void *arg)
{
	char name[] = "/tmp/goad-io-XXXXXX", *buf = malloc (BIG);
	int fd = mkstemp (name);

	(void) arg;
	unlink (name);
	memset (buf, 'f', BIG);
	claim_eq (goad_write (fd, buf, BIG), BIG);
	claim_eq (goad_wait_fd (fd, POLLIN | POLLOUT, 0), POLLIN | POLLOUT);
	claim_eq (lseek (fd, 0, SEEK_SET), 0);
	claim_eq (goad_read (fd, buf, 10), 10);
	fsync (fd);
	posix_fadvise (fd, 0, BIG, POSIX_FADV_DONTNEED);
	claim_eq (goad_read (fd, buf, BIG), BIG - 10);
	claim_eq (goad_read (fd, buf, BIG), 0);
	claim_eq (goad_read_until (fd, buf, BIG, 0), 0);
	claim_eq (goad_close (fd), 0);
	free (buf);
	fd = open ("/", O_RDONLY | O_DIRECTORY);
	claim_eq (goad_read (fd, name, 1), -EISDIR);
	close (fd);
}

static void terminal_writer (void *arg)
{
	int *fd = arg;

	goad_sleep (5 * GOAD_MS);
	claim_eq (goad_write (fd[0], "hello\n", 6), 6);
}

static void terminals (void *arg)
{
	char buf[64] = "";
	goad_task_t *t;
	int fd[2];

	(void) arg;
	claim_eq (openpty (&fd[0], &fd[1], NULL, NULL, NULL), 0);
	claim_eq (goad_read_until (fd[1], buf, sizeof buf, 0), -EAGAIN);
	claim_eq (goad_read_until (fd[1], buf, sizeof buf, goad_after (GOAD_MS)), -ETIMEDOUT);
	spawn (&t, terminal_writer, fd);
	claim_eq (goad_read (fd[1], buf, sizeof buf), 6);
	claim (memcmp (buf, "hello\n", 6) == 0);
	claim_eq (goad_join (t), 0);
	claim_eq (fcntl (fd[1], F_GETFL) & O_NONBLOCK, 0);
	claim_eq (goad_close (fd[0]), 0);
	claim_eq (goad_close (fd[1]), 0);
}

static void counters (void *arg)
{
	uint64_t n = 5;
	int fd = eventfd (0, 0);

	(void) arg;
	claim_eq (goad_read_until (fd, &n, sizeof n, goad_after (GOAD_MS)), -ETIMEDOUT);
	claim_eq (goad_write (fd, &n, sizeof n), 8);
	n = 0;
	claim_eq (goad_read (fd, &n, sizeof n), 8);
	claim_eq (n, 5);
	claim_eq (goad_close (fd), 0);
}

Test (io, files_terminals_counters, .timeout = 20)
{
	run (files, NULL, 1);
	run (terminals, NULL, 1);
	run (terminals, NULL, 2);
	run (counters, NULL, 1);
	setenv ("GOAD_NO_RWF_NOWAIT", "1", 1);
	run (files, NULL, 1);
	run (counters, NULL, 2);
	unsetenv ("GOAD_NO_RWF_NOWAIT");
	files (NULL);
	counters (NULL);
	claims_assert ();
}
