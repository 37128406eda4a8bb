/* Care of a mounted file system, which can take seconds: for a child process. Each returns errno, or 0. */
#ifndef PYRO_FILE_SYSTEM_H
#define PYRO_FILE_SYSTEM_H

/* Grows an ext4 to the size of its device. */
int file_system_grow(const char *path, const char *device);

#endif
