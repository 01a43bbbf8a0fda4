/* SPDX-License-Identifier: MIT */
/* top_read.c - programs with GOAD_TOP=1: finds them, and copies what they show */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "top.h"

enum { PROGRAMS = 256 };

static void read_all (const char *path, char *text, size_t size)
{
	int fd = open (path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read (fd, text, size - 1);

	if (fd >= 0)
		close (fd);
	text[n > 0 ? n : 0] = '\0';
}

/* 0: there is no such process. */
static uint64_t start_of (pid_t pid)
{
	char path[64], text[1024], *at;

	snprintf (path, sizeof path, "/proc/%d/stat", (int) pid);
	read_all (path, text, sizeof text);
	at = strrchr (text, ')');
	for (int field = 2; at && field < 22; field++)
		at = strchr (at + 1, ' ');
	return at ? strtoull (at, NULL, 10) : 0;
}

static void command_of (struct top_program *p)
{
	char path[64];

	snprintf (path, sizeof path, "/proc/%d/comm", (int) p->pid);
	read_all (path, p->command, sizeof p->command);
	p->command[strcspn (p->command, "\n")] = '\0';
}

static size_t look_in (const char *folder, struct top_program *all, size_t n, size_t most)
{
	DIR *d = opendir (folder);
	const struct dirent *e;

	while (d != NULL && n < most && (e = readdir (d)) != NULL) {
		struct top_program *p = &all[n];
		struct stat st;
		unsigned long long start;
		int pid, end = 0;

		if (sscanf (e->d_name, "goad-top.%d.%llu%n", &pid, &start, &end) != 2 || e->d_name[end])
			continue;
		*p = (struct top_program){ .pid = pid, .start = start };
		snprintf (p->path, sizeof p->path, "%s/%s", folder, e->d_name);
		if (lstat (p->path, &st) < 0 || !S_ISREG (st.st_mode))
			continue;
		if (start_of (pid) != start) { /* it was killed, and could not do that itself */
			if (st.st_uid == geteuid ())
				(void) unlink (p->path);
			continue;
		}
		command_of (p);
		n++;
	}
	if (d != NULL)
		closedir (d);
	return n;
}

static int newest_first (const void *a, const void *b)
{
	const struct top_program *x = a, *y = b;

	return x->start != y->start ? (x->start < y->start ? 1 : -1)
	                            : (x->pid < y->pid) - (x->pid > y->pid);
}

size_t top_programs (struct top_program *all, size_t most)
{
	const char *runtime_dir = getenv ("XDG_RUNTIME_DIR");
	size_t n = look_in ("/dev/shm", all, 0, most);

	if (runtime_dir != NULL && *runtime_dir == '/')
		n = look_in (runtime_dir, all, n, most);
	n = look_in ("/tmp", all, n, most);
	qsort (all, n, sizeof *all, newest_first);
	return n;
}

/* The library does that where a process ends the usual way. */
void top_remove_own (void)
{
	struct top_program *all = getenv ("GOAD_TOP") != NULL ? calloc (PROGRAMS, sizeof *all) : NULL;
	size_t n = all != NULL ? top_programs (all, PROGRAMS) : 0;

	for (size_t i = 0; i < n; i++)
		if (all[i].pid == getpid ())
			(void) unlink (all[i].path);
	free (all);
}

static int not_found (const struct top *t, const struct top_program *all, size_t n)
{
	if (t->opt.pid == 0) {
		util_error ("no program shows what it does: start one with GOAD_TOP=1, as in "
		            "'GOAD_TOP=1 goad run spin'");
	} else if (start_of (t->opt.pid) == 0) {
		util_error ("there is no process %d%s", (int) t->opt.pid,
		            n > 0 ? ": 'goad top --list' shows those that can be watched" : "");
	} else {
		util_error ("process %d shows nothing: it must use goad, be yours, and be started with "
		            "GOAD_TOP=1",
		            (int) t->opt.pid);
	}
	(void) all;
	return TOOL_CANNOT;
}

static void nap (uint64_t ns)
{
	struct timespec ts = { (time_t) (ns / GOAD_S), (long) (ns % GOAD_S) };

	nanosleep (&ts, NULL);
}

/* 0, or why not: -EAGAIN, it is being made. */
static int map_once (struct top *t)
{
	int fd = open (t->program.path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC), err = 0;
	void *at = NULL;

	if (fd < 0 || fstat (fd, &t->file) < 0)
		err = -errno;
	else if (t->file.st_size < (off_t) sizeof *t->page)
		err = -EAGAIN;
	else if ((at = mmap (NULL, sizeof *t->page, PROT_READ, MAP_SHARED, fd, 0)) == MAP_FAILED)
		err = -errno;
	if (fd >= 0)
		close (fd);
	if (err != 0)
		return err;
	t->page = at;
	if (memcmp (t->page->magic, GOAD_TOP_MAGIC, sizeof t->page->magic) != 0) {
		top_detach (t);
		return -EAGAIN;
	}
	__atomic_thread_fence (__ATOMIC_ACQUIRE); /* [ord:top-magic] */
	if (t->page->version == GOAD_TOP_VERSION)
		return 0;
	top_detach (t);
	return -EPROTO;
}

/* The file that has the name now. */
static int map_page (struct top *t)
{
	int err = -EAGAIN;

	top_detach (t);
	for (int i = 0; i < 100 && err == -EAGAIN; i++) {
		if (i > 0)
			nap (10 * GOAD_MS);
		err = map_once (t);
	}
	return err;
}

int top_attach (struct top *t)
{
	struct top_program *all = calloc (PROGRAMS, sizeof *all);
	size_t n = all != NULL ? top_programs (all, PROGRAMS) : 0, i = 0;
	int err;

	while (i < n && t->opt.pid != 0 && all[i].pid != t->opt.pid)
		i++;
	if (i >= n) {
		int code = not_found (t, all, n);
		free (all);
		return code;
	}
	t->program = all[i];
	free (all);
	err = map_page (t);
	if (err == 0)
		return 0;
	if (err == -EPROTO || err == -EAGAIN)
		util_error ("'%s' is of another version of goad: use its own goad top", t->program.path);
	else
		util_error ("'%s': %s", t->program.path, strerror (-err));
	return TOOL_CANNOT;
}

void top_detach (struct top *t)
{
	if (t->page != NULL)
		munmap ((void *) (uintptr_t) t->page, sizeof *t->page);
	t->page = NULL;
}

/* [ord:top-seq], in another process.  Who was killed in the middle leaves an odd number. */
static bool copy (struct top *t)
{
	for (int i = 0; i < 1000; i++) {
		uint64_t seq = __atomic_load_n (&t->page->seq, __ATOMIC_ACQUIRE);

		if (seq != 0 && !(seq & 1)) {
			memcpy (&t->now, t->page, sizeof t->now);
			__atomic_thread_fence (__ATOMIC_ACQUIRE);
			if (__atomic_load_n (&t->page->seq, __ATOMIC_RELAXED) == seq)
				return true;
		}
		nap (GOAD_MS);
	}
	return false;
}

/* The runtime's end takes the file away, and the process may go on; the next runtime's has the
 * same name.  Model: tests/model/top.pml. */
bool top_read (struct top *t)
{
	struct stat st;

	if (lstat (t->program.path, &st) < 0 || start_of (t->program.pid) != t->program.start)
		return false;
	/* The number of a file that is mapped is not given to another. */
	if ((t->page == NULL || st.st_ino != t->file.st_ino || st.st_dev != t->file.st_dev) &&
	    map_page (t) != 0)
		return false;
	if (!copy (t))
		return false;
	t->now.tasks = t->now.tasks < GOAD_TOP_TASKS ? t->now.tasks : GOAD_TOP_TASKS;
	t->at = goad_now ();
	return true;
}

/* The first page of a program has no interval before it. */
void top_await (struct top *t)
{
	for (int i = 0; i < 100 && top_read (t) && t->now.interval_ns == 0 && !t->now.quiet; i++)
		nap (10 * GOAD_MS);
}
