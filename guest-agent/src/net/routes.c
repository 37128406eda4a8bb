#include "routes.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>

#include "syn_filter.h"
#include "netlink.h"

/* The rules come after those of the tables main (32766) and default (32767): every route of the guest's own wins. */
enum { TABLE = 28793, PRIORITY_MULTICAST = 39999, PRIORITY_TCP, PRIORITY_UDP, PRIORITY_MARK, PRIORITY_FORWARDED };

const uint8_t routes_source4[4] = {198, 18, 0, 1}, routes_nameserver4[4] = {198, 18, 0, 2};
const uint8_t routes_source6[16] = {0xfd, 0x70, 0x79, 0x72, 0x6f, [15] = 1};
const uint8_t routes_nameserver6[16] = {0xfd, 0x70, 0x79, 0x72, 0x6f, [15] = 2};

static const uint8_t *source(bool ipv4) { return ipv4 ? routes_source4 : routes_source6; }
static size_t address_size(bool ipv4) { return ipv4 ? 4 : 16; }

/* A source of its own: a connection from the address that it goes to could meet itself. glibc also asks for no IPv4 address
 * without an address besides 127.0.0.1. */
static int add_address(bool ipv4) {
  struct netlink_address fixed = {.family = ipv4 ? AF_INET : AF_INET6,
                                  .prefix = (uint8_t)(8 * address_size(ipv4)),
                                  .flags = ipv4 ? 0 : ADDRESS_NO_DAD,
                                  .interface = LOOPBACK_INTERFACE};
  struct netlink_message message = netlink_message(ROUTE_NEWADDR, NETLINK_CREATE | NETLINK_REPLACE, &fixed, sizeof fixed);
  netlink_add(&message, ADDRESS_LOCAL, source(ipv4), address_size(ipv4));
  netlink_add(&message, ADDRESS_ADDRESS, source(ipv4), address_size(ipv4));
  return netlink_do(&message);
}

/* Everything is local, in a table of its own. */
static int add_route(bool ipv4) {
  struct netlink_route fixed = {.family = ipv4 ? AF_INET : AF_INET6,
                                .protocol = ROUTE_PROTOCOL_STATIC,
                                .scope = ipv4 ? ROUTE_SCOPE_HOST : 0,
                                .type = ROUTE_TYPE_LOCAL};
  uint32_t table = TABLE, interface = LOOPBACK_INTERFACE;
  struct netlink_message message = netlink_message(ROUTE_NEWROUTE, NETLINK_CREATE | NETLINK_REPLACE, &fixed, sizeof fixed);
  netlink_add(&message, ROUTE_TABLE, &table, sizeof table);
  netlink_add(&message, ROUTE_INTERFACE, &interface, sizeof interface);
  netlink_add(&message, ROUTE_SOURCE, source(ipv4), address_size(ipv4));
  return netlink_do(&message);
}

static struct netlink_message rule(uint16_t type, bool ipv4, uint8_t action, uint32_t flags, uint32_t priority) {
  struct netlink_rule fixed = {.family = ipv4 ? AF_INET : AF_INET6, .action = action, .flags = flags};
  if (priority == PRIORITY_MULTICAST) fixed.to_prefix = ipv4 ? 3 : 8;
  uint32_t table = TABLE;
  struct netlink_message message =
      netlink_message(type, type == ROUTE_NEWRULE ? NETLINK_CREATE | NETLINK_EXCLUSIVE : 0, &fixed, sizeof fixed);
  netlink_add(&message, RULE_PRIORITY, &priority, sizeof priority);
  if (action == RULE_TO_TABLE) netlink_add(&message, RULE_TABLE, &table, sizeof table);
  return message;
}

static int change_rules(uint16_t type, bool ipv4, int accepted) {
  uint8_t tcp = IPPROTO_TCP, udp = IPPROTO_UDP;
  uint32_t mark = SYN_MARK;
  static const char loopback[] = "lo";
  /* 224.0.0.0/3 has the multicast, reserved and broadcast addresses, ff00::/8 the multicast ones. */
  uint8_t multicast[16] = {ipv4 ? 224 : 0xff};
  struct netlink_message rules[] = {
      rule(type, ipv4, RULE_TO_TABLE, 0, PRIORITY_TCP),
      rule(type, ipv4, RULE_TO_TABLE, 0, PRIORITY_UDP),
      /* To the rules, the packets of a raw socket are of the protocol "raw". */
      rule(type, ipv4, RULE_TO_TABLE, 0, PRIORITY_MARK),
      /* Else a container's datagram would get no answer: "no route" is no error to a UDP socket, "prohibited" is. */
      rule(type, ipv4, RULE_PROHIBIT, RULE_INVERT, PRIORITY_FORWARDED),
      /* No other machine has them. The table would keep such datagrams on the loopback, without an error. */
      rule(type, ipv4, RULE_UNREACHABLE, 0, PRIORITY_MULTICAST),
  };
  netlink_add(&rules[0], RULE_PROTOCOL, &tcp, sizeof tcp);
  netlink_add(&rules[1], RULE_PROTOCOL, &udp, sizeof udp);
  netlink_add(&rules[2], RULE_MARK, &mark, sizeof mark);
  netlink_add(&rules[3], RULE_INPUT_INTERFACE, loopback, sizeof loopback);
  netlink_add(&rules[4], RULE_DESTINATION, multicast, address_size(ipv4));
  int error = 0;
  for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
    int failed = netlink_do(&rules[i]);
    if (failed != 0 && failed != accepted && error == 0) error = failed;
  }
  return error;
}

static int add_path(bool ipv4, const char **what) {
  *what = ipv4 ? "address 198.18.0.1" : "address fd70:7972:6f00::1";
  int error = add_address(ipv4);
  if (error != 0) return error;
  *what = ipv4 ? "IPv4 route" : "IPv6 route";
  return add_route(ipv4);
}

static int add_rules(bool ipv4, const char **what) {
  *what = ipv4 ? "IPv4 rules" : "IPv6 rules";
  return change_rules(ROUTE_NEWRULE, ipv4, EEXIST);
}

/* EACCES: net.ipv6.conf.lo.disable_ipv6. */
static bool is_without_ipv6(int error) { return error == EOPNOTSUPP || error == EAFNOSUPPORT || error == EACCES; }

static int add_both(int (*add)(bool ipv4, const char **what), const char **what) {
  int error = add(false, what);
  return error != 0 && !is_without_ipv6(error) ? error : add(true, what);
}

int routes_add_paths(const char **what) { return add_both(add_path, what); }
int routes_add_rules(const char **what) { return add_both(add_rules, what); }

int routes_remove_rules(const char **what) {
  int error = 0;
  for (int ipv4 = 0; ipv4 < 2; ipv4++) {
    int failed = change_rules(ROUTE_DELRULE, ipv4 != 0, ENOENT);
    if (failed == 0 || (ipv4 == 0 && is_without_ipv6(failed))) continue;
    *what = ipv4 ? "IPv4 rules" : "IPv6 rules";
    error = failed;
  }
  return error;
}
