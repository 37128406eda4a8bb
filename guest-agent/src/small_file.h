/* Directories and small files of the guest's own configuration, and writes of whole buffers; each returns errno, or 0. */
#ifndef PYRO_SMALL_FILE_H
#define PYRO_SMALL_FILE_H

#include <sys/types.h>

#include "decode.h"

/* With parents. An existing directory stays unchanged. */
int make_directories(const char *path, mode_t mode);
/* Truncates and writes. A symbolic link, FIFO or socket that a guest left there is replaced, never followed. */
int write_small_file(const char *path, mode_t mode, struct bytes content);
/* Writes all bytes to a descriptor that blocks. */
int write_all(int fd, const void *data, size_t size);

#endif
