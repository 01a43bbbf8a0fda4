/* SPDX-License-Identifier: MIT */
/* peek.c - reading our own memory where it may vanish meanwhile
 *
 * The kernel does the copying in both ways, and a page that is not there is an
 * error code to it.  process_vm_readv needs no descriptor and is the faster; some
 * seccomp filters refuse it, and then the file of the process's memory serves.
 * Only the thread that refreshes the table comes here, so statics are enough.
 */
#include "preempt/peek.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/os.h"

static int mem_fd = -1;
static pid_t self;

static ssize_t vm_read (uintptr_t addr, void *dst, size_t n)
{
	struct iovec to = { dst, n };
	struct iovec from = { (void *) addr, n };

	return syscall (SYS_process_vm_readv, self, &to, 1, &from, 1, 0);
}

int goad__peek_open (void)
{
	static const char probe = 'g';
	char got = 0;

	/* Asked each time: the number changes with fork. */
	self = (pid_t) syscall (SYS_getpid);
	if (!goad__env_flag ("GOAD_NO_VM_READV") && vm_read ((uintptr_t) &probe, &got, 1) == 1)
		return 0;
	mem_fd = open ("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	return mem_fd < 0 ? -errno : 0;
}

void goad__peek_close (void)
{
	if (mem_fd >= 0)
		close (mem_fd);
	mem_fd = -1;
}

bool goad__peek (uintptr_t addr, void *dst, size_t n)
{
	char *to = dst;

	while (n > 0) {
		ssize_t got = mem_fd < 0 ? vm_read (addr, to, n) : pread (mem_fd, to, n, (off_t) addr);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		addr += (size_t) got;
		to += got;
		n -= (size_t) got;
	}
	return true;
}

bool goad__peek_paged (void *token, uintptr_t addr, void *dst, size_t n)
{
	struct goad__peek_pages *p = token;
	uintptr_t at = addr & ~(uintptr_t) (GOAD__PAGE - 1);
	size_t i = at / GOAD__PAGE % GOAD__PEEK_PAGES, offset = addr - at;

	if (offset + n > GOAD__PAGE)
		return goad__peek (addr, dst, n);
	if (p->at[i] != at) {
		p->at[i] = 0;
		if (!goad__peek (at, p->copy[i], GOAD__PAGE))
			return false;
		p->at[i] = at;
	}
	memcpy (dst, p->copy[i] + offset, n);
	return true;
}
