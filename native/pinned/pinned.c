/*
 * pyro-pinned: runs a program, provided that directories are still those that pyro opened.
 *
 *   pyro-pinned [PATH DEVICE INODE]... -- PROGRAM [ARGUMENT]...
 *
 * The working directory counts as the path ".". In namespaces of its own, a program then finds behind a path what was bound there, and
 * no later change of the host's directories leads it elsewhere. Ends with status 125 and a line on stderr, or as the program does.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { REFUSED = 125 };

static int is_number(const char *text, uint64_t number) {
  char *end;
  errno = 0;
  return *text != '\0' && strtoull(text, &end, 10) == number && errno == 0 && *end == '\0';
}

int main(int argc, char **argv) {
  int at = 1;
  for (; at + 3 < argc && strcmp(argv[at], "--") != 0; at += 3) {
    struct stat found;
    if (stat(argv[at], &found) != 0 || !is_number(argv[at + 1], found.st_dev) || !is_number(argv[at + 2], found.st_ino)) {
      fprintf(stderr, "fatal: %s was replaced while pyro read it\n", argv[at]);
      return REFUSED;
    }
  }
  if (at + 1 >= argc || strcmp(argv[at], "--") != 0) {
    fprintf(stderr, "fatal: usage: pyro-pinned [PATH DEVICE INODE]... -- PROGRAM [ARGUMENT]...\n");
    return REFUSED;
  }
  execv(argv[at + 1], argv + at + 1);
  fprintf(stderr, "fatal: %s: %s\n", argv[at + 1], strerror(errno));
  return REFUSED;
}
