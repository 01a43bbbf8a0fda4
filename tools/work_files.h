/* SPDX-License-Identifier: MIT */
/* work_files.h - the files that sha256 and deflate read, in memory */
#ifndef GOAD_TOOLS_WORK_FILES_H
#define GOAD_TOOLS_WORK_FILES_H

#include "run.h"

enum { WORK_CHUNK = 1 << 20 };

struct work_files {
	unsigned n;
	uint64_t bytes;
	struct work_file {
		const unsigned char *data;
		size_t size;
	} file[];
};

/* Opens every argument of the work; 0 or an exit code after a message. */
int work_files_open (struct spec *spec);

#endif
