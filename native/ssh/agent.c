/*
 * pyro-ssh agent PATH USER: the guest's end of a lent SSH agent. Listens on a Unix socket that only the user can open, and passes messages
 * of its clients on: `u32 client | u32 length | message` to standard output, and the answers the same way from standard input. A message
 * without bytes is the end of a client. It reads no message: the host judges them.
 */
#include "ssh.h"

#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define CLIENTS 32
/* As OpenSSH's agent has it. */
#define AGENT_MESSAGE_MAX (256 * 1024)

static int clients[CLIENTS];

static bool read_exactly(int fd, uint8_t *bytes, size_t length) {
  while (length > 0) {
    ssize_t got = read(fd, bytes, length);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    bytes += got;
    length -= (size_t)got;
  }
  return true;
}

static bool write_exactly(int fd, const uint8_t *bytes, size_t length) {
  while (length > 0) {
    ssize_t written = write(fd, bytes, length);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes += written;
    length -= (size_t)written;
  }
  return true;
}

static uint32_t number_in(const uint8_t *bytes) {
  return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static void number_to(uint8_t *bytes, uint32_t number) {
  for (int i = 0; i < 4; i++) bytes[i] = (uint8_t)(number >> 8 * (3 - i));
}

static uint8_t message[8 + AGENT_MESSAGE_MAX];

/* Tells the host of a message of a client, or of its end. */
static void tell(uint32_t client, uint32_t length) {
  number_to(message, client);
  number_to(message + 4, length);
  if (!write_exactly(STDOUT_FILENO, message, 8 + length)) exit(0);
}

static void end_client(uint32_t client) {
  close(clients[client]);
  clients[client] = -1;
  tell(client, 0);
}

/* A client that sends a part of a message and waits holds up the others. They are programs of one user. */
static void pass_on(uint32_t client) {
  uint8_t head[4];
  uint32_t length = 0;
  if (read_exactly(clients[client], head, sizeof head)) length = number_in(head);
  if (length == 0 || length > AGENT_MESSAGE_MAX || !read_exactly(clients[client], message + 8, length)) return end_client(client);
  tell(client, length);
}

static void answer_client(void) {
  uint8_t head[8];
  if (!read_exactly(STDIN_FILENO, head, sizeof head)) exit(0);
  uint32_t client = number_in(head), length = number_in(head + 4);
  if (client >= CLIENTS || length > AGENT_MESSAGE_MAX || !read_exactly(STDIN_FILENO, message, length)) exit(1);
  if (clients[client] < 0) return;
  if (length == 0) return end_client(client);
  if (!write_exactly(clients[client], head + 4, 4) || !write_exactly(clients[client], message, length)) end_client(client);
}

static void take_client(int listener) {
  int fd = accept(listener, NULL, NULL);
  if (fd < 0) return;
  /* A client that does not read its answer, or sends no more, loses its connection. */
  struct timeval patience = {.tv_sec = 10};
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  for (uint32_t i = 0; i < CLIENTS; i++) {
    if (clients[i] >= 0) continue;
    clients[i] = fd;
    return;
  }
  close(fd);
}

/* The ids of a user: a name of /etc/passwd, a uid, or uid:gid. */
static bool find_owner(const char *user, uid_t *uid, gid_t *gid) {
  struct passwd *known = getpwnam(user);
  char rest;
  if (known == NULL) {
    *gid = (gid_t)-1;
    int fields = sscanf(user, "%u:%u%c", uid, gid, &rest);
    return fields == 1 || fields == 2;
  }
  *uid = known->pw_uid;
  *gid = known->pw_gid;
  return true;
}

static int listen_on(const char *path, const char *user) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  uid_t uid;
  gid_t gid;
  if (!find_owner(user, &uid, &gid)) {
    fprintf(stderr, "the guest has no user %s\n", user);
    return -1;
  }
  if (strlen(path) >= sizeof address.sun_path) return -1;
  strcpy(address.sun_path, path);
  unlink(path);
  umask(0177);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || chown(path, uid, gid) != 0 || listen(fd, 16) != 0) {
    fprintf(stderr, "%s: %s\n", path, strerror(errno));
    return -1;
  }
  return fd;
}

int lend_agent(const char *path, const char *user) {
  int listener = listen_on(path, user);
  if (listener < 0) return 1;
  for (uint32_t i = 0; i < CLIENTS; i++) clients[i] = -1;
  /* The end of no client: the socket is there. */
  tell(CLIENTS, 0);
  for (;;) {
    struct pollfd all[CLIENTS + 2] = {{STDIN_FILENO, POLLIN, 0}, {listener, POLLIN, 0}};
    for (uint32_t i = 0; i < CLIENTS; i++) all[i + 2] = (struct pollfd){clients[i], POLLIN, 0};
    if (poll(all, CLIENTS + 2, -1) < 0) continue;
    for (uint32_t i = 0; i < CLIENTS; i++) {
      if (clients[i] >= 0 && all[i + 2].revents != 0) pass_on(i);
    }
    if (all[1].revents != 0) take_client(listener);
    if (all[0].revents != 0) answer_client();
  }
}
