/* Care of a mounted file system, which can take seconds: for a child process. Each returns errno, or 0. */
#ifndef PYRO_FILE_SYSTEM_H
#define PYRO_FILE_SYSTEM_H

/* Grows an ext4 to the size of its device. */
int file_system_grow(const char *path, const char *device);
/* Removes a file or a link, or all entries beneath a directory of one file system. Follows no link there. A missing path is clear. */
int path_clear(const char *path);

#endif
