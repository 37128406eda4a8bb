/* Kernel interfaces that libc's headers lack: structures and numbers from linux/{bpf,netlink,rtnetlink,fib_rules,if_addr}.h. */
#ifndef PYRO_KERNEL_NET_H
#define PYRO_KERNEL_NET_H

#include <stdint.h>
#include <sys/syscall.h>

#ifndef SYS_bpf
#define SYS_bpf 280
#endif

/* bpf(2) */
enum { BPF_MAP_CREATE = 0, BPF_MAP_UPDATE_ELEM = 2, BPF_MAP_DELETE_ELEM = 3, BPF_PROG_LOAD = 5, BPF_LINK_CREATE = 28 };
enum { BPF_MAP_TYPE_LPM_TRIE = 11, BPF_MAP_TYPE_SOCKMAP = 15, BPF_MAP_TYPE_RINGBUF = 27 };
enum { BPF_F_NO_PREALLOC = 1 };
enum { BPF_PROG_TYPE_SOCKET_FILTER = 1, BPF_PROG_TYPE_SK_LOOKUP = 30, BPF_ATTACH_SK_LOOKUP = 36 };
enum { SK_DROP = 0, SK_PASS = 1 };
enum {
  BPF_FUNC_MAP_LOOKUP_ELEM = 1,
  BPF_FUNC_SKB_LOAD_BYTES = 26,
  BPF_FUNC_SKB_LOAD_BYTES_RELATIVE = 68,
  BPF_FUNC_SK_RELEASE = 86,
  BPF_FUNC_SK_ASSIGN = 124,
  BPF_FUNC_RINGBUF_OUTPUT = 130,
};

struct bpf_instruction {
  uint8_t code;
  uint8_t registers; /* destination in the low half, source in the high half */
  int16_t offset;
  int32_t immediate;
};

union bpf_attributes {
  struct {
    uint32_t type, key_size, value_size, entries, flags;
  } map;
  struct {
    uint32_t map, padding;
    uint64_t key, value, flags;
  } element;
  struct {
    uint32_t type, count;
    uint64_t instructions, license;
    uint32_t log_level, log_size;
    uint64_t log;
    uint32_t kernel_version, flags;
    char name[16];
    uint32_t interface, attach_type;
  } program;
  struct {
    uint32_t program, target, attach_type, flags;
  } link;
};

/* The ring of BPF_MAP_TYPE_RINGBUF: a header of 8 bytes before each record, whose first word is its length and these bits. */
#define BPF_RING_BUSY (1u << 31)
#define BPF_RING_DISCARDED (1u << 30)
enum { BPF_RING_HEADER = 8 };

/* netlink(7), rtnetlink(7) */
enum { NETLINK_FAMILY_ROUTE = 0, NETLINK_ADDRESSES_IPV4 = 0x10, NETLINK_ADDRESSES_IPV6 = 0x100 };
enum {
  NETLINK_REQUEST = 1,
  NETLINK_ACK = 4,
  NETLINK_DUMP = 0x300,
  NETLINK_REPLACE = 0x100,
  NETLINK_EXCLUSIVE = 0x200,
  NETLINK_CREATE = 0x400
};
enum { NETLINK_ERROR = 2 };
enum {
  ROUTE_NEWADDR = 20,
  ROUTE_DELADDR = 21,
  ROUTE_GETADDR = 22,
  ROUTE_NEWROUTE = 24,
  ROUTE_DELROUTE = 25,
  ROUTE_NEWRULE = 32,
  ROUTE_DELRULE = 33,
};

struct netlink_header {
  uint32_t length;
  uint16_t type, flags;
  uint32_t sequence, port;
};

struct netlink_attribute {
  uint16_t length, type;
};

struct netlink_address {
  uint8_t family, prefix, flags, scope;
  uint32_t interface;
};
enum { ADDRESS_ADDRESS = 1, ADDRESS_LOCAL = 2, ADDRESS_NO_DAD = 2 /* flag */, ADDRESS_SCOPE_HOST = 254 };

struct netlink_route {
  uint8_t family, to_prefix, from_prefix, tos, table, protocol, scope, type;
  uint32_t flags;
};
enum { ROUTE_INTERFACE = 4, ROUTE_SOURCE = 7, ROUTE_TABLE = 15 };
enum { ROUTE_PROTOCOL_STATIC = 4, ROUTE_TYPE_LOCAL = 2, ROUTE_SCOPE_HOST = 254 };

struct netlink_rule {
  uint8_t family, to_prefix, from_prefix, tos, table, reserved[2], action;
  uint32_t flags;
};
enum {
  RULE_DESTINATION = 1,
  RULE_INPUT_INTERFACE = 3,
  RULE_PRIORITY = 6,
  RULE_MARK = 10,
  RULE_TABLE = 15,
  RULE_PROTOCOL = 22,
  RULE_TO_TABLE = 1,    /* action */
  RULE_UNREACHABLE = 7, /* action */
  RULE_PROHIBIT = 8,    /* action */
  RULE_INVERT = 0x2,    /* flag */
};

/* The loopback interface is the first of every network namespace. */
enum { LOOPBACK_INTERFACE = 1 };

#endif
