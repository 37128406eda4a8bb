#include "steer.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "accept.h"
#include "bpf.h"
#include "datagrams.h"
#include "pending_syn.h"
#include "raw_socket.h"
#include "resolve.h"
#include "routes.h"
#include "steer_program.h"

/* On an address that no program can connect to or bind: only steering leads here. */
enum { PORT = 1, UDP_PORT = 2, BACKLOG = 4096, UDP_BUFFER = 4 * 1024 * 1024 };

/* With IP_TRANSPARENT, the socket may have a foreign address, and may answer from one: the kernel looks for sources in its
 * table `local` only. */
static int open_socket(int type, bool ipv4, uint16_t port) {
  int one = 1, fd = socket(ipv4 ? AF_INET : AF_INET6, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  struct sockaddr_in address4 = {.sin_family = AF_INET, .sin_port = htons(port)};
  struct sockaddr_in6 address6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
  memcpy(&address4.sin_addr, routes_nameserver4, sizeof address4.sin_addr);
  memcpy(&address6.sin6_addr, routes_nameserver6, sizeof address6.sin6_addr);
  bool bound = ipv4 ? setsockopt(fd, IPPROTO_IP, IP_TRANSPARENT, &one, sizeof one) == 0 &&
                          bind(fd, (const struct sockaddr *)&address4, sizeof address4) == 0
                    : setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one) == 0 &&
                          setsockopt(fd, IPPROTO_IPV6, IPV6_TRANSPARENT, &one, sizeof one) == 0 &&
                          bind(fd, (const struct sockaddr *)&address6, sizeof address6) == 0;
  if (bound) return fd;
  int error = errno;
  close(fd);
  errno = error;
  return -1;
}

static int open_listener(bool ipv4) {
  int fd = open_socket(SOCK_STREAM, ipv4, PORT);
  return fd >= 0 && listen(fd, BACKLOG) == 0 ? fd : -1;
}

/* Reports the address that each datagram was sent to. */
static int open_datagram_socket(bool ipv4, uint16_t port) {
  int one = 1, fd = open_socket(SOCK_DGRAM, ipv4, port);
  if (fd < 0) return -1;
  int set = ipv4 ? setsockopt(fd, IPPROTO_IP, IP_RECVORIGDSTADDR, &one, sizeof one)
                 : setsockopt(fd, IPPROTO_IPV6, IPV6_RECVORIGDSTADDR, &one, sizeof one);
  return set == 0 ? fd : -1;
}

static int open_dns(bool ipv4) {
  int fd = open_datagram_socket(ipv4, PORT);
  return fd >= 0 && resolve_watch(fd, ipv4) == 0 ? fd : -1;
}

/* One socket gets the datagrams of all flows. */
static int open_datagrams(bool ipv4) {
  int size = UDP_BUFFER, fd = open_datagram_socket(ipv4, UDP_PORT);
  if (fd < 0) return -1;
  /* Its default size works as well. */
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0) errno = 0;
  return datagrams_watch(fd, ipv4) == 0 ? fd : -1;
}

static int put_socket(int sockets, uint32_t key, int fd) {
  uint64_t value = (uint64_t)fd;
  return bpf_put(sockets, &key, &value);
}

/* Without IPv6 in the kernel, IPv4 alone is steered. */
static int open_sockets(int map, int listeners[2]) {
  for (int ipv6 = 0; ipv6 < 2; ipv6++) {
    listeners[ipv6] = open_listener(!ipv6);
    int dns = listeners[ipv6] < 0 ? -1 : open_dns(!ipv6);
    int datagrams = dns < 0 ? -1 : open_datagrams(!ipv6);
    if (datagrams < 0) return ipv6 && errno == EAFNOSUPPORT ? 0 : -1;
    if (put_socket(map, (uint32_t)(STEERED_TCP4 + ipv6), listeners[ipv6]) < 0) return -1;
    if (put_socket(map, (uint32_t)(STEERED_DNS4 + ipv6), dns) < 0) return -1;
    if (put_socket(map, (uint32_t)(STEERED_UDP4 + ipv6), datagrams) < 0) return -1;
  }
  return 0;
}

static int attach(int program) {
  int network = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  if (network < 0) return -1;
  int link = bpf_link(program, network, BPF_ATTACH_SK_LOOKUP), error = errno;
  close(network);
  errno = error;
  return link;
}

int steer_prepare(const char **what) {
  int listeners[2] = {-1, -1};
  *what = "map of own addresses";
  int own = own_addresses_open();
  if (own < 0) return errno;
  *what = "map of sockets";
  int sockets = bpf_map(BPF_MAP_TYPE_SOCKMAP, sizeof(uint32_t), sizeof(uint64_t), STEERED_SOCKETS, 0);
  if (sockets < 0) return errno;
  *what = "listeners";
  if (open_sockets(sockets, listeners) < 0) return errno;
  *what = "raw sockets";
  if (raw_sockets_open() < 0) return errno;
  int error = pending_syn_open(listeners[0], listeners[1], what);
  if (error != 0) return error;
  *what = "listeners";
  for (int i = 0; i < 2; i++)
    if (listeners[i] >= 0 && accept_watch(listeners[i]) < 0) return errno;
  *what = "steering program";
  int program = steer_program_load(own, sockets);
  if (program < 0) return errno;
  *what = "attaching the steering program";
  return attach(program) < 0 ? errno : 0;
}
