/* SPDX-License-Identifier: MIT */
/* work_files.c - the files that sha256 and deflate read, in memory
 *
 * Regular files are mapped; what cannot be mapped, such as a pipe, is read whole.
 * All copies of the work share them. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "work_files.h"

static int read_whole (int fd, struct work_file *f)
{
	unsigned char *data = NULL;
	size_t cap = 0;

	for (;;) {
		if (f->size == cap) {
			unsigned char *more = realloc (data, cap = cap != 0 ? 2 * cap : WORK_CHUNK);

			if (more == NULL) {
				free (data);
				return -ENOMEM;
			}
			data = more;
		}
		ssize_t n = read (fd, data + f->size, cap - f->size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			int e = -errno;

			free (data);
			return e;
		}
		if (n == 0)
			break;
		f->size += (size_t) n;
	}
	f->data = data;
	return 0;
}

static int open_one (const char *path, struct work_file *f)
{
	struct stat st;
	int fd = open (path, O_RDONLY | O_CLOEXEC), e = 0;

	if (fd < 0)
		return -errno;
	if (fstat (fd, &st) < 0) {
		e = -errno;
	} else if (S_ISDIR (st.st_mode)) {
		e = -EISDIR;
	} else if (S_ISREG (st.st_mode) && st.st_size > 0) {
		void *p = mmap (NULL, (size_t) st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);

		if (p == MAP_FAILED)
			e = -errno;
		f->data = p;
		f->size = (size_t) st.st_size;
	} else {
		e = read_whole (fd, f);
	}
	close (fd);
	return e;
}

int work_files_open (struct spec *spec)
{
	unsigned n = (unsigned) spec->argc - 1;
	struct work_files *files = calloc (1, sizeof *files + n * sizeof files->file[0]);

	if (files == NULL)
		return TOOL_FAILED;
	if (n == 0) {
		util_error ("'%s' needs a FILE, as in '%s README.md'", spec->argv[0], spec->argv[0]);
		free (files);
		return TOOL_USAGE;
	}
	files->n = n;
	for (unsigned i = 0; i < n; i++) {
		int e = open_one (spec->argv[i + 1], &files->file[i]);

		if (e < 0) {
			util_error ("%s: '%s': %s", spec->argv[0], spec->argv[i + 1], strerror (-e));
			return TOOL_USAGE;
		}
		files->bytes += files->file[i].size;
	}
	spec->data = files;
	return 0;
}
