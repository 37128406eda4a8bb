#include "seed.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_BYTES = 8 * 1024 * 1024 };

/* Exactly so many bytes from stdin: later bytes belong to another reader. False at its end. */
static int read_exactly(void *bytes, size_t length) {
  for (size_t at = 0; at < length;) {
    ssize_t got = read(STDIN_FILENO, (char *)bytes + at, length - at);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return 0;
    at += (size_t)got;
  }
  return 1;
}

int await_arguments(char ***arguments) {
  uint32_t length;
  if (!read_exactly(&length, sizeof length)) exit(SEED_DONE); /* the parent has no use for this process */
  length = ntohl(length);
  if (length > MOST_BYTES) die(SEED_USAGE, "arguments of %u bytes", length);
  char *text = arena((size_t)length + 1), *end = text + length;
  if (!read_exactly(text, length)) die(SEED_USAGE, "the arguments end before their length");
  int count = 0;
  for (char *at = text; at < end; at += strlen(at) + 1) count++;
  char **words = arena(((size_t)count + 1) * sizeof *words);
  char *at = text;
  for (int i = 0; i < count; i++, at += strlen(at) + 1) words[i] = at;
  *arguments = words;
  return count;
}
