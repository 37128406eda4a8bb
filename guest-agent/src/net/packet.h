/* Packets as bytes: reads a SYN, writes the answers to it and to datagrams. */
#ifndef PYRO_PACKET_H
#define PYRO_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "syn_filter.h"

/* The two ends of a connection or an exchange of datagrams. */
struct flow {
  bool ipv4;
  uint8_t from[16], to[16]; /* 4 bytes each for IPv4 */
  uint16_t from_port, to_port;
};

enum { PACKET_RESET_MAX = 60, PACKET_DATAGRAM_HEADERS_MAX = 48, PACKET_UNREACHABLE_MAX = 96 };

bool flow_equal(const struct flow *a, const struct flow *b);
uint32_t flow_hash(const struct flow *flow);
/* The flow of the answers. */
struct flow flow_back(const struct flow *flow);
static inline size_t flow_address_size(const struct flow *flow) { return flow->ipv4 ? 4 : 16; }

/* Reads a SYN of the filter; false for any other bytes. */
bool packet_read_syn(const uint8_t *packet, size_t size, struct flow *flow);
/* Completes the checksum of a segment that packet_read_syn has read. */
void packet_seal_segment(uint8_t *packet, size_t size);
/* Writes the RST that refuses such a SYN; its size. */
size_t packet_write_reset(const uint8_t *syn, const struct flow *flow, uint8_t to[PACKET_RESET_MAX]);
/* Writes the headers of a datagram whose data follows; their size. */
size_t packet_write_datagram(const struct flow *flow, const uint8_t *data, size_t size, uint8_t to[PACKET_DATAGRAM_HEADERS_MAX]);
/* Writes the ICMP message that refuses a datagram of this flow; its size. */
size_t packet_write_unreachable(const struct flow *flow, uint8_t to[PACKET_UNREACHABLE_MAX]);

#endif
