/*
 * pyro-relay SOCKET LINE: joins stdin and stdout with a Unix socket. Writes LINE and a line break first, when the socket is open. Ends with
 * 0 when any of them ends, and with 1 if the socket cannot be opened.
 *
 * One thread for each direction, with plain reads and writes: a direction that waits does not hold the other. The first one that ends ends
 * the process, and so the connection: the daemon then counts the client as lost.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { BUFFER_BYTES = 256 * 1024 };

/* Ends of one direction. */
struct direction {
  int from;
  int to;
};

static bool write_all(int to, const char *bytes, size_t size) {
  while (size > 0) {
    ssize_t written = write(to, bytes, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes += written;
    size -= (size_t)written;
  }
  return true;
}

static void *copy(void *given) {
  const struct direction *direction = given;
  char *buffer = malloc(BUFFER_BYTES);
  while (buffer != NULL) {
    ssize_t size = read(direction->from, buffer, BUFFER_BYTES);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0 || !write_all(direction->to, buffer, (size_t)size)) break;
  }
  _exit(0);
}

/* A socket's address is short, so the path goes through its folder. -1: it cannot be opened. */
static int open_socket(char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  char *name = strrchr(path, '/');
  if (name == NULL || strlen(name + 1) >= sizeof address.sun_path) return -1;
  strcpy(address.sun_path, name + 1);
  *name = '\0';
  int opened = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (opened < 0 || chdir(*path == '\0' ? "/" : path) != 0) return -1;
  return connect(opened, (struct sockaddr *)&address, sizeof address) == 0 ? opened : -1;
}

/* The program before this one may have left a descriptor that does not wait. */
static void make_blocking(int descriptor) {
  int flags = fcntl(descriptor, F_GETFL);
  if (flags >= 0 && (flags & O_NONBLOCK) != 0) fcntl(descriptor, F_SETFL, flags & ~O_NONBLOCK);
}

int main(int count, char **words) {
  if (count != 3) return 2;
  signal(SIGPIPE, SIG_IGN);
  make_blocking(STDIN_FILENO);
  make_blocking(STDOUT_FILENO);
  int opened = open_socket(words[1]);
  if (opened < 0) {
    fprintf(stderr, "pyro-relay: the daemon's socket cannot be opened: %s\n", strerror(errno));
    return 1;
  }
  if (!write_all(STDOUT_FILENO, words[2], strlen(words[2])) || !write_all(STDOUT_FILENO, "\n", 1)) return 0;
  struct direction up = {.from = STDIN_FILENO, .to = opened};
  struct direction down = {.from = opened, .to = STDOUT_FILENO};
  pthread_t thread;
  if (pthread_create(&thread, NULL, copy, &up) != 0) return 1;
  copy(&down);
}
