/* Sizes of block devices. */
#ifndef PYRO_FILE_SYSTEM_H
#define PYRO_FILE_SYSTEM_H

#include <stdint.h>

/* Bytes of a block device. Returns errno, or 0. */
int block_size(const char *device, uint64_t *size);

#endif
