/*
 * pyro-ssh sftp | connect HOST PORT | connect-unix PATH | agent PATH USER: what an SSH connection needs in a guest.
 *
 * pyro copies the program to a guest, where it runs as the user of the connection, with the rights of this user and no others. `sftp` is a
 * server of SFTP version 3 on standard input and output. `connect` is a connection of the guest, so that the workspace's network rules
 * hold.
 */
#include "ssh.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Reads all of the bytes. False at the end of the input. */
static bool read_all(uint8_t *bytes, size_t length) {
  while (length > 0) {
    ssize_t got = read(STDIN_FILENO, bytes, length);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    bytes += got;
    length -= (size_t)got;
  }
  return true;
}

static int serve_sftp(void) {
  static uint8_t message[MESSAGE_MAX];
  for (;;) {
    uint8_t head[4];
    if (!read_all(head, sizeof head)) return 0;
    uint32_t length = (uint32_t)head[0] << 24 | (uint32_t)head[1] << 16 | (uint32_t)head[2] << 8 | head[3];
    if (length < 1 || length > sizeof message) return 11;
    if (!read_all(message, length)) return 11;
    answer(message[0], (struct request){message + 1, length - 1, false});
  }
}

int main(int count, char **arguments) {
  const char *home = getenv("HOME");
  if (home == NULL || chdir(home) != 0) {
    if (chdir("/") != 0) return 1;
  }
  const char *what = count > 1 ? arguments[1] : "";
  if (strcmp(what, "sftp") == 0 && count == 2) return serve_sftp();
  signal(SIGPIPE, SIG_IGN);
  if (strcmp(what, "connect") == 0 && count == 4) return connect_tcp(arguments[2], arguments[3]);
  if (strcmp(what, "connect-unix") == 0 && count == 3) return connect_unix(arguments[2]);
  if (strcmp(what, "agent") == 0 && count == 4) return lend_agent(arguments[2], arguments[3]);
  fputs("usage: pyro-ssh sftp | connect HOST PORT | connect-unix PATH | agent PATH USER\n", stderr);
  return 2;
}
