/* The filter of the listeners: keeps each SYN back and tells the agent of it. */
#ifndef PYRO_SYN_FILTER_H
#define PYRO_SYN_FILTER_H

#include <stdint.h>

enum {
  /* Mark of the SYNs that the agent sends again, and that the filter lets through. */
  SYN_MARK = 0x7079726f,
  /* IPv6, TCP and 40 bytes of TCP options. */
  SYN_PACKET_MAX = 100,
};

/* A record of the ring. */
struct syn_record {
  uint32_t size;
  uint8_t packet[SYN_PACKET_MAX];
};

/* Loads the filter over a ring; its descriptor, or -1 with errno. */
int syn_filter_load(int ring);

#endif
