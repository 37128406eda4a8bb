/* SYNs, their refusals and datagrams as bytes. */
#include <string.h>

#include "../src/net/fake_names.h"
#include "../src/net/packet.h"
#include "check.h"

/* 198.18.0.1:40000 to 1.2.3.4:80 */
static const uint8_t syn4[] = {0x45, 0,    0, 40, 0,    0,    0x40, 0,    64, 6, 0, 0, 198,  18,   0,    1,    1, 2, 3, 4,
                               0x9c, 0x40, 0, 80, 0x11, 0x22, 0x33, 0xff, 0,  0, 0, 0, 0x50, 0x02, 0xff, 0xff, 0, 0, 0, 0};

static uint32_t words(const uint8_t *data, size_t size) {
  uint32_t total = 0;
  for (size_t i = 0; i + 1 < size; i += 2) total += (uint32_t)data[i] << 8 | data[i + 1];
  return total;
}

/* RFC 1071: with its checksum, a packet sums up to all ones. */
static bool sums_up(const uint8_t *packet, size_t size, size_t header, size_t addresses, size_t address_size, uint8_t protocol) {
  uint32_t total =
      words(packet + addresses, 2 * address_size) + words(packet + header, size - header) + protocol + (uint32_t)(size - header);
  while (total >> 16 != 0) total = (total & 0xffff) + (total >> 16);
  return total == 0xffff;
}

static void test_syns(void) {
  struct flow flow;
  uint8_t packet[120];
  test_begin("a SYN gives both ends of its connection");
  CHECK(packet_read_syn(syn4, sizeof syn4, &flow) && flow.ipv4 && flow.from_port == 40000 && flow.to_port == 80);
  CHECK(memcmp(flow.from, "\xc6\x12\0\x01", 4) == 0 && memcmp(flow.to, "\x01\x02\x03\x04", 4) == 0);
  test_begin("bytes that are no SYN are no SYN");
  for (size_t size = 0; size < sizeof syn4; size++) CHECK(!packet_read_syn(syn4, size, &flow));
  static const struct {
    size_t at;
    uint8_t value;
  } wrong[] = {{0, 0x46}, {0, 0x55}, {9, 17}, {32, 0x60}, {32, 0x40}, {33, 0x12}, {33, 0x00}, {33, 0x06}, {23, 0}};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    memcpy(packet, syn4, sizeof syn4);
    packet[wrong[i].at] = wrong[i].value;
    CHECK(!packet_read_syn(packet, sizeof syn4, &flow));
  }
  test_begin("a segment gets the checksum of its packet");
  memcpy(packet, syn4, sizeof syn4);
  packet_seal_segment(packet, sizeof syn4);
  CHECK(sums_up(packet, sizeof syn4, 20, 12, 4, 6));
}

static void test_resets(void) {
  struct flow flow;
  uint8_t reset[PACKET_RESET_MAX];
  test_begin("a refusal acknowledges the SYN from its destination");
  packet_read_syn(syn4, sizeof syn4, &flow);
  CHECK(packet_write_reset(syn4, &flow, reset) == 40 && sums_up(reset, 40, 20, 12, 4, 6));
  CHECK(memcmp(reset + 12, "\x01\x02\x03\x04\xc6\x12\0\x01\0\x50\x9c\x40", 12) == 0);
  CHECK(memcmp(reset + 28, "\x11\x22\x34\x00\x50\x14", 6) == 0);
}

static void test_datagrams(void) {
  uint8_t packet[PACKET_DATAGRAM_HEADERS_MAX + 5];
  struct flow flow = {.ipv4 = false, .from_port = 53, .to_port = 40000, .from = {0x20, 1}, .to = {0xfd, 0x70}};
  test_begin("a datagram gets its headers and its checksum");
  size_t headers = packet_write_datagram(&flow, (const uint8_t *)"answer", 6, packet);
  CHECK(headers == 48);
  memcpy(packet + headers, "answe", 5);
  uint8_t whole[64];
  memcpy(whole, packet, headers);
  memcpy(whole + headers, "answer", 6);
  CHECK(sums_up(whole, headers + 6, 40, 8, 16, 17) && whole[6] == 17 && whole[5] == 14);
}

static void test_unreachable(void) {
  uint8_t packet[PACKET_UNREACHABLE_MAX];
  struct flow flow4 = {.ipv4 = true, .from = {198, 18, 0, 1}, .to = {1, 2, 3, 4}, .from_port = 40000, .to_port = 443};
  struct flow flow6 = {.ipv4 = false, .from = {0xfd, 0x70}, .to = {0x20, 1}, .from_port = 40000, .to_port = 443};
  test_begin("a refused datagram gets an ICMP message from its destination, with its own header");
  CHECK(packet_write_unreachable(&flow4, packet) == 56);
  CHECK(memcmp(packet + 12, "\1\2\3\4\xc6\x12\0\1\3\3", 10) == 0 && words(packet + 20, 36) % 0xffff == 0);
  CHECK(memcmp(packet + 40, "\xc6\x12\0\1\1\2\3\4\x9c\x40\1\xbb", 12) == 0);
  CHECK(packet_write_unreachable(&flow6, packet) == 96);
  CHECK(packet[40] == 1 && packet[41] == 4 && sums_up(packet, 96, 40, 8, 16, 58));
  CHECK(memcmp(packet + 88, "\x9c\x40\1\xbb", 4) == 0);
}

static void test_fakes(void) {
  uint8_t a[4], b[4], other[4];
  test_begin("a name keeps its address, and an address its name");
  CHECK(fake_address("example.com", a) && fake_address("example.org", other) && fake_address("example.com", b));
  CHECK(memcmp(a, b, 4) == 0 && memcmp(a, other, 4) != 0 && strcmp(fake_name(a), "example.com") == 0);
  CHECK(strcmp(fake_name((const uint8_t[]){198, 18, 0, 2}), "") == 0 && strcmp(fake_name((const uint8_t[]){1, 2, 3, 4}), "") == 0);
  test_begin("a program that looks up ever new names fills a bounded table");
  unsigned known = 2;
  for (unsigned i = 0; i < 40000; i++) {
    char name[] = "n00000.example";
    for (unsigned digit = 5, rest = i; digit > 0; digit--, rest /= 10) name[digit] = (char)('0' + rest % 10);
    if (!fake_address(name, b)) continue;
    known++;
    CHECK(strcmp(fake_name(b), name) == 0);
  }
  CHECK(known == 32768 && fake_address("example.com", b) && memcmp(a, b, 4) == 0);
}

void test_packets(void) {
  test_syns();
  test_resets();
  test_datagrams();
  test_unreachable();
  test_fakes();
}
