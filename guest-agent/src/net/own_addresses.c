#include "routes.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../loop.h"
#include "bpf.h"

/* An IPv4 address is ::ffff:a.b.c.d. */
struct prefix {
  uint32_t bits;
  uint8_t address[16];
};

/* More than that are not told apart from foreign ones. */
enum { PREFIXES_MAX = 1024 };

static int map = -1, monitor = -1;

static struct prefix prefix_of(int family, const void *address, uint32_t bits) {
  struct prefix prefix = {.bits = family == AF_INET ? 96 + bits : bits};
  if (family == AF_INET) {
    prefix.address[10] = prefix.address[11] = 0xff;
    memcpy(prefix.address + 12, address, 4);
  } else {
    memcpy(prefix.address, address, 16);
  }
  return prefix;
}

static int add_prefix(int family, const void *address, uint32_t bits) {
  struct prefix prefix = prefix_of(family, address, bits);
  return bpf_put(map, &prefix, &(uint8_t){1});
}

/* Ranges that are never another machine's. */
static int add_fixed(void) {
  static const struct {
    uint8_t family, bits, address[16];
  } ranges[] = {
      {AF_INET, 8, {127}},          {AF_INET, 8, {0}},     {AF_INET, 3, {224}}, {AF_INET6, 128, {[15] = 1}},
      {AF_INET6, 10, {0xfe, 0x80}}, {AF_INET6, 8, {0xff}},
  };
  for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
    if (add_prefix(ranges[i].family, ranges[i].address, ranges[i].bits) < 0) return -1;
  if (add_prefix(AF_INET, routes_source4, 32) < 0) return -1;
  return add_prefix(AF_INET6, routes_source6, 128);
}

/* The address of a message; NULL = none. IFA_LOCAL is the machine's own, where both attributes are there. */
static const uint8_t *address_in(const uint8_t *at, size_t left, size_t size) {
  const uint8_t *found = NULL;
  struct netlink_attribute attribute;
  while (left >= sizeof attribute) {
    memcpy(&attribute, at, sizeof attribute);
    if (attribute.length < sizeof attribute || attribute.length > left) break;
    if (attribute.length == sizeof attribute + size) {
      if (attribute.type == ADDRESS_LOCAL) return at + sizeof attribute;
      if (attribute.type == ADDRESS_ADDRESS) found = at + sizeof attribute;
    }
    size_t whole = (attribute.length + 3u) & ~3u;
    if (whole > left) break;
    at += whole;
    left -= whole;
  }
  return found;
}

static void take_message(const struct netlink_header *header, const uint8_t *body) {
  struct netlink_address fixed;
  size_t size = header->length - sizeof *header;
  if ((header->type != ROUTE_NEWADDR && header->type != ROUTE_DELADDR) || size < sizeof fixed) return;
  memcpy(&fixed, body, sizeof fixed);
  if (fixed.family != AF_INET && fixed.family != AF_INET6) return;
  bool ipv4 = fixed.family == AF_INET;
  const uint8_t *address = address_in(body + sizeof fixed, size - sizeof fixed, ipv4 ? 4 : 16);
  if (address == NULL || memcmp(address, ipv4 ? routes_source4 : routes_source6, ipv4 ? 4 : 16) == 0) return;
  if (header->type == ROUTE_NEWADDR) {
    add_prefix(fixed.family, address, ipv4 ? 32 : 128);
  } else {
    struct prefix prefix = prefix_of(fixed.family, address, ipv4 ? 32 : 128);
    bpf_remove(map, &prefix);
  }
}

static int ask_for_all(void) {
  struct {
    struct netlink_header header;
    struct netlink_address fixed;
  } message = {.header = {.length = sizeof message, .type = ROUTE_GETADDR, .flags = NETLINK_REQUEST | NETLINK_DUMP}};
  return send(monitor, &message, sizeof message, 0) < 0 ? -1 : 0;
}

static void on_addresses(struct source *source, uint32_t events) {
  (void)source;
  (void)events;
  static uint8_t buffer[16384];
  ssize_t size = recv(monitor, buffer, sizeof buffer, MSG_DONTWAIT);
  /* The kernel dropped messages. */
  if (size < 0 && errno == ENOBUFS) ask_for_all();
  struct netlink_header header;
  for (size_t at = 0; size >= 0 && (size_t)size - at >= sizeof header; at += (header.length + 3u) & ~3u) {
    memcpy(&header, buffer + at, sizeof header);
    if (header.length < sizeof header || header.length > (size_t)size - at) return;
    take_message(&header, buffer + at + sizeof header);
    if (((header.length + 3u) & ~3u) > (size_t)size - at) return;
  }
}

static int watch_addresses(void) {
  static struct source source = {.ready = on_addresses};
  struct {
    uint16_t family, padding;
    uint32_t port, groups;
  } address = {.family = AF_NETLINK, .groups = NETLINK_ADDRESSES_IPV4 | NETLINK_ADDRESSES_IPV6};
  monitor = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_FAMILY_ROUTE);
  if (monitor < 0 || bind(monitor, (const struct sockaddr *)(const void *)&address, sizeof address) < 0) return -1;
  if (loop_watch_level(monitor, EPOLLIN, &source) < 0) return -1;
  return ask_for_all();
}

int own_addresses_open(void) {
  map = bpf_map(BPF_MAP_TYPE_LPM_TRIE, sizeof(struct prefix), 1, PREFIXES_MAX, BPF_F_NO_PREALLOC);
  if (map < 0 || add_fixed() < 0 || watch_addresses() < 0) return -1;
  return map;
}
