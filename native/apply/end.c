#include "apply.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const words[] = {"done", "failed", "usage", "full", "conflict", "withdrawn", "malformed"};

void apply_end(struct apply *apply, enum apply_outcome outcome, const char *format, ...) {
  char text[1024];
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  if (apply->stage >= 0) {
    undo(apply);
    close(apply->stage);
    if (!apply->kept)
      remove_tree(apply->stage_home, apply->stage_name);
    else if (length >= 0 && (size_t)length < sizeof text)
      snprintf(text + length, sizeof text - (size_t)length, "; what could not be put back is in %s", apply->stage_name);
  }
  put_report("error", words[outcome], text);
  fflush(stdout);
  exit(outcome);
}

void apply_fail(struct apply *apply, int error, const char *what, const char *path) {
  apply_end(apply, error == ENOSPC || error == EDQUOT ? APPLY_FULL : APPLY_FAILED, "%s %s: %s", what, path, strerror(error));
}

void apply_conflict(struct apply *apply, const struct change *change, const char *why) {
  put_report("conflict", change->path, why);
  apply_end(apply, APPLY_CONFLICT, "something changed meanwhile");
}
