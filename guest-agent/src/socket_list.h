/* The environment's list of sockets with a program behind each: lines of `PATH MODE GROUP PROGRAM`, with a mode in octal and a group's
 * number. */
#ifndef PYRO_SOCKET_LIST_H
#define PYRO_SOCKET_LIST_H

#include <stdbool.h>
#include <sys/types.h>

#include "decode.h"

/* A longer path has no room in a socket's address. */
enum { SOCKET_PATH_MAX = 108, PROGRAM_MAX = 256 };

struct socket_line {
  char path[SOCKET_PATH_MAX], program[PROGRAM_MAX];
  mode_t mode;
  gid_t group;
};

/* Reads one line, without its end. False for a line that is not exactly the four fields, such as an empty line. */
bool socket_line_read(struct bytes line, struct socket_line *out);

#endif
