/*
 * pyro-port DIRECTORY PORT: listens on 127.0.0.1 for the Node process that started it, and asks the kernel who its clients are.
 *
 * PORT 0 is any free port. Node gets the listening socket over its channel (NODE_CHANNEL_FD). A line on stdin with a client's port is
 * answered by a line with the client's user, or `-`. After the line `keep`, the port stays taken once stdin has ended, for the next
 * pyro-port with this directory and port, for at most a day; after `free` (the default), the program ends with its stdin.
 */
#include "port.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FAILED = 1, LONGEST_LINE = 32 };

/* Tells Node why there is no port. */
static int fail(int channel, const char *what, const char *where) {
  dprintf(channel, "{\"failed\":\"%s\",\"where\":\"%s\",\"detail\":\"%s\"}\n", what, where, strerror(errno));
  return FAILED;
}

/* A whole number up to `most`. -1 for another text. */
static long number_of(const char *text, long most) {
  char *end;
  long number = strtol(text, &end, 10);

  return *text >= '0' && *text <= '9' && *end == '\0' && number <= most ? number : -1;
}

/* Answers until stdin ends. Gives whether the port stays taken. */
static bool answer(int diag, uint16_t server) {
  bool is_kept = false;
  char line[LONGEST_LINE];

  setvbuf(stdout, NULL, _IOLBF, 0);
  while (fgets(line, sizeof(line), stdin) != NULL) {
    line[strcspn(line, "\n")] = '\0';
    long client = number_of(line, UINT16_MAX);
    uid_t user;

    if (strcmp(line, "keep") == 0 || strcmp(line, "free") == 0) {
      is_kept = line[0] == 'k';
    } else if (client > 0 && user_of(diag, (uint16_t)client, server, &user)) {
      printf("%u\n", user);
    } else {
      printf("-\n");
    }
  }
  return is_kept;
}

int main(int count, char **arguments) {
  const char *given = getenv("NODE_CHANNEL_FD");
  long channel = given == NULL ? -1 : number_of(given, INT16_MAX);
  long port = count == 3 ? number_of(arguments[2], UINT16_MAX) : -1;
  struct held held = {.listener = -1, .deaf = -1, .handover = -1};
  const char *where = "";

  if (port < 0 || channel < 0) {
    fprintf(stderr, "use: pyro-port DIRECTORY PORT, as a child of Node with a channel\n");
    return FAILED;
  }
  signal(SIGPIPE, SIG_IGN);
  signal(SIGHUP, SIG_IGN);
  umask(077);
  fcntl((int)channel, F_SETFD, FD_CLOEXEC);
  if (chdir(arguments[1]) < 0) return fail((int)channel, "directory", "");
  int diag = open_diag();

  if (diag < 0) return fail((int)channel, "sock_diag", "");
  bool was_held = port != 0 && take_over((uint16_t)port, &held);

  if (!was_held && !bind_port((uint16_t)port, &held, &where)) return fail((int)channel, errno == EADDRINUSE ? "EADDRINUSE" : "bind", where);
  if (!knows_listener(diag, held.port)) return fail((int)channel, "sock_diag", "");
  if (!was_held && !open_handover(&held)) return fail((int)channel, "directory", "");
  if (!send_to_node((int)channel, &held, was_held)) return FAILED;
  if (answer(diag, held.port)) {
    /* Nothing of the daemon stays open. */
    close(STDIN_FILENO);
    close(STDOUT_FILENO);
    close((int)channel);
    hold(&held);
  } else {
    unlink(handover_name(held.port));
  }
  return 0;
}
