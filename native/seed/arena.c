#include "seed.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK = 1024 * 1024 };

static char *chunk;
static size_t left;

void *arena(size_t bytes) {
  bytes = (bytes + 15) / 16 * 16;
  if (bytes > left) {
    size_t size = bytes > CHUNK / 4 ? bytes : CHUNK;
    char *fresh = calloc(1, size);
    if (fresh == NULL) die(SEED_FAILED, "out of memory");
    if (size != CHUNK) return fresh;
    chunk = fresh;
    left = CHUNK;
  }
  void *taken = chunk;
  chunk += bytes;
  left -= bytes;
  return taken;
}

char *arena_text(const char *text, size_t length) {
  char *copy = arena(length + 1);
  memcpy(copy, text, length);
  copy[length] = '\0';
  return copy;
}
