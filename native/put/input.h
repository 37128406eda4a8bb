/* Input of a one-shot program, and its records on stdout. */
#ifndef PYRO_PUT_INPUT_H
#define PYRO_PUT_INPUT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct input {
  ssize_t (*read)(void *context, void *bytes, size_t length);
  void *context;
  size_t at, end;
  unsigned char buffer[64 * 1024];
};

/* 0, or -1 when the input ended. */
int input_take(struct input *input, void *bytes, size_t length);
int input_number(struct input *input, int bytes, uint64_t *number);

/* A read function of the process's stdin. */
ssize_t input_stdin(void *context, void *bytes, size_t length);

/* Three NUL-terminated fields. Names in them are raw bytes. */
void put_report(const char *kind, const char *subject, const char *text);

#endif
