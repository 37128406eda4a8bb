/* Fuzz target of pyro-apply's list parser: accepted changes stay beneath their directory. */
#include "../apply/changes.h"
#include "../put/path.h"

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

static void examine(const struct changes *changes) {
  uint64_t bytes = 0;
  for (size_t i = 0; i < changes->count; i++) {
    const struct change *change = &changes->list[i];
    char slashed[APPLY_PATH_MOST + 3];
    size_t length = strlen(change->path);
    bytes += change->old.size + change->new.size;
    if (length == 0 || length > APPLY_PATH_MOST || !plain_path(change->path, length)) abort();
    slashed[0] = '/';
    memcpy(slashed + 1, change->path, length);
    slashed[length + 1] = '/';
    slashed[length + 2] = '\0';
    if (strstr(slashed, "//") != NULL || strstr(slashed, "/./") != NULL || strstr(slashed, "/../") != NULL) abort();
  }
  if (bytes != changes->bytes || bytes > INT64_MAX) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  static struct input input;
  struct stream stream = {bytes, length};
  struct changes changes = {0};
  int ended;
  input.read = read_stream;
  input.context = &stream;
  input.at = input.end = 0;
  if (changes_read(&changes, &input, &ended) == NULL) examine(&changes);
  changes_free(&changes);
  return 0;
}
