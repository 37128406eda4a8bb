#include "handles.h"

#include <errno.h>
#include <unistd.h>

static struct handle handles[1024];

struct handle *new_handle(void) {
  for (size_t i = 0; i < sizeof handles / sizeof *handles; i++) {
    if (handles[i].is_open) continue;
    handles[i] = (struct handle){.fd = -1};
    return &handles[i];
  }
  errno = EMFILE;
  return NULL;
}

uint32_t number_of(const struct handle *handle) { return (uint32_t)(handle - handles); }

struct handle *take_handle(struct request *request) {
  size_t length;
  const uint8_t *bytes = take_bytes(request, &length);
  if (length != 4) return NULL;
  uint32_t number = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
  if (number >= sizeof handles / sizeof *handles || !handles[number].is_open) return NULL;
  return &handles[number];
}

int close_handle(struct handle *handle) {
  handle->is_open = false;
  int status = handle->directory != NULL ? closedir(handle->directory) : close(handle->fd);
  return status == 0 ? 0 : errno;
}
