#include "blake2b.h"

#include <string.h>

static const uint64_t initial[8] = {
    0x6a09e667f3bcc908u, 0xbb67ae8584caa73bu, 0x3c6ef372fe94f82bu, 0xa54ff53a5f1d36f1u,
    0x510e527fade682d1u, 0x9b05688c2b3e6c1fu, 0x1f83d9abfb41bd6bu, 0x5be0cd19137e2179u,
};

static const unsigned char order[12][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4}, {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13}, {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11}, {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5}, {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
};

static inline uint64_t rotate_right(uint64_t value, unsigned by) { return (value >> by) | (value << (64 - by)); }

static inline __attribute__((always_inline)) void mix(uint64_t *v, int a, int b, int c, int d, uint64_t x, uint64_t y) {
  v[a] = v[a] + v[b] + x;
  v[d] = rotate_right(v[d] ^ v[a], 32);
  v[c] = v[c] + v[d];
  v[b] = rotate_right(v[b] ^ v[c], 24);
  v[a] = v[a] + v[b] + y;
  v[d] = rotate_right(v[d] ^ v[a], 16);
  v[c] = v[c] + v[d];
  v[b] = rotate_right(v[b] ^ v[c], 63);
}

static void compress(struct blake2b *hash, const unsigned char *block, uint64_t last) {
  uint64_t v[16], m[16];
  memcpy(m, block, sizeof m); /* little endian, as every machine this is built for */
  for (int i = 0; i < 8; i++) {
    v[i] = hash->state[i];
    v[i + 8] = initial[i];
  }
  v[12] ^= hash->counted;
  v[14] ^= last;
#pragma GCC unroll 12
  for (int round = 0; round < 12; round++) {
    const unsigned char *s = order[round];
    mix(v, 0, 4, 8, 12, m[s[0]], m[s[1]]);
    mix(v, 1, 5, 9, 13, m[s[2]], m[s[3]]);
    mix(v, 2, 6, 10, 14, m[s[4]], m[s[5]]);
    mix(v, 3, 7, 11, 15, m[s[6]], m[s[7]]);
    mix(v, 0, 5, 10, 15, m[s[8]], m[s[9]]);
    mix(v, 1, 6, 11, 12, m[s[10]], m[s[11]]);
    mix(v, 2, 7, 8, 13, m[s[12]], m[s[13]]);
    mix(v, 3, 4, 9, 14, m[s[14]], m[s[15]]);
  }
  for (int i = 0; i < 8; i++) hash->state[i] ^= v[i] ^ v[i + 8];
}

void blake2b_start(struct blake2b *hash) {
  memset(hash, 0, sizeof *hash);
  memcpy(hash->state, initial, sizeof hash->state);
  hash->state[0] ^= 0x01010000u | DIGEST_BYTES;
}

void blake2b_add(struct blake2b *hash, const void *bytes, size_t length) {
  const unsigned char *from = bytes;
  if (length == 0) return;
  /* Only blake2b_end compresses the last block, so a full one waits here. */
  if (hash->filled > 0) {
    size_t room = BLAKE2B_BLOCK - hash->filled, part = length < room ? length : room;
    memcpy(hash->block + hash->filled, from, part);
    hash->filled += part;
    from += part;
    length -= part;
    if (length == 0) return;
    hash->counted += BLAKE2B_BLOCK;
    compress(hash, hash->block, 0);
    hash->filled = 0;
  }
  for (; length > BLAKE2B_BLOCK; from += BLAKE2B_BLOCK, length -= BLAKE2B_BLOCK) {
    hash->counted += BLAKE2B_BLOCK;
    compress(hash, from, 0);
  }
  memcpy(hash->block, from, length);
  hash->filled = length;
}

void blake2b_end(struct blake2b *hash, unsigned char digest[DIGEST_BYTES]) {
  memset(hash->block + hash->filled, 0, BLAKE2B_BLOCK - hash->filled);
  hash->counted += hash->filled;
  compress(hash, hash->block, ~(uint64_t)0);
  memcpy(digest, hash->state, DIGEST_BYTES);
}

void blake2b_add_number(struct blake2b *hash, uint64_t number) { blake2b_add(hash, &number, sizeof number); }

void digest_to_hex(const unsigned char digest[DIGEST_BYTES], char text[2 * DIGEST_BYTES + 1]) {
  static const char digits[] = "0123456789abcdef";
  for (size_t i = 0; i < DIGEST_BYTES; i++) {
    text[2 * i] = digits[digest[i] >> 4];
    text[2 * i + 1] = digits[digest[i] & 15];
  }
  text[2 * DIGEST_BYTES] = '\0';
}
