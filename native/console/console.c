/*
 * pyro-console PIPE PROGRAM ARGUMENT...: becomes the program, whose output goes to a named pipe that always has room or drops bytes.
 *
 * The program has the pipe open for both ends, so that its output neither fails nor waits without a reader: what the pipe cannot hold is
 * lost. A guest can fill neither the host's disk nor its memory with its console. A reader may come and go.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(const char *what) {
  fprintf(stderr, "pyro-console: %s: %s\n", what, strerror(errno));
  return 1;
}

int main(int count, char **arguments) {
  if (count < 3) {
    fputs("usage: pyro-console PIPE PROGRAM ARGUMENT...\n", stderr);
    return 2;
  }
  if (mkfifo(arguments[1], 0600) != 0) return fail(arguments[1]);
  int pipe = open(arguments[1], O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
  if (pipe < 0 || dup2(pipe, STDOUT_FILENO) < 0) return fail(arguments[1]);
  execvp(arguments[2], arguments + 2);
  return fail(arguments[2]);
}
