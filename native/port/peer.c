/* The kernel's word about one connection: sock_diag finds it by both addresses and both ports, however long the host's table is. */
#include "port.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { ANSWER_BYTES = 8192, ANSWER_SECONDS = 1 };

struct question {
  struct nlmsghdr head;
  struct inet_diag_req_v2 request;
};

int open_diag(void) {
  int diag = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  struct timeval wait = {.tv_sec = ANSWER_SECONDS};
  struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};

  /* Connected: no other process of the host can answer. */
  if (diag >= 0 && (setsockopt(diag, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) < 0 ||
                    connect(diag, (struct sockaddr *)&kernel, sizeof(kernel)) < 0)) {
    int error = errno;

    close(diag);
    errno = error;
    return -1;
  }
  return diag;
}

/* Asks for exactly one socket. False if the kernel knows none, or gives no answer. */
static bool ask(int diag, const struct inet_diag_sockid *id, struct inet_diag_msg *found) {
  static uint32_t sequence;
  unsigned char answer[ANSWER_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
  struct question question = {
      .head = {.nlmsg_len = sizeof(question), .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST, .nlmsg_seq = ++sequence},
      .request = {.sdiag_family = AF_INET, .sdiag_protocol = IPPROTO_TCP, .idiag_states = ~0U, .id = *id},
  };

  if (send(diag, &question, sizeof(question), 0) < 0) return false;
  for (;;) {
    ssize_t size = recv(diag, answer, sizeof(answer), 0);
    const struct nlmsghdr *head = (const struct nlmsghdr *)answer;

    if (size < (ssize_t)NLMSG_HDRLEN) return false;
    /* The late answer to an earlier question. */
    if (head->nlmsg_seq != sequence) continue;
    if (head->nlmsg_type != SOCK_DIAG_BY_FAMILY || size < (ssize_t)NLMSG_SPACE(sizeof(*found))) return false;
    memcpy(found, NLMSG_DATA(head), sizeof(*found));
    return true;
  }
}

static struct inet_diag_sockid id_of(uint16_t from, uint32_t to_address, uint16_t to) {
  return (struct inet_diag_sockid){
      .idiag_sport = htons(from),
      .idiag_dport = htons(to),
      .idiag_src = {htonl(INADDR_LOOPBACK)},
      .idiag_dst = {htonl(to_address)},
      .idiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE},
  };
}

/* Whether an address is 127.0.0.1, as a socket of its family writes it: a socket of IPv6 has it as ::ffff:127.0.0.1. */
static bool is_loopback(uint8_t family, const uint32_t address[4]) {
  const uint32_t mapped[4] = {0, 0, htonl(0xffff), htonl(INADDR_LOOPBACK)};

  return family == AF_INET ? address[0] == htonl(INADDR_LOOPBACK) : memcmp(address, mapped, sizeof(mapped)) == 0;
}

bool user_of(int diag, uint16_t client, uint16_t server, uid_t *user) {
  struct inet_diag_sockid id = id_of(client, INADDR_LOOPBACK, server);
  struct inet_diag_msg found;

  if (!ask(diag, &id, &found)) return false;
  if (found.id.idiag_sport != id.idiag_sport || found.id.idiag_dport != id.idiag_dport) return false;
  if (!is_loopback(found.idiag_family, found.id.idiag_src) || !is_loopback(found.idiag_family, found.id.idiag_dst)) return false;
  /* A closed socket has no file, and older kernels call its user root. */
  if (found.idiag_inode == 0) return false;
  *user = found.idiag_uid;
  return true;
}

bool knows_listener(int diag, uint16_t port) {
  struct inet_diag_sockid id = id_of(port, INADDR_ANY, 0);
  struct inet_diag_msg found;

  return ask(diag, &id, &found) && found.id.idiag_sport == id.idiag_sport;
}
