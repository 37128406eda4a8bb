#include "pipes.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* stdout and stderr of one command. */
enum { READY_MAX = 2 };

static int ready[READY_MAX][2];
static unsigned ready_count;

static int make(int ends[2]) {
  if (pipe2(ends, O_CLOEXEC) < 0) return errno;
  if (fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0) return 0;
  int error = errno;
  close(ends[0]);
  close(ends[1]);
  ends[0] = ends[1] = -1;
  return error;
}

int pipe_take(int ends[2]) {
  if (ready_count == 0) return make(ends);
  memcpy(ends, ready[--ready_count], sizeof ready[0]);
  return 0;
}

void pipes_prepare(void) {
  while (ready_count < READY_MAX && make(ready[ready_count]) == 0) ready_count++;
}

void pipes_close(void) {
  while (ready_count > 0) {
    ready_count--;
    close(ready[ready_count][0]);
    close(ready[ready_count][1]);
  }
}
