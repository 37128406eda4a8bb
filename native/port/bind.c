/* The sockets that keep a port. */
#include "port.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 511, ATTEMPTS = 64 };

/* Closes what is open, and keeps errno. */
static bool give_up(struct held *held) {
  int error = errno;

  if (held->listener >= 0) close(held->listener);
  if (held->deaf >= 0) close(held->deaf);
  held->listener = held->deaf = -1;
  errno = error;
  return false;
}

static bool listen_at(uint16_t port, struct held *held) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t size = sizeof(at);
  int yes = 1;

  held->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (held->listener < 0) return false;
  /* Past connections still occupy the port. No other socket shares the port of one that listens. */
  if (setsockopt(held->listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) < 0) return false;
  if (bind(held->listener, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(held->listener, BACKLOG) < 0) return false;
  if (getsockname(held->listener, (struct sockaddr *)&at, &size) < 0) return false;
  held->port = ntohs(at.sin_port);
  return true;
}

/* Without SO_REUSEADDR: no other socket shares the port, although this one does not listen. */
static bool bind_deaf(struct held *held) {
  struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_port = htons(held->port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
  int yes = 1;

  held->deaf = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (held->deaf < 0) return true; /* a kernel without IPv6 */
  if (setsockopt(held->deaf, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof(yes)) == 0 &&
      bind(held->deaf, (struct sockaddr *)&at, sizeof(at)) == 0)
    return true;
  if (errno == EADDRINUSE) return false;
  close(held->deaf); /* a loopback without IPv6 */
  held->deaf = -1;
  return true;
}

bool bind_port(uint16_t port, struct held *held, const char **where) {
  for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
    *where = "127.0.0.1";
    if (!listen_at(port, held)) return give_up(held);
    *where = "::1";
    if (bind_deaf(held)) return true;
    give_up(held);
    if (port != 0) return false;
  }
  return false;
}
