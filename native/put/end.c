#include "put.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const words[] = {"done", "failed", "usage", "full", "conflict", "withdrawn", "malformed"};

void put_end(struct put *put, enum put_outcome outcome, const char *format, ...) {
  char text[1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  if (put->stage >= 0) {
    place_undo(put);
    close(put->stage);
    remove_tree(put->stage_home, put->stage_name);
  }
  put_report("error", words[outcome], text);
  fflush(stdout);
  exit(outcome);
}

void put_fail(struct put *put, int error, const char *what, const char *path) {
  put_end(put, error == ENOSPC || error == EDQUOT ? PUT_FULL : PUT_FAILED, "%s %s: %s", what, path, strerror(error));
}
