#include "device.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>

#include "netlink.h"

/* All guests have the same: each device is alone in its network. The gateway is also the nameserver. */
static const uint8_t own4[4] = {198, 18, 0, 3}, gateway4[4] = {198, 18, 0, 2};
enum { PREFIX = 24 };

static int add_address(uint32_t interface) {
  struct netlink_address fixed = {.family = AF_INET, .prefix = PREFIX, .interface = interface};
  struct netlink_message message = netlink_message(ROUTE_NEWADDR, NETLINK_CREATE | NETLINK_REPLACE, &fixed, sizeof fixed);
  netlink_add(&message, ADDRESS_LOCAL, own4, sizeof own4);
  netlink_add(&message, ADDRESS_ADDRESS, own4, sizeof own4);
  return netlink_do(&message);
}

static int set_up(uint32_t interface) {
  struct netlink_link fixed = {.index = (int32_t)interface, .flags = IFF_UP, .change = IFF_UP};
  struct netlink_message message = netlink_message(ROUTE_NEWLINK, 0, &fixed, sizeof fixed);
  return netlink_do(&message);
}

static int add_route(uint32_t interface) {
  struct netlink_route fixed = {
      .family = AF_INET, .table = ROUTE_TABLE_MAIN, .protocol = ROUTE_PROTOCOL_STATIC, .type = ROUTE_TYPE_UNICAST};
  struct netlink_message message = netlink_message(ROUTE_NEWROUTE, NETLINK_CREATE | NETLINK_REPLACE, &fixed, sizeof fixed);
  netlink_add(&message, ROUTE_INTERFACE, &interface, sizeof interface);
  netlink_add(&message, ROUTE_GATEWAY, gateway4, sizeof gateway4);
  return netlink_do(&message);
}

int device_configure(const char **what) {
  *what = "device eth0";
  uint32_t interface = if_nametoindex("eth0");
  if (interface == 0) return errno;
  *what = "address of eth0";
  int error = add_address(interface);
  if (error != 0) return error;
  *what = "state of eth0";
  error = set_up(interface);
  if (error != 0) return error;
  *what = "default route";
  return add_route(interface);
}
