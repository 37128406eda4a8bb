#include "draft.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define PREFIX ".pyro-"

enum { DIGITS = 16, ROUNDS = 32 };
#define DELTA 0x9e3779b9u

static uint32_t key[4];
static bool has_key;

void draft_prepare(void) {
  if (!has_key) has_key = getrandom(key, sizeof key, 0) == sizeof key;
}

/* XTEA. A name is a random number and a kind, encrypted: so the agent keeps no list of its drafts, and no other name looks like one. */
static void encrypt(uint32_t block[2]) {
  for (uint32_t round = 0, sum = 0; round < ROUNDS; round++) {
    block[0] += (((block[1] << 4) ^ (block[1] >> 5)) + block[1]) ^ (sum + key[sum & 3]);
    sum += DELTA;
    block[1] += (((block[0] << 4) ^ (block[0] >> 5)) + block[0]) ^ (sum + key[(sum >> 11) & 3]);
  }
}

static void decrypt(uint32_t block[2]) {
  for (uint32_t round = 0, sum = DELTA * ROUNDS; round < ROUNDS; round++) {
    block[1] -= (((block[0] << 4) ^ (block[0] >> 5)) + block[0]) ^ (sum + key[(sum >> 11) & 3]);
    sum -= DELTA;
    block[0] -= (((block[1] << 4) ^ (block[1] >> 5)) + block[1]) ^ (sum + key[sum & 3]);
  }
}

int draft_name(char name[DRAFT_NAME], bool replaces) {
  uint32_t block[2] = {0, replaces ? DRAFT_REPLACES : DRAFT_NEW};
  if (getrandom(block, sizeof block[0], 0) != sizeof block[0]) return EIO;
  encrypt(block);
  snprintf(name, DRAFT_NAME, PREFIX "%08x%08x", block[0], block[1]);
  return 0;
}

enum draft_kind draft_of(const char *name) {
  enum { AT = sizeof PREFIX - 1 };
  if (!has_key || strncmp(name, PREFIX, AT) != 0) return DRAFT_NONE;
  if (strspn(name + AT, "0123456789abcdef") != DIGITS || name[AT + DIGITS] != '\0') return DRAFT_NONE;
  uint64_t number = strtoull(name + AT, NULL, 16);
  uint32_t block[2] = {(uint32_t)(number >> 32), (uint32_t)number};
  decrypt(block);
  return block[1] == DRAFT_NEW ? DRAFT_NEW : block[1] == DRAFT_REPLACES ? DRAFT_REPLACES : DRAFT_NONE;
}
