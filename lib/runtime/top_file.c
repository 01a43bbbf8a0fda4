/* SPDX-License-Identifier: MIT */
/* The file of GOAD_TOP: made at the start, taken away at the end.
 *
 * Its name has the pid and the process's start time, so that one left behind by a process
 * that was killed is known for what it is.  O_EXCL and O_NOFOLLOW: whoever else can write
 * to the folder can keep us from making it, and that is all. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fatal.h"
#include "runtime/top.h"

static struct {
	struct goad_top_page *page;
	char path[512];
} file;

/* Field 22 of /proc/self/stat; the second, a name, may hold anything but ends with the last
 * bracket. */
static uint64_t start_time (void)
{
	char text[1024], *at;
	int fd = open ("/proc/self/stat", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read (fd, text, sizeof text - 1);

	if (fd >= 0)
		close (fd);
	text[n > 0 ? n : 0] = '\0';
	at = strrchr (text, ')');
	for (int field = 2; at && field < 22; field++)
		at = strchr (at + 1, ' ');
	return at ? strtoull (at, NULL, 10) : 0;
}

static int make (const char *folder, uint64_t start)
{
	const int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int fd;

	snprintf (file.path, sizeof file.path, "%s/goad-top.%d.%llu", folder, (int) getpid (),
	          (unsigned long long) start);
	fd = open (file.path, flags, 0600);
	if (fd < 0 && errno == EEXIST && unlink (file.path) == 0) /* ours, from before an exec */
		fd = open (file.path, flags, 0600);
	return fd < 0 ? -errno : fd;
}

static int make_somewhere (uint64_t start)
{
	const char *runtime_dir = getenv ("XDG_RUNTIME_DIR");
	int fd = make ("/dev/shm", start);

	if (fd < 0 && runtime_dir && *runtime_dir == '/')
		fd = make (runtime_dir, start);
	return fd < 0 ? make ("/tmp", start) : fd;
}

/* A child of fork does not inherit it: it is not its own. */
struct goad_top_page *goad__top_file_open (void)
{
	const size_t size = sizeof (struct goad_top_page);
	uint64_t start = start_time ();
	int fd = make_somewhere (start), err = fd < 0 ? -fd : 0;
	void *at = MAP_FAILED;

	if (err == 0 && (fchmod (fd, 0600) < 0 || ftruncate (fd, (off_t) size) < 0))
		err = errno;
	if (err == 0)
		err = posix_fallocate (fd, 0, (off_t) size); /* a full disk is to be met here */
	if (err == 0 &&
	    (at = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)) == MAP_FAILED)
		err = errno;
	if (fd >= 0)
		close (fd);
	if (err) {
		goad__line ("GOAD_TOP: %s: goad top will not see this program: %s", file.path,
		            strerrordesc_np (err));
		if (fd >= 0)
			unlink (file.path);
		return NULL;
	}
	madvise (at, size, MADV_DONTFORK);
	file.page = at;
	file.page->version = GOAD_TOP_VERSION;
	file.page->size = (uint32_t) size;
	file.page->pid = (uint32_t) getpid ();
	file.page->start = start;
	return file.page;
}

void goad__top_file_close (void)
{
	if (!file.page)
		return;
	unlink (file.path);
	munmap (file.page, sizeof *file.page);
	file.page = NULL;
}

/* The program exits while the runtime runs. */
__attribute__ ((destructor)) static void at_exit (void)
{
	if (file.page)
		unlink (file.path);
}

void goad__top_file_forget (void)
{
	file.page = NULL;
}
