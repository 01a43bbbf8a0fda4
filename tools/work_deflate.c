/* SPDX-License-Identifier: MIT */
/* work_deflate.c - deflate FILE...: each file compressed by zlib, its output read
 * back and compared in the first round */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "work_files.h"

extern const struct work work_deflate;

#ifdef HAVE_ZLIB

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { PIECE = 65536 };

struct buffers {
	unsigned char out[PIECE], back[PIECE];
};

struct pass {
	uint64_t bytes;
	uLong adler; /* of all compressed output */
	bool check;
	z_stream packer, reader;
	const struct work_file *file;
	size_t seen; /* bytes of the file that were read back */
};

/* Reads back what was compressed and compares it with the file. */
static bool read_back (struct pass *p, struct buffers *b, size_t len)
{
	p->reader.next_in = b->out;
	p->reader.avail_in = (uInt) len;
	do {
		p->reader.next_out = b->back;
		p->reader.avail_out = PIECE;
		int e = inflate (&p->reader, Z_NO_FLUSH);
		size_t n = PIECE - p->reader.avail_out;

		if ((e != Z_OK && e != Z_STREAM_END && e != Z_BUF_ERROR) || n > p->file->size - p->seen ||
		    (n > 0 && memcmp (b->back, p->file->data + p->seen, n) != 0))
			return false;
		p->seen += n;
	} while (p->reader.avail_out == 0);
	return true;
}

static bool pack_chunk (struct pass *p, struct buffers *b, int flush)
{
	do {
		p->packer.next_out = b->out;
		p->packer.avail_out = PIECE;
		if (deflate (&p->packer, flush) == Z_STREAM_ERROR)
			return false;
		size_t n = PIECE - p->packer.avail_out;
		p->bytes += n;
		p->adler = adler32 (p->adler, b->out, (uInt) n);
		if (p->check && n > 0 && !read_back (p, b, n))
			return false;
	} while (p->packer.avail_out == 0);
	return true;
}

static bool pack_file (struct pass *p, struct buffers *b, const struct work_file *f)
{
	size_t at = 0;

	p->file = f;
	p->seen = 0;
	if (deflateReset (&p->packer) != Z_OK || inflateReset (&p->reader) != Z_OK)
		return false;
	do {
		size_t n = f->size - at < WORK_CHUNK ? f->size - at : WORK_CHUNK;

		/* zlib only reads here; older ones lack the const. */
		memcpy (&p->packer.next_in, &(const unsigned char *){ f->data + at },
		        sizeof p->packer.next_in);
		p->packer.avail_in = (uInt) n;
		at += n;
		if (!pack_chunk (p, b, at == f->size ? Z_FINISH : Z_NO_FLUSH))
			return false;
	} while (at < f->size);
	return !p->check || p->seen == f->size;
}

static bool pack_files (struct task *task, struct pass *p, struct buffers *b)
{
	const struct work_files *files = task->spec->data;

	p->bytes = 0;
	p->adler = adler32 (0, NULL, 0);
	p->check = atomic_load (&task->passes) == 0;
	for (unsigned i = 0; i < files->n; i++)
		if (!pack_file (p, b, &files->file[i]))
			return false;
	run_result (task, "%llu bytes to %llu, adler32 %08lx", (unsigned long long) files->bytes,
	            (unsigned long long) p->bytes, p->adler);
	return true;
}

static int body (struct task *task)
{
	struct pass p = { 0 };
	struct buffers *b = malloc (sizeof *b);
	bool ok = b != NULL && deflateInit (&p.packer, Z_DEFAULT_COMPRESSION) == Z_OK &&
	          inflateInit (&p.reader) == Z_OK;

	while (ok) {
		ok = pack_files (task, &p, b);
		if (run_over (task))
			break;
	}
	deflateEnd (&p.packer);
	inflateEnd (&p.reader);
	free (b);
	return ok ? 0 : 1;
}

const struct work work_deflate = {
	.name = "deflate",
	.args = "FILE...",
	.doc = "compress files with zlib",
	.prepare = work_files_open,
	.body = body,
};

#else

const struct work work_deflate = {
	.name = "deflate",
	.args = "FILE...",
	.doc = "compress files with zlib",
	.package = "zlib1g-dev",
};

#endif
