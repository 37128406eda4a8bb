#ifndef PYRO_PTY_H
#define PYRO_PTY_H

#include <stdint.h>
#include <sys/types.h>

struct pty {
  int output, input; /* two descriptors of the master side, non-blocking, each with one owner */
  int slave;
};

/* errno, or 0 */
int pty_open(struct pty *pty, uint16_t rows, uint16_t cols, uid_t owner);
void pty_close(struct pty *pty);
void pty_resize(int master, uint16_t rows, uint16_t cols);
/* The terminal's foreground process group, or -1. */
pid_t pty_foreground(int master);

#endif
