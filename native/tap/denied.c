/*
 * pyro-denied GROUP NAME: prints a line for each packet that the firewall of this network namespace logs to a netlink group.
 *
 * A line has the number of the protocol, the destination address, and the destination port or 0. The program ends with its parent. pyro
 * finds the process by NAME.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FAILED = 1, COPIED_BYTES = 64, LONGEST_CONFIG = 64, BUFFER_BYTES = 1 << 16 };

static void fail(const char *what) {
  fprintf(stderr, "pyro-denied: %s: %s\n", what, strerror(errno));
  exit(FAILED);
}

/* Sends one setting of the group, and waits for the kernel's answer. */
static void configure(int sock, uint16_t group, uint16_t type, const void *data, uint16_t size) {
  unsigned char message[LONGEST_CONFIG] = {0};
  struct nlmsghdr *head = (struct nlmsghdr *)message;
  struct nfgenmsg *general = NLMSG_DATA(head);
  struct nlattr *attribute = (struct nlattr *)((unsigned char *)general + NLMSG_ALIGN(sizeof(*general)));
  struct {
    struct nlmsghdr head;
    struct nlmsgerr error;
  } answer;

  *attribute = (struct nlattr){.nla_len = (uint16_t)(NLA_HDRLEN + size), .nla_type = type};
  memcpy((unsigned char *)attribute + NLA_HDRLEN, data, size);
  *general = (struct nfgenmsg){.nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0, .res_id = htons(group)};
  *head = (struct nlmsghdr){.nlmsg_len = (uint32_t)((unsigned char *)attribute - message + NLA_ALIGN(attribute->nla_len)),
                            .nlmsg_type = NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG,
                            .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK};
  if (send(sock, message, head->nlmsg_len, 0) < 0) fail("send");
  if (recv(sock, &answer, sizeof(answer), 0) < (ssize_t)sizeof(answer) || answer.head.nlmsg_type != NLMSG_ERROR) fail("recv");
  errno = -answer.error.error;
  if (errno != 0) fail("configuration of the log");
}

/* `head`: size of the packet's headers, if TCP's or UDP's header follows. */
static void print_denied(unsigned protocol, int family, const void *to, const unsigned char *packet, size_t head, size_t size) {
  uint16_t port = 0;
  char text[INET6_ADDRSTRLEN];

  if ((protocol == IPPROTO_TCP || protocol == IPPROTO_UDP) && size >= head + 4) memcpy(&port, packet + head + 2, sizeof(port));
  printf("%u %s %u\n", protocol, inet_ntop(family, to, text, sizeof(text)), ntohs(port));
}

static void print_packet(const unsigned char *packet, size_t size) {
  struct iphdr ip;
  struct ip6_hdr ip6;

  if (size >= sizeof(ip) && packet[0] >> 4 == 4) {
    memcpy(&ip, packet, sizeof(ip));
    bool is_first = (ntohs(ip.frag_off) & IP_OFFMASK) == 0 && ip.ihl >= 5;

    print_denied(ip.protocol, AF_INET, &ip.daddr, packet, is_first ? (size_t)ip.ihl * 4 : size, size);
  } else if (size >= sizeof(ip6) && packet[0] >> 4 == 6) {
    /* Behind extension headers, the protocol is the first one's, without a port. */
    memcpy(&ip6, packet, sizeof(ip6));
    print_denied(ip6.ip6_nxt, AF_INET6, &ip6.ip6_dst, packet, sizeof(ip6), size);
  }
}

static void read_message(const unsigned char *message, size_t size) {
  size_t at = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(struct nfgenmsg));

  while (at + NLA_HDRLEN <= size) {
    struct nlattr attribute;

    memcpy(&attribute, message + at, sizeof(attribute));
    if (attribute.nla_len < NLA_HDRLEN || at + attribute.nla_len > size) return;
    if ((attribute.nla_type & NLA_TYPE_MASK) == NFULA_PAYLOAD) print_packet(message + at + NLA_HDRLEN, attribute.nla_len - NLA_HDRLEN);
    at += NLA_ALIGN(attribute.nla_len);
  }
}

static void read_messages(int sock) {
  static unsigned char buffer[BUFFER_BYTES];
  ssize_t size = recv(sock, buffer, sizeof(buffer), 0);

  /* The kernel drops packets that nobody read in time. */
  if (size < 0 && errno != ENOBUFS && errno != EINTR) fail("recv");
  for (size_t at = 0; size > 0 && at + NLMSG_HDRLEN <= (size_t)size;) {
    struct nlmsghdr head;

    memcpy(&head, buffer + at, sizeof(head));
    if (head.nlmsg_len < NLMSG_HDRLEN || at + head.nlmsg_len > (size_t)size) break;
    if (head.nlmsg_type == (NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET)) read_message(buffer + at, head.nlmsg_len);
    at += NLMSG_ALIGN(head.nlmsg_len);
  }
  if (fflush(stdout) != 0) exit(FAILED);
}

int main(int count, char **arguments) {
  long group = count == 3 ? strtol(arguments[1], NULL, 10) : -1;
  pid_t parent = getppid();

  if (group < 0 || group > UINT16_MAX) {
    fprintf(stderr, "use: pyro-denied GROUP NAME\n");
    return FAILED;
  }
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent) return FAILED;
  int sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
  struct sockaddr_nl self = {.nl_family = AF_NETLINK};
  struct nfulnl_msg_config_cmd bind_command = {.command = NFULNL_CFG_CMD_BIND};
  struct nfulnl_msg_config_mode mode = {.copy_range = htonl(COPIED_BYTES), .copy_mode = NFULNL_COPY_PACKET};
  uint32_t at_once = htonl(1);

  if (sock < 0 || bind(sock, (struct sockaddr *)&self, sizeof(self)) < 0) fail("netlink");
  configure(sock, (uint16_t)group, NFULA_CFG_CMD, &bind_command, sizeof(bind_command));
  configure(sock, (uint16_t)group, NFULA_CFG_MODE, &mode, sizeof(mode));
  configure(sock, (uint16_t)group, NFULA_CFG_QTHRESH, &at_once, sizeof(at_once));
  for (;;) read_messages(sock);
}
