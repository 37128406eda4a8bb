#include "fake_names.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum {
  /* 198.18.0.0/15 without its first 256 addresses, which are the agent's own. */
  RESERVED = 256,
  ADDRESSES = 131072 - RESERVED,
  /* A program that looks up ever new names gets a server failure from here on. */
  NAMES_MAX = 32768,
  BUCKETS = 4096,
};
enum { FIRST_OCTET = 198, SECOND_OCTET = 18 };

struct fake {
  struct fake *next;
  uint32_t index;
  char name[];
};

static struct fake *buckets[BUCKETS];
static unsigned count;

/* FNV-1a, mixed so that every bit reaches the low ones. */
static uint32_t hash(const char *name) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (; *name != '\0'; name++) hash = (hash ^ (uint8_t)*name) * 0x100000001b3u;
  hash = (hash ^ hash >> 32) * 0x9e3779b97f4a7c15u;
  return (uint32_t)(hash >> 32);
}

static struct fake *find(uint32_t index) {
  struct fake *fake = buckets[index % BUCKETS];
  while (fake != NULL && fake->index != index) fake = fake->next;
  return fake;
}

static struct fake *add(const char *name, uint32_t index) {
  size_t size = strlen(name) + 1;
  struct fake *fake = count < NAMES_MAX ? malloc(sizeof *fake + size) : NULL;
  if (fake == NULL) return NULL;
  *fake = (struct fake){.next = buckets[index % BUCKETS], .index = index};
  memcpy(fake->name, name, size);
  buckets[index % BUCKETS] = fake;
  count++;
  return fake;
}

/* The next free address follows a taken one. Nothing is ever removed, so a name is found where the search put it. */
bool fake_address(const char *name, uint8_t address[4]) {
  uint32_t index = hash(name) % ADDRESSES;
  struct fake *fake = find(index);
  while (fake != NULL && strcmp(fake->name, name) != 0) {
    index = (index + 1) % ADDRESSES;
    fake = find(index);
  }
  if (fake == NULL && add(name, index) == NULL) return false;
  uint32_t place = index + RESERVED;
  memcpy(address, (uint8_t[]){FIRST_OCTET, (uint8_t)(SECOND_OCTET | place >> 16), (uint8_t)(place >> 8), (uint8_t)place}, 4);
  return true;
}

const char *fake_name(const uint8_t address[4]) {
  if (address[0] != FIRST_OCTET || (address[1] & ~1) != SECOND_OCTET) return "";
  uint32_t place = (uint32_t)(address[1] & 1) << 16 | (uint32_t)address[2] << 8 | address[3];
  const struct fake *fake = place < RESERVED ? NULL : find(place - RESERVED);
  return fake == NULL ? "" : fake->name;
}
