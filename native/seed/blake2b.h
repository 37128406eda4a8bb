/* BLAKE2b with a 256-bit digest and no key (RFC 7693); `b2sum -l 256` prints the same. */
#ifndef PYRO_BLAKE2B_H
#define PYRO_BLAKE2B_H

#include <stddef.h>
#include <stdint.h>

enum { DIGEST_BYTES = 32, BLAKE2B_BLOCK = 128 };

struct blake2b {
  uint64_t state[8];
  uint64_t counted; /* bytes compressed so far; files beyond 2^64 bytes do not exist */
  size_t filled;
  unsigned char block[BLAKE2B_BLOCK];
};

void blake2b_start(struct blake2b *hash);
void blake2b_add(struct blake2b *hash, const void *bytes, size_t length);
void blake2b_end(struct blake2b *hash, unsigned char digest[DIGEST_BYTES]);

/* Adds a number as eight bytes, least significant first. */
void blake2b_add_number(struct blake2b *hash, uint64_t number);

/* Writes a digest as 64 hexadecimal digits and a NUL. */
void digest_to_hex(const unsigned char digest[DIGEST_BYTES], char text[2 * DIGEST_BYTES + 1]);

#endif
