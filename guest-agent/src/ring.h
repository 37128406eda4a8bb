/* The memory of an output: mapped whole, but only used pages are touched. */
#ifndef PYRO_RING_H
#define PYRO_RING_H

#include <stddef.h>
#include <stdint.h>
#include <stdint.h>

enum {
  /* Before and after the ring's bytes, so that a frame's head and end can be put around any of them in place. */
  RING_MARGIN = 64,
};

/* The ring's first byte, or NULL; some released ones are kept for the next. */
uint8_t *ring_take(size_t size);
/* `used`: bytes that went through the ring. Few bytes touch few pages, and these may stay. */
void ring_release(uint8_t *ring, size_t size, uint64_t used);

#endif
