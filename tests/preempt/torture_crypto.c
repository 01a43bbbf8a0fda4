/* SPDX-License-Identifier: MIT */
/* tests/preempt/torture_crypto.c - SHA-512 and AES-GCM */
#include "tests/preempt/torture.h"

#ifdef HAVE_CRYPTO

#include <openssl/evp.h>
#include <stdlib.h>

enum { LENGTH = 16000 };

static void hash (const unsigned char *data, size_t size, unsigned char *out)
{
	unsigned n = 0;

	if (EVP_Digest (data, size, out, &n, EVP_sha512 (), NULL) != 1 || n != 64)
		abort ();
}

/* Encrypts in several pieces; out is the cipher text and the tag. */
static void seal (unsigned which, const unsigned char *data, unsigned char *out)
{
	static const unsigned char key[32] = "thirty-two bytes of no secret...";
	unsigned char iv[12] = { (unsigned char) which, 1, 2, 3 };
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new ();
	int n, at = 0;

	if (EVP_EncryptInit_ex (ctx, EVP_aes_256_gcm (), NULL, key, iv) != 1)
		abort ();
	for (int piece = 0; piece < 8; piece++, at += n)
		if (EVP_EncryptUpdate (ctx, out + at, &n, data + at, LENGTH / 8) != 1)
			abort ();
	if (EVP_EncryptFinal_ex (ctx, out + at, &n) != 1 ||
	    EVP_CIPHER_CTX_ctrl (ctx, EVP_CTRL_GCM_GET_TAG, 16, out + at) != 1)
		abort ();
	EVP_CIPHER_CTX_free (ctx);
}

static int open_seal (unsigned which, const unsigned char *sealed, unsigned char *out)
{
	static const unsigned char key[32] = "thirty-two bytes of no secret...";
	unsigned char iv[12] = { (unsigned char) which, 1, 2, 3 };
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new ();
	int n, held;

	held = EVP_DecryptInit_ex (ctx, EVP_aes_256_gcm (), NULL, key, iv) == 1 &&
	       EVP_DecryptUpdate (ctx, out, &n, sealed, LENGTH) == 1 &&
	       EVP_CIPHER_CTX_ctrl (ctx, EVP_CTRL_GCM_SET_TAG, 16, (void *) (sealed + LENGTH)) == 1 &&
	       EVP_DecryptFinal_ex (ctx, out + n, &n) == 1;
	EVP_CIPHER_CTX_free (ctx);
	return held;
}

static void encrypt (unsigned which, void *out)
{
	unsigned char *data = malloc (LENGTH), *sealed = malloc (LENGTH + 16), *back = malloc (LENGTH);
	unsigned char *result = out;
	uint64_t state = which;

	for (size_t i = 0; i < LENGTH; i += 8) {
		uint64_t r = next_random (&state);

		memcpy (data + i, &r, 8);
	}
	hash (data, LENGTH, result);
	seal (which, data, sealed);
	hash (sealed, LENGTH + 16, result + 64);
	result[128] = (unsigned char) open_seal (which, sealed, back);
	result[129] = memcmp (data, back, LENGTH) == 0;
	free (back);
	free (sealed);
	free (data);
}

/* libcrypto takes locks through pthreads, so it is bound; what yields is our loop. */
static const struct torture t = { .work = encrypt, .size = 130, .yielded = 5, .handed_off = 500 };

Test (torture_crypto, chosen, .timeout = 60)
{
	torture_auto (&t);
}

Test (torture_crypto, handed_off, .timeout = 60)
{
	torture_handoff (&t);
}

#else

Test (torture_crypto, chosen)
{
	cr_skip ("built without OpenSSL's libcrypto");
}

#endif
