#include "ssh.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

const uint8_t *take_bytes(struct request *request, size_t *length) {
  *length = take_u32(request);
  if (request->broken || *length > request->left) {
    request->broken = true;
    *length = 0;
    return request->at;
  }
  const uint8_t *bytes = request->at;
  request->at += *length;
  request->left -= *length;
  return bytes;
}

static uint64_t take_number(struct request *request, size_t bytes) {
  if (request->left < bytes) {
    request->broken = true;
    request->left = 0;
    return 0;
  }
  uint64_t value = 0;
  for (size_t i = 0; i < bytes; i++) value = value << 8 | request->at[i];
  request->at += bytes;
  request->left -= bytes;
  return value;
}

uint8_t take_u8(struct request *request) { return (uint8_t)take_number(request, 1); }
uint32_t take_u32(struct request *request) { return (uint32_t)take_number(request, 4); }
uint64_t take_u64(struct request *request) { return take_number(request, 8); }

void take_path(struct request *request, char *path) {
  size_t length;
  const uint8_t *bytes = take_bytes(request, &length);
  if (length >= PATH_MAX || memchr(bytes, 0, length) != NULL) request->broken = true;
  if (request->broken || length == 0) {
    strcpy(path, ".");
    return;
  }
  memcpy(path, bytes, length);
  path[length] = 0;
}

struct attributes take_attributes(struct request *request) {
  struct attributes all = {.flags = take_u32(request)};
  if (all.flags & HAS_SIZE) all.size = take_u64(request);
  if (all.flags & HAS_OWNER) {
    all.uid = take_u32(request);
    all.gid = take_u32(request);
  }
  if (all.flags & HAS_MODE) all.mode = take_u32(request) & 07777;
  if (all.flags & HAS_TIMES) {
    all.atime = take_u32(request);
    all.mtime = take_u32(request);
  }
  if (all.flags & HAS_EXTENDED) {
    size_t length;
    for (uint32_t count = take_u32(request); count > 0 && !request->broken; count--) {
      take_bytes(request, &length);
      take_bytes(request, &length);
    }
  }
  return all;
}

int set_attributes(const struct attributes *wanted, int fd, const char *path, bool follow) {
  int failure = 0;
  int nofollow = follow ? 0 : AT_SYMLINK_NOFOLLOW;
  if ((wanted->flags & HAS_SIZE) &&
      (!follow || (fd >= 0 ? ftruncate(fd, (off_t)wanted->size) : truncate(path, (off_t)wanted->size)) != 0)) {
    failure = follow ? errno : EINVAL;
  }
  if ((wanted->flags & HAS_OWNER) &&
      (fd >= 0 ? fchown(fd, wanted->uid, wanted->gid) : fchownat(AT_FDCWD, path, wanted->uid, wanted->gid, nofollow)) != 0) {
    failure = errno;
  }
  /* After the owner, whose change takes away setuid. A link has no mode of its own. */
  if ((wanted->flags & HAS_MODE) && follow && (fd >= 0 ? fchmod(fd, wanted->mode) : chmod(path, wanted->mode)) != 0) failure = errno;
  if (wanted->flags & HAS_TIMES) {
    struct timespec times[2] = {{.tv_sec = wanted->atime}, {.tv_sec = wanted->mtime}};
    if ((fd >= 0 ? futimens(fd, times) : utimensat(AT_FDCWD, path, times, nofollow)) != 0) failure = errno;
  }
  return failure;
}
