/* The agent's end of a BPF ring buffer, which the kernel fills. */
#ifndef PYRO_RING_BUFFER_H
#define PYRO_RING_BUFFER_H

#include <stddef.h>
#include <stdint.h>

struct ring_buffer {
  unsigned long *consumer;
  const unsigned long *producer;
  const uint8_t *data;
  size_t size;
};

/* Maps the ring of a map with `size` bytes; 0 or errno. */
int ring_buffer_open(struct ring_buffer *ring, int map, size_t size);
/* The next record and its size; NULL = none. ring_buffer_pass goes past it. */
const void *ring_buffer_next(const struct ring_buffer *ring, size_t *size);
void ring_buffer_pass(struct ring_buffer *ring);

#endif
