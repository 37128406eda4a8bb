#include "ids.h"

#include <string.h>

/* A daemon retries an opener within moments; this is many times the openers in flight. */
enum { REMEMBERED = 4096, BUCKETS = 1024 };

static uint8_t ids[REMEMBERED][ID_SIZE];
static uint16_t heads[BUCKETS]; /* index + 1 of the first id of a bucket; 0 = none */
static uint16_t nexts[REMEMBERED];
static size_t count;

static uint16_t *bucket_of(const uint8_t id[ID_SIZE]) {
  uint32_t hash = 2166136261u; /* FNV-1a */
  for (size_t i = 0; i < ID_SIZE; i++) hash = (hash ^ id[i]) * 16777619u;
  return &heads[hash % BUCKETS];
}

bool ids_known(const uint8_t id[ID_SIZE]) {
  for (uint16_t at = *bucket_of(id); at != 0; at = nexts[at - 1])
    if (memcmp(ids[at - 1], id, ID_SIZE) == 0) return true;
  return false;
}

static void forget(size_t index) {
  for (uint16_t *at = bucket_of(ids[index]); *at != 0; at = &nexts[*at - 1]) {
    if (*at != index + 1) continue;
    *at = nexts[index];
    return;
  }
}

void ids_remember(const uint8_t id[ID_SIZE]) {
  size_t index = count++ % REMEMBERED;
  if (count > REMEMBERED) forget(index);
  uint16_t *bucket = bucket_of(id);
  memcpy(ids[index], id, ID_SIZE);
  nexts[index] = *bucket;
  *bucket = (uint16_t)(index + 1);
}
