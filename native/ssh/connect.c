#include "ssh.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* Passes bytes on until their end, or until their reader is gone. */
static void pass(int from, int to) {
  static uint8_t bytes[65536];
  for (;;) {
    ssize_t got = read(from, bytes, sizeof bytes);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return;
    for (ssize_t done = 0; done < got;) {
      ssize_t written = write(to, bytes + done, (size_t)(got - done));
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return;
      done += written;
    }
  }
}

/* One process for each direction: a direction that waits never stops the other. */
static int splice_with(int socket) {
  if (write(STDOUT_FILENO, "+", 1) != 1) return 1;
  pid_t sender = fork();
  if (sender < 0) return 1;
  if (sender == 0) {
    pass(STDIN_FILENO, socket);
    shutdown(socket, SHUT_WR);
    _exit(0);
  }
  close(STDIN_FILENO);
  pass(socket, STDOUT_FILENO);
  close(STDOUT_FILENO);
  int status;
  while (waitpid(sender, &status, 0) < 0 && errno == EINTR) continue;
  return 0;
}

int connect_tcp(const char *host, const char *port) {
  struct addrinfo *all, hints = {.ai_socktype = SOCK_STREAM};
  int failure = getaddrinfo(host, port, &hints, &all);
  if (failure != 0) {
    fprintf(stderr, "%s: %s\n", host, gai_strerror(failure));
    return 1;
  }
  for (struct addrinfo *one = all; one != NULL; one = one->ai_next) {
    int fd = socket(one->ai_family, one->ai_socktype | SOCK_CLOEXEC, one->ai_protocol);
    if (fd < 0) continue;
    if (connect(fd, one->ai_addr, one->ai_addrlen) == 0) return splice_with(fd);
    close(fd);
  }
  fprintf(stderr, "%s port %s: %s\n", host, port, strerror(errno));
  return 1;
}

int connect_unix(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) {
    fputs("the path of the socket is too long\n", stderr);
    return 1;
  }
  strcpy(address.sun_path, path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0) return splice_with(fd);
  fprintf(stderr, "%s: %s\n", path, strerror(errno));
  return 1;
}
