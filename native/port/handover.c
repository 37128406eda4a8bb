/* Sockets go from one process to the next over Unix sockets. */
#include "port.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { MOST_SOCKETS = 3, WAIT_SECONDS = 5, LONGEST_MESSAGE = 128, NAME_BYTES = 32 };

union control {
  char bytes[CMSG_SPACE(MOST_SOCKETS * sizeof(int))];
  struct cmsghdr align;
};

const char *handover_name(uint16_t port) {
  static char name[NAME_BYTES];

  snprintf(name, sizeof(name), "page-%u.sock", port);
  return name;
}

static struct sockaddr_un address_of(uint16_t port) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};

  strcpy(address.sun_path, handover_name(port));
  return address;
}

bool open_handover(struct held *held) {
  struct sockaddr_un address = address_of(held->port);

  held->handover = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (held->handover < 0) return false;
  unlink(address.sun_path);
  return bind(held->handover, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(held->handover, 1) == 0;
}

bool send_sockets(int to, const char *text, size_t size, const int *sockets, size_t count) {
  union control control = {0};
  struct iovec part = {.iov_base = (void *)(uintptr_t)text, .iov_len = size};
  struct msghdr message = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = CMSG_SPACE(count * sizeof(int))};
  struct cmsghdr *head = CMSG_FIRSTHDR(&message);

  if (head == NULL) return false;
  head->cmsg_level = SOL_SOCKET;
  head->cmsg_type = SCM_RIGHTS;
  head->cmsg_len = CMSG_LEN(count * sizeof(int));
  memcpy(CMSG_DATA(head), sockets, count * sizeof(int));
  return sendmsg(to, &message, MSG_NOSIGNAL) == (ssize_t)size;
}

bool send_to_node(int channel, const struct held *held, bool was_held) {
  char text[LONGEST_MESSAGE];
  int size = snprintf(text, sizeof(text), "{\"cmd\":\"NODE_HANDLE\",\"type\":\"net.Server\",\"msg\":{\"wasHeld\":%s}}\n",
                      was_held ? "true" : "false");

  return send_sockets(channel, text, (size_t)size, &held->listener, 1);
}

static size_t receive_sockets(int from, int *sockets) {
  union control control;
  char byte;
  struct iovec part = {.iov_base = &byte, .iov_len = 1};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes)};
  struct timeval wait = {.tv_sec = WAIT_SECONDS};

  setsockopt(from, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
  if (recvmsg(from, &message, MSG_CMSG_CLOEXEC) != 1) return 0;
  const struct cmsghdr *head = CMSG_FIRSTHDR(&message);

  if (head == NULL || head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS) return 0;
  size_t count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);

  memcpy(sockets, CMSG_DATA(head), count * sizeof(int));
  return count;
}

static bool listens_at(int sock, uint16_t port) {
  struct sockaddr_in at = {0};
  int is_listening = 0;
  socklen_t at_size = sizeof(at), size = sizeof(is_listening);

  return getsockname(sock, (struct sockaddr *)&at, &at_size) == 0 && at.sin_family == AF_INET && at.sin_port == htons(port) &&
         at.sin_addr.s_addr == htonl(INADDR_LOOPBACK) && getsockopt(sock, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &size) == 0 &&
         is_listening != 0;
}

bool take_over(uint16_t port, struct held *held) {
  struct sockaddr_un address = address_of(port);
  int sockets[MOST_SOCKETS];
  int from = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

  if (from < 0) return false;
  size_t count = connect(from, (struct sockaddr *)&address, sizeof(address)) == 0 ? receive_sockets(from, sockets) : 0;

  close(from);
  if (count >= 2 && listens_at(sockets[0], port)) {
    *held = (struct held){.port = port, .listener = sockets[0], .handover = sockets[1], .deaf = count == MOST_SOCKETS ? sockets[2] : -1};
    return true;
  }
  for (size_t at = 0; at < count; at++) close(sockets[at]);
  return false;
}
