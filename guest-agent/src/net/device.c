#include "routes.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>

#include "netlink.h"

/* All guests have the same: each device is alone in its network. The gateway of IPv4 is also the nameserver. */
static const struct ends {
  uint8_t family, prefix, size, own[16], gateway[16];
} ends4 = {AF_INET, 24, 4, {198, 18, 0, 3}, {198, 18, 0, 2}},
  ends6 = {AF_INET6, 64, 16, {0xfd, 0x70, 0x79, 0x72, 0x6f, [15] = 3}, {0xfd, 0x70, 0x79, 0x72, 0x6f, [15] = 2}};

/* Nobody else has the address, so no second is spent on looking for duplicates. */
static int add_address(uint32_t interface, const struct ends *ends) {
  struct netlink_address fixed = {
      .family = ends->family, .prefix = ends->prefix, .flags = ends->family == AF_INET6 ? ADDRESS_NO_DAD : 0, .interface = interface};
  struct netlink_message message = netlink_message(ROUTE_NEWADDR, NETLINK_CREATE | NETLINK_REPLACE, &fixed, sizeof fixed);
  netlink_add(&message, ADDRESS_LOCAL, ends->own, ends->size);
  netlink_add(&message, ADDRESS_ADDRESS, ends->own, ends->size);
  return netlink_do(&message);
}

static int set_up(uint32_t interface) {
  struct netlink_link fixed = {.index = (int32_t)interface, .flags = IFF_UP, .change = IFF_UP};
  struct netlink_message message = netlink_message(ROUTE_NEWLINK, 0, &fixed, sizeof fixed);
  return netlink_do(&message);
}

static int add_route(uint32_t interface, const struct ends *ends) {
  struct netlink_route fixed = {
      .family = ends->family, .table = ROUTE_TABLE_MAIN, .protocol = ROUTE_PROTOCOL_STATIC, .type = ROUTE_TYPE_UNICAST};
  struct netlink_message message = netlink_message(ROUTE_NEWROUTE, NETLINK_CREATE | NETLINK_REPLACE, &fixed, sizeof fixed);
  netlink_add(&message, ROUTE_INTERFACE, &interface, sizeof interface);
  netlink_add(&message, ROUTE_GATEWAY, ends->gateway, ends->size);
  return netlink_do(&message);
}

static int add_family(uint32_t interface, const struct ends *ends) {
  int error = add_address(interface, ends);
  return error != 0 ? error : add_route(interface, ends);
}

int device_configure(const char **what) {
  /* Those of network_prepare: the device's are the only addresses of the guest. */
  routes_remove_addresses();
  *what = "device eth0";
  uint32_t interface = if_nametoindex("eth0");
  if (interface == 0) return errno;
  *what = "state of eth0";
  int error = set_up(interface);
  if (error != 0) return error;
  *what = "IPv4 of eth0";
  error = add_family(interface, &ends4);
  if (error != 0) return error;
  *what = "IPv6 of eth0";
  error = add_family(interface, &ends6);
  /* A kernel without IPv6. */
  return error == EOPNOTSUPP || error == EAFNOSUPPORT ? 0 : error;
}
