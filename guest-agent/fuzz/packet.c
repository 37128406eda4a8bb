/* The reader of pending SYNs, the SYN sent again and its refusal. */
#include <stdlib.h>
#include <string.h>

#include "../src/net/packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct flow flow;
  if (!packet_read_syn(data, size, &flow)) return 0;
  uint8_t packet[SYN_PACKET_MAX], reset[PACKET_RESET_MAX], headers[PACKET_DATAGRAM_HEADERS_MAX];
  if (size > sizeof packet || flow.from_port == 0 || flow.to_port == 0) abort();
  memcpy(packet, data, size);
  packet_seal_segment(packet, size);
  struct flow again;
  if (!packet_read_syn(packet, size, &again) || !flow_equal(&flow, &again)) abort();
  size_t written = packet_write_reset(packet, &flow, reset);
  if (written > sizeof reset || packet_read_syn(reset, written, &again)) abort();
  if (packet_write_datagram(&flow, data, size, headers) > sizeof headers) abort();
  return 0;
}
