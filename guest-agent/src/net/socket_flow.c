#include "socket_flow.h"

#include <netinet/in.h>
#include <string.h>

void socket_flow_end(const struct sockaddr_storage *address, uint8_t to[16], uint16_t *port) {
  struct sockaddr_in address4;
  struct sockaddr_in6 address6;
  if (address->ss_family == AF_INET) {
    memcpy(&address4, address, sizeof address4);
    memcpy(to, &address4.sin_addr, 4);
    *port = ntohs(address4.sin_port);
  } else {
    memcpy(&address6, address, sizeof address6);
    memcpy(to, &address6.sin6_addr, 16);
    *port = ntohs(address6.sin6_port);
  }
}

static bool asked_address(struct msghdr *message, bool ipv4, struct sockaddr_storage *to) {
  for (struct cmsghdr *control = CMSG_FIRSTHDR(message); control != NULL; control = CMSG_NXTHDR(message, control)) {
    bool known = ipv4 ? control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_ORIGDSTADDR
                      : control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_ORIGDSTADDR;
    if (!known) continue;
    memcpy(to, CMSG_DATA(control), ipv4 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
    return true;
  }
  return false;
}

ssize_t socket_flow_receive(int fd, bool ipv4, uint8_t *data, size_t room, struct flow *flow) {
  _Alignas(struct cmsghdr) uint8_t control[256];
  struct sockaddr_storage from, to;
  struct iovec piece = {data, room};
  struct msghdr message = {.msg_name = &from,
                           .msg_namelen = sizeof from,
                           .msg_iov = &piece,
                           .msg_iovlen = 1,
                           .msg_control = control,
                           .msg_controllen = sizeof control};
  ssize_t size = recvmsg(fd, &message, 0);
  if (size < 0) return RECEIVED_NOTHING;
  if ((message.msg_flags & MSG_TRUNC) != 0 || !asked_address(&message, ipv4, &to)) return RECEIVED_UNUSABLE;
  *flow = (struct flow){.ipv4 = ipv4};
  socket_flow_end(&from, flow->from, &flow->from_port);
  socket_flow_end(&to, flow->to, &flow->to_port);
  return size;
}
