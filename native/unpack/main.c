#include "unpack.h"

#include <archive.h>
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READ_BLOCK = 64 * 1024 };

static int fail(const char *reason) {
  fprintf(stderr, "%s\n", reason);
  return EXIT_FAILURE;
}

int main(void) {
  char problem[1024];
  /* libarchive knows names of 7z archives as Unicode alone; the locale says which bytes they become. */
  setlocale(LC_CTYPE, "C.UTF-8");
  /* The times of most zip archives are local times: equal archives must give equal images on every host. */
  setenv("TZ", "UTC0", 1);
  struct archive *from = convert_reader(), *to = convert_writer();
  if (from == NULL || to == NULL) return fail("out of memory");
  if (archive_read_open_fd(from, STDIN_FILENO, READ_BLOCK) != ARCHIVE_OK) return fail(archive_error_string(from));
  if (archive_write_open_fd(to, STDOUT_FILENO) != ARCHIVE_OK) return fail(archive_error_string(to));
  if (!confine()) {
    snprintf(problem, sizeof problem, "its reader cannot be confined: %s", strerror(errno));
    return fail(problem);
  }
  if (convert(from, to, problem, sizeof problem) != 0) return fail(problem);
  /* The process's end frees its resources. */
  _exit(EXIT_SUCCESS);
}
