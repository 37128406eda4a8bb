/* Remembers files with several names, by the first one, and directories, which have one name. */
#include <stdlib.h>
#include <string.h>

#include "erofs.h"

enum { BUCKETS = 1 << 20 };

struct first {
  struct first *next;
  uint64_t number;
  char path[];
};

static struct first *buckets[BUCKETS];

const char *first_path(uint64_t number, const char *path) {
  struct first **bucket = &buckets[number % BUCKETS];
  for (const struct first *at = *bucket; at != NULL; at = at->next)
    if (at->number == number) return at->path;
  size_t size = strlen(path) + 1;
  struct first *this = malloc(sizeof *this + size);
  if (this == NULL) abort();
  this->number = number;
  memcpy(this->path, path, size);
  this->next = *bucket;
  *bucket = this;
  return NULL;
}
