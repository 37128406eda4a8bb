#include "seed.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const words[] = {"done", "failed", "usage", "full", "host-full", "rejected", "tool-missing"};
static uint64_t skips;
static struct {
  uint64_t count;
  char first[PATH_LIMIT + 1];
} losses[LOSSES];

void report(const char *kind, const char *subject, const char *text) {
  fwrite(kind, 1, strlen(kind) + 1, stdout);
  fwrite(subject, 1, strlen(subject) + 1, stdout);
  fwrite(text, 1, strlen(text) + 1, stdout);
}

void report_number(const char *subject, uint64_t number) {
  char text[24];
  snprintf(text, sizeof text, "%" PRIu64, number);
  report("count", subject, text);
}

void report_skip(const char *path, const char *reason) {
  char shown[PATH_LIMIT + 1]; /* a name in an archive may be far longer than a name can be */
  if (++skips > SKIPS_TOLD) return;
  snprintf(shown, sizeof shown, "%s", path);
  report("skip", shown, reason);
}

uint64_t report_skips(void) { return skips; }

void report_loss(enum loss loss, const char *path) {
  if (losses[loss].count++ == 0) snprintf(losses[loss].first, sizeof losses[loss].first, "%s", path);
}

void report_losses(void) {
  static const char *const kinds[LOSSES] = {"set-ids", "attributes"};
  for (int i = 0; i < LOSSES; i++) {
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, losses[i].count);
    if (losses[i].count > 0) report(kinds[i], losses[i].first, text);
  }
}

void die(enum outcome outcome, const char *format, ...) {
  char text[1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  report("error", words[outcome], text);
  fflush(stdout);
  fprintf(stderr, "pyro-seed: %s\n", text);
  exit(outcome);
}
