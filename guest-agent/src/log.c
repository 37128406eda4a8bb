#include "log.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 512 };

static int kmsg = -1;

void log_init_console(void) { kmsg = open("/dev/kmsg", O_WRONLY | O_CLOEXEC | O_NONBLOCK); }

static size_t format_line(char *line, const char *format, va_list arguments) {
  static const char head[] = "pyro-agent: ";
  memcpy(line, head, sizeof head);
  vsnprintf(line + sizeof head - 1, LINE_MAX_BYTES - sizeof head, format, arguments);
  size_t length = strnlen(line, LINE_MAX_BYTES - 2);
  line[length++] = '\n';
  return length;
}

static void put(int fd, const char *line, size_t length) {
  if (write(fd, line, length) < 0) return; /* nowhere is left to say so */
}

void log_line(const char *format, ...) {
  char line[LINE_MAX_BYTES];
  va_list arguments;
  va_start(arguments, format);
  size_t length = format_line(line, format, arguments);
  va_end(arguments);
  put(kmsg >= 0 ? kmsg : STDERR_FILENO, line, length);
}

void fatal(const char *format, ...) {
  char line[LINE_MAX_BYTES];
  va_list arguments;
  va_start(arguments, format);
  size_t length = format_line(line, format, arguments);
  va_end(arguments);
  if (getpid() != 1) {
    put(STDERR_FILENO, line, length);
    exit(1);
  }
  if (kmsg >= 0) put(kmsg, line, length);
  int console = open("/dev/console", O_WRONLY | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
  if (console >= 0) put(console, line, length);
  sync();
  reboot(RB_POWER_OFF);
  _exit(1);
}
