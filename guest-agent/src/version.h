/* Version of a file's state, which WRITE can expect. */
#ifndef PYRO_VERSION_H
#define PYRO_VERSION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

/* Changes after every change of content, mode or owner, and for another file of the same name; never 0. It combines the
 * inode's number, generation, size and times, so a 4 GiB file has a version as fast as a small one. */
uint64_t version_of(int fd, const struct stat *status);
/* Waits until the kernel's clock for file times has passed `time`, so that a later change cannot leave the same times. A tick (4 ms
 * in the guest) at most; not at all for a time of the future, as of a clock that was set back. */
void version_settle(struct timespec time);

/* Record at the start of READ's output and as WRITE's output, with *tell*. */
enum { FILE_RECORD = 1 + 4 + 8 + 8, FILE_CREATED = 1 };
/* u8 flags, u32 permission bits, u64 size, u64 version */
void version_record(uint8_t record[FILE_RECORD], uint8_t flags, const struct stat *status, uint64_t version);

/* same_content.c: two regular files by directory and name; false also for an unreadable file, or a file that is no longer regular. */
bool same_content(int old_directory, int new_directory, const char *name);

#endif
