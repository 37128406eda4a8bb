/* Record of a file for the host: a walk has one for each entry. */
#ifndef PYRO_ENTRY_RECORD_H
#define PYRO_ENTRY_RECORD_H

#include <stddef.h>
#include <sys/stat.h>

/* A text that need not end in a NUL. */
struct text {
  const char *data;
  size_t size;
};

/* Puts the record (docs/channel.md) into the feed. `more_mode`: bits beside the permissions. 0, or errno of the pipe. */
int entry_record_put(const struct stat *status, unsigned more_mode, struct text path, struct text link);

#endif
