/* Output of a helper to its stream: bytes gathered into large writes to descriptor 1. */
#ifndef PYRO_FEED_H
#define PYRO_FEED_H

#include <stddef.h>
#include <stdint.h>

/* Each returns 0, or errno of the pipe. */
int feed_put(const void *data, size_t size);
int feed_flush(void);

/* Writes the low `bytes` bytes of `value`, highest first; returns the position after them. */
uint8_t *big_endian(uint8_t *to, uint64_t value, int bytes);

#endif
