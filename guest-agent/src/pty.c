#include "pty.h"

#include <errno.h>
#include <sys/stat.h>

#include "kernel.h"

/* Debian's group "tty", so that write(1) and wall(1) work */
enum { TTY_GROUP = 5 };

int pty_open(struct pty *pty, uint16_t rows, uint16_t cols, uid_t owner) {
  int unlocked = 0, error = 0;
  *pty = (struct pty){-1, -1, -1};
  pty->output = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
  if (pty->output < 0) return errno;
  if (ioctl(pty->output, TIOCSPTLCK, &unlocked) < 0) goto fail;
  pty->slave = ioctl(pty->output, KERNEL_TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (pty->slave < 0) goto fail;
  pty->input = fcntl(pty->output, F_DUPFD_CLOEXEC, 3);
  if (pty->input < 0) goto fail;
  /* Best effort: an ordinary user running the agent as a local process owns its terminals already. */
  if (fchown(pty->slave, owner, TTY_GROUP) == 0) (void)fchmod(pty->slave, 0620);
  pty_resize(pty->output, rows, cols);
  return 0;
fail:
  error = errno;
  pty_close(pty);
  return error;
}

void pty_close(struct pty *pty) {
  if (pty->slave >= 0) close(pty->slave);
  if (pty->input >= 0) close(pty->input);
  if (pty->output >= 0) close(pty->output);
}

void pty_resize(int master, uint16_t rows, uint16_t cols) {
  struct winsize size = {.ws_row = rows, .ws_col = cols};
  ioctl(master, TIOCSWINSZ, &size);
}

pid_t pty_foreground(int master) {
  pid_t group = -1;
  return ioctl(master, TIOCGPGRP, &group) < 0 ? -1 : group;
}
