#include "packet.h"

#include <netinet/in.h>
#include <string.h>

enum { IPV4_HEADER = 20, IPV6_HEADER = 40, TCP_HEADER = 20, UDP_HEADER = 8, HOPS = 64 };
/* Places in a TCP header. */
enum { SEQUENCE = 4, ACKNOWLEDGEMENT = 8, DATA_OFFSET = 12, TCP_FLAGS = 13, TCP_CHECKSUM = 16 };
enum { SYN = 0x02, RST = 0x04, ACK = 0x10 };
enum { UDP_CHECKSUM = 6 };
/* "Port unreachable" (RFC 792, RFC 4443): the sender's socket fails with ECONNREFUSED. */
enum { ICMP_HEADER = 8, ICMP_CHECKSUM = 2 };
enum { ICMP4_UNREACHABLE = 3, ICMP4_PORT = 3, ICMP6_UNREACHABLE = 1, ICMP6_PORT = 4 };

static uint16_t get16(const uint8_t *at) { return (uint16_t)(at[0] << 8 | at[1]); }

static void set16(uint8_t *at, size_t value) {
  at[0] = (uint8_t)(value >> 8);
  at[1] = (uint8_t)value;
}

static uint32_t get32(const uint8_t *at) { return (uint32_t)get16(at) << 16 | get16(at + 2); }

static void set32(uint8_t *at, uint32_t value) {
  set16(at, value >> 16);
  set16(at + 2, value & 0xffff);
}

static size_t network_header(bool ipv4) { return ipv4 ? IPV4_HEADER : IPV6_HEADER; }
/* Place of the source address; the destination follows. */
static size_t addresses(bool ipv4) { return ipv4 ? 12 : 8; }

bool flow_equal(const struct flow *a, const struct flow *b) {
  size_t size = flow_address_size(a);
  return a->ipv4 == b->ipv4 && a->from_port == b->from_port && a->to_port == b->to_port && memcmp(a->from, b->from, size) == 0 &&
         memcmp(a->to, b->to, size) == 0;
}

uint32_t flow_hash(const struct flow *flow) {
  uint32_t hash = (uint32_t)flow->from_port << 16 | flow->to_port;
  for (size_t i = 0; i < flow_address_size(flow); i++) hash = (hash ^ flow->to[i] ^ (uint32_t)flow->from[i] << 8) * 0x01000193u;
  return hash >> 16 ^ hash;
}

struct flow flow_back(const struct flow *flow) {
  struct flow back = {.ipv4 = flow->ipv4, .from_port = flow->to_port, .to_port = flow->from_port};
  memcpy(back.from, flow->to, sizeof back.from);
  memcpy(back.to, flow->from, sizeof back.to);
  return back;
}

/* One's complement sum of 16-bit words (RFC 1071). */
static uint32_t sum(uint32_t total, const uint8_t *data, size_t size) {
  for (size_t i = 0; i < size; i++) total += i % 2 == 0 ? (uint32_t)data[i] << 8 : data[i];
  return total;
}

static uint16_t folded(uint32_t total) {
  while (total >> 16 != 0) total = (total & 0xffff) + (total >> 16);
  return (uint16_t)~total;
}

bool packet_read_syn(const uint8_t *packet, size_t size, struct flow *flow) {
  if (size < 1) return false;
  bool ipv4 = packet[0] >> 4 == 4;
  size_t header = network_header(ipv4);
  if (size < header + TCP_HEADER || size > SYN_PACKET_MAX) return false;
  /* Neither IPv4 options nor IPv6 extension headers. */
  if (ipv4 ? packet[0] != 0x45 || packet[9] != IPPROTO_TCP : packet[0] >> 4 != 6 || packet[6] != IPPROTO_TCP) return false;
  const uint8_t *tcp = packet + header;
  if (header + (size_t)(tcp[DATA_OFFSET] >> 4) * 4 != size || (tcp[TCP_FLAGS] & (SYN | ACK | RST)) != SYN) return false;
  *flow = (struct flow){.ipv4 = ipv4, .from_port = get16(tcp), .to_port = get16(tcp + 2)};
  size_t bytes = flow_address_size(flow);
  memcpy(flow->from, packet + addresses(ipv4), bytes);
  memcpy(flow->to, packet + addresses(ipv4) + bytes, bytes);
  return flow->from_port != 0 && flow->to_port != 0;
}

/* Over the addresses, the protocol and the transport header with its data. */
static uint16_t checksum(const uint8_t *packet, size_t size, bool ipv4, uint8_t protocol) {
  size_t header = network_header(ipv4);
  uint32_t total = sum((uint32_t)(protocol + size - header), packet + addresses(ipv4), ipv4 ? 8 : 32);
  return folded(sum(total, packet + header, size - header));
}

void packet_seal_segment(uint8_t *packet, size_t size) {
  bool ipv4 = packet[0] >> 4 == 4;
  uint8_t *tcp = packet + network_header(ipv4);
  set16(tcp + TCP_CHECKSUM, 0);
  set16(tcp + TCP_CHECKSUM, checksum(packet, size, ipv4, IPPROTO_TCP));
}

/* The kernel fills the IPv4 header's length, identification and checksum in. */
static void put_network_header(uint8_t *to, const struct flow *flow, uint8_t protocol, size_t size) {
  size_t header = network_header(flow->ipv4), bytes = flow_address_size(flow);
  memset(to, 0, header);
  to[0] = flow->ipv4 ? 0x45 : 0x60;
  if (flow->ipv4) {
    set16(to + 2, size);
    to[8] = HOPS;
    to[9] = protocol;
  } else {
    set16(to + 4, size - header);
    to[6] = protocol;
    to[7] = HOPS;
  }
  memcpy(to + addresses(flow->ipv4), flow->from, bytes);
  memcpy(to + addresses(flow->ipv4) + bytes, flow->to, bytes);
}

size_t packet_write_reset(const uint8_t *syn, const struct flow *flow, uint8_t to[PACKET_RESET_MAX]) {
  struct flow reset = flow_back(flow);
  size_t header = network_header(flow->ipv4), size = header + TCP_HEADER;
  put_network_header(to, &reset, IPPROTO_TCP, size);
  uint8_t *tcp = to + header;
  memset(tcp, 0, TCP_HEADER);
  set16(tcp, reset.from_port);
  set16(tcp + 2, reset.to_port);
  set32(tcp + ACKNOWLEDGEMENT, get32(syn + header + SEQUENCE) + 1);
  tcp[DATA_OFFSET] = TCP_HEADER / 4 << 4;
  tcp[TCP_FLAGS] = RST | ACK;
  packet_seal_segment(to, size);
  return size;
}

size_t packet_write_datagram(const struct flow *flow, const uint8_t *data, size_t size, uint8_t to[PACKET_DATAGRAM_HEADERS_MAX]) {
  size_t header = network_header(flow->ipv4);
  put_network_header(to, flow, IPPROTO_UDP, header + UDP_HEADER + size);
  uint8_t *udp = to + header;
  set16(udp, flow->from_port);
  set16(udp + 2, flow->to_port);
  set16(udp + 4, UDP_HEADER + size);
  set16(udp + UDP_CHECKSUM, 0);
  uint32_t total = sum((uint32_t)(IPPROTO_UDP + UDP_HEADER + size), to + addresses(flow->ipv4), 2 * flow_address_size(flow));
  uint16_t sealed = folded(sum(sum(total, udp, UDP_HEADER), data, size));
  set16(udp + UDP_CHECKSUM, sealed != 0 ? sealed : 0xffff); /* 0 would say "no checksum" */
  return header + UDP_HEADER;
}

size_t packet_write_unreachable(const struct flow *flow, uint8_t to[PACKET_UNREACHABLE_MAX]) {
  struct flow answer = flow_back(flow);
  bool ipv4 = flow->ipv4;
  size_t header = network_header(ipv4), size = header + ICMP_HEADER + header + UDP_HEADER;
  uint8_t protocol = ipv4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
  memset(to, 0, size);
  put_network_header(to, &answer, protocol, size);
  uint8_t *icmp = to + header, *datagram = icmp + ICMP_HEADER;
  icmp[0] = ipv4 ? ICMP4_UNREACHABLE : ICMP6_UNREACHABLE;
  icmp[1] = ipv4 ? ICMP4_PORT : ICMP6_PORT;
  put_network_header(datagram, flow, IPPROTO_UDP, header + UDP_HEADER);
  set16(datagram + header, flow->from_port);
  set16(datagram + header + 2, flow->to_port);
  set16(datagram + header + 4, UDP_HEADER);
  /* ICMP has no checksum over the addresses, ICMPv6 has. */
  set16(icmp + ICMP_CHECKSUM, ipv4 ? folded(sum(0, icmp, size - header)) : checksum(to, size, ipv4, protocol));
  return size;
}
