/* SPDX-License-Identifier: MIT */
/* work_sha256.c - sha256 FILE...: the digest of the files one after the other, by
 * OpenSSL's libcrypto; the same as that of `cat FILE... | sha256sum` */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "work_files.h"

extern const struct work work_sha256;

#if defined HAVE_LIBCRYPTO || defined HAVE_CRYPTO

#include <openssl/evp.h>
#include <stdio.h>

/* Loads what libcrypto loads on first use, before the runtime starts. */
static int prepare (struct spec *spec)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len;

	if (EVP_Digest ("", 0, digest, &len, EVP_sha256 (), NULL) != 1) {
		util_error ("sha256: libcrypto has no SHA-256 here");
		return TOOL_CANNOT;
	}
	return work_files_open (spec);
}

static bool add_file (EVP_MD_CTX *ctx, const struct work_file *f)
{
	for (size_t at = 0; at < f->size; at += WORK_CHUNK) {
		size_t n = f->size - at < WORK_CHUNK ? f->size - at : WORK_CHUNK;

		if (EVP_DigestUpdate (ctx, f->data + at, n) != 1)
			return false;
	}
	return true;
}

static bool digest_files (EVP_MD_CTX *ctx, const struct work_files *files, char hex[65])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (EVP_DigestInit_ex (ctx, EVP_sha256 (), NULL) != 1)
		return false;
	for (unsigned i = 0; i < files->n; i++)
		if (!add_file (ctx, &files->file[i]))
			return false;
	if (EVP_DigestFinal_ex (ctx, digest, &len) != 1 || len != 32)
		return false;
	for (unsigned i = 0; i < 32; i++)
		snprintf (hex + 2 * i, 3, "%02x", digest[i]);
	return true;
}

static int body (struct task *task)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new ();
	char hex[65];
	bool ok = ctx != NULL;

	while (ok) {
		ok = digest_files (ctx, task->spec->data, hex);
		if (ok)
			run_result (task, "%s", hex);
		if (run_over (task))
			break;
	}
	EVP_MD_CTX_free (ctx);
	return ok ? 0 : 1;
}

const struct work work_sha256 = {
	.name = "sha256",
	.args = "FILE...",
	.doc = "hash files",
	.prepare = prepare,
	.body = body,
};

#else

const struct work work_sha256 = {
	.name = "sha256",
	.args = "FILE...",
	.doc = "hash files",
	.package = "libssl-dev",
};

#endif
