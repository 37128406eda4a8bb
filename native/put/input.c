#include "input.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

ssize_t input_stdin(void *context, void *bytes, size_t length) {
  ssize_t count;
  (void)context;
  do count = read(STDIN_FILENO, bytes, length);
  while (count < 0 && errno == EINTR);
  return count;
}

int input_take(struct input *input, void *bytes, size_t length) {
  unsigned char *to = bytes;
  while (length > 0) {
    if (input->at == input->end) {
      ssize_t count = input->read(input->context, input->buffer, sizeof input->buffer);
      if (count <= 0) return -1;
      input->at = 0;
      input->end = (size_t)count;
    }
    size_t part = input->end - input->at < length ? input->end - input->at : length;
    memcpy(to, input->buffer + input->at, part);
    input->at += part;
    to += part;
    length -= part;
  }
  return 0;
}

int input_number(struct input *input, int bytes, uint64_t *number) {
  unsigned char field[8];
  if (input_take(input, field, (size_t)bytes) != 0) return -1;
  *number = 0;
  for (int i = 0; i < bytes; i++) *number = *number << 8 | field[i];
  return 0;
}

void put_report(const char *kind, const char *subject, const char *text) {
  fwrite(kind, 1, strlen(kind) + 1, stdout);
  fwrite(subject, 1, strlen(subject) + 1, stdout);
  fwrite(text, 1, strlen(text) + 1, stdout);
}
