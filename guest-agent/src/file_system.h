/* Care of a mounted file system, which can take seconds: for a child process. Each returns errno, or 0. */
#ifndef PYRO_FILE_SYSTEM_H
#define PYRO_FILE_SYSTEM_H

/* Discards all unused blocks: the device then reads zeros there. */
int file_system_trim(const char *path);
/* Grows an ext4 to the size of its device. */
int file_system_grow(const char *path, const char *device);
/* Removes all entries beneath a directory of one file system, without following links. A missing directory is clear. */
int directory_clear(const char *path);

#endif
