/* SPDX-License-Identifier: MIT */
#include "base/os.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/syscall.h"

void *goad__pages_get (size_t size)
{
	void *p = mmap (NULL, goad__round_up (size, GOAD__PAGE), PROT_READ | PROT_WRITE,
	                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return p == MAP_FAILED ? NULL : p;
}

void goad__pages_put (void *p, size_t size)
{
	if (p)
		munmap (p, goad__round_up (size, GOAD__PAGE));
}

int goad__gettid (void)
{
	return (int) goad__syscall3 (SYS_gettid, 0, 0, 0);
}

int goad__thread_signal (int tid, int signo, void *cookie)
{
	siginfo_t info;

	memset (&info, 0, sizeof info);
	info.si_code = SI_QUEUE;
	info.si_pid = getpid ();
	info.si_uid = getuid ();
	info.si_value.sival_ptr = cookie;
	return (int) goad__syscall4 (SYS_rt_tgsigqueueinfo, info.si_pid, tid, signo, (long) &info);
}

bool goad__env_flag (const char *name)
{
	const char *v = getenv (name);
	return v && *v && strcmp (v, "0") != 0;
}
