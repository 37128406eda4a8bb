/* Fuzz target of pyro-put's list parser: accepted entries stay beneath their root. */
#include "../put/path.h"
#include "../put/plan.h"

#include <stdlib.h>
#include <string.h>

struct stream {
  const unsigned char *bytes;
  size_t left;
};

static ssize_t read_stream(void *context, void *bytes, size_t length) {
  struct stream *stream = context;
  if (length > stream->left) length = stream->left;
  if (length > 97) length = 97;
  memcpy(bytes, stream->bytes, length);
  stream->bytes += length;
  stream->left -= length;
  return (ssize_t)length;
}

static void examine(const struct plan *plan) {
  uint64_t bytes = 0;
  if (plan->count == 0 || plan->entries[0].length != 0) abort();
  for (size_t i = 0; i < plan->count; i++) {
    const struct entry *entry = &plan->entries[i];
    char slashed[PUT_PATH_MOST + 3];
    bytes += entry->size;
    if (strlen(entry->path) != entry->length || entry->length > PUT_PATH_MOST || entry->mode > 0777 ||
        (entry->type == 'l') != (entry->target != NULL))
      abort();
    if (i == 0) continue;
    const struct entry *parent = &plan->entries[entry->parent];
    size_t folder;
    path_base(entry->path, &folder);
    if (entry->parent >= i || parent->type != 'd' || parent->length != folder || memcmp(parent->path, entry->path, folder) != 0) abort();
    slashed[0] = '/';
    memcpy(slashed + 1, entry->path, entry->length);
    slashed[entry->length + 1] = '/';
    slashed[entry->length + 2] = '\0';
    if (strstr(slashed, "//") != NULL || strstr(slashed, "/./") != NULL || strstr(slashed, "/../") != NULL) abort();
  }
  if (bytes != plan->bytes || bytes > INT64_MAX) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  static struct input input;
  struct stream stream = {bytes, length};
  struct plan plan = {0};
  int ended;
  input.read = read_stream;
  input.context = &stream;
  input.at = input.end = 0;
  if (plan_read(&plan, &input, &ended) == NULL) examine(&plan);
  plan_free(&plan);
  return 0;
}
