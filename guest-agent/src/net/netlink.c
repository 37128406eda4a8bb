#include "netlink.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ALIGNMENT = 4 };

static size_t aligned(size_t size) { return (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1); }

struct netlink_message netlink_message(uint16_t type, uint16_t flags, const void *fixed, size_t size) {
  struct netlink_message message = {.header = {.length = (uint32_t)(sizeof message.header + size),
                                               .type = type,
                                               .flags = (uint16_t)(flags | NETLINK_REQUEST | NETLINK_ACK)}};
  memcpy(message.body, fixed, size);
  return message;
}

void netlink_add(struct netlink_message *message, uint16_t type, const void *data, size_t size) {
  struct netlink_attribute attribute = {.length = (uint16_t)(sizeof attribute + size), .type = type};
  uint8_t *to = (uint8_t *)message + aligned(message->header.length);
  memcpy(to, &attribute, sizeof attribute);
  memcpy(to + sizeof attribute, data, size);
  message->header.length = (uint32_t)(aligned(message->header.length) + aligned(attribute.length));
}

static int open_socket(void) {
  static int fd = -1;
  if (fd < 0) fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_FAMILY_ROUTE);
  return fd;
}

int netlink_do(struct netlink_message *message) {
  struct {
    struct netlink_header header;
    int32_t error;
    uint8_t rest[1024]; /* the message again */
  } answer;
  int fd = open_socket();
  if (fd < 0 || send(fd, message, message->header.length, 0) < 0) return errno;
  ssize_t size = recv(fd, &answer, sizeof answer, 0);
  if (size < 0) return errno;
  if ((size_t)size < sizeof answer.header + sizeof answer.error || answer.header.type != NETLINK_ERROR) return EPROTO;
  return -answer.error;
}
