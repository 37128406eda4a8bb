#include "programs.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spare.h"
#include "stream.h"

enum { TEXT_MAX = 4096 };

static int open_children(void) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)getpid(), (int)getpid());
  /* The guest's root may have mounted anything there: it makes its own next point wrong. */
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  struct stat status;
  if (fd < 0 || (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))) return fd;
  close(fd);
  return -1;
}

static void note(pid_t child, enum programs *found) {
  if (child == 0 || child == spare_pid()) return;
  if (stream_of_pid(child) == NULL)
    *found = PROGRAMS_LEFT;
  else if (*found == PROGRAMS_NONE)
    *found = PROGRAMS_OWN;
}

enum programs programs_run(void) {
  char text[TEXT_MAX];
  int fd = open_children();
  if (fd < 0) return PROGRAMS_UNKNOWN;
  enum programs found = PROGRAMS_NONE;
  pid_t child = 0; /* a pid that goes on in the next piece */
  ssize_t size = 0;
  while (found != PROGRAMS_LEFT && (size = read(fd, text, sizeof text)) > 0)
    for (ssize_t at = 0; at < size; at++) {
      if (text[at] >= '0' && text[at] <= '9') {
        child = (pid_t)((uint32_t)child * 10 + (uint32_t)(text[at] - '0'));
        continue;
      }
      note(child, &found);
      child = 0;
    }
  note(child, &found);
  close(fd);
  return size < 0 ? PROGRAMS_UNKNOWN : found;
}
