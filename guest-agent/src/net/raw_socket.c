#include "raw_socket.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

static int raw4 = -1, raw6 = -1;

static int open_socket(int family) {
  uint32_t mark = SYN_MARK;
  int fd = socket(family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_RAW);
  if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof mark) == 0) return fd;
  close(fd);
  return -1;
}

int raw_sockets_open(void) {
  raw4 = open_socket(AF_INET);
  raw6 = open_socket(AF_INET6);
  return raw4 < 0 ? -1 : 0;
}

/* A packet that the kernel does not take is lost, as in any network: its receiver asks again. */
static void send_pieces(const struct flow *flow, struct iovec *pieces, size_t count) {
  struct sockaddr_in address4 = {.sin_family = AF_INET};
  struct sockaddr_in6 address6 = {.sin6_family = AF_INET6};
  struct msghdr message = {.msg_iov = pieces, .msg_iovlen = count};
  if (flow->ipv4) {
    memcpy(&address4.sin_addr, flow->to, sizeof address4.sin_addr);
    message.msg_name = &address4;
    message.msg_namelen = sizeof address4;
  } else {
    memcpy(&address6.sin6_addr, flow->to, sizeof address6.sin6_addr);
    message.msg_name = &address6;
    message.msg_namelen = sizeof address6;
  }
  ssize_t sent = sendmsg(flow->ipv4 ? raw4 : raw6, &message, MSG_NOSIGNAL);
  (void)sent;
}

void raw_send_syn(const uint8_t *packet, size_t size, const struct flow *flow) {
  uint8_t copy[SYN_PACKET_MAX];
  memcpy(copy, packet, size);
  packet_seal_segment(copy, size);
  send_pieces(flow, &(struct iovec){copy, size}, 1);
}

static void send_back(const struct flow *flow, uint8_t *packet, size_t size) {
  struct flow to = {.ipv4 = flow->ipv4};
  memcpy(to.to, flow->from, sizeof to.to);
  send_pieces(&to, &(struct iovec){packet, size}, 1);
}

void raw_send_reset(const uint8_t *syn, const struct flow *flow) {
  uint8_t reset[PACKET_RESET_MAX];
  send_back(flow, reset, packet_write_reset(syn, flow, reset));
}

void raw_send_unreachable(const struct flow *flow) {
  uint8_t packet[PACKET_UNREACHABLE_MAX];
  send_back(flow, packet, packet_write_unreachable(flow, packet));
}

void raw_send_datagram(const struct flow *flow, const uint8_t *data, size_t size) {
  uint8_t headers[PACKET_DATAGRAM_HEADERS_MAX];
  struct iovec pieces[] = {{headers, packet_write_datagram(flow, data, size, headers)}, {(void *)(uintptr_t)data, size}};
  send_pieces(flow, pieces, 2);
}
