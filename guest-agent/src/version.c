#include "version.h"

#include <time.h>

#include "kernel.h"

/* The finalizer of splitmix64: every bit of the input reaches every bit of the result. */
static uint64_t mix(uint64_t hash, uint64_t value) {
  hash = (hash ^ value) + 0x9e3779b97f4a7c15u;
  hash = (hash ^ hash >> 30) * 0xbf58476d1ce4e5b9u;
  hash = (hash ^ hash >> 27) * 0x94d049bb133111ebu;
  return hash ^ hash >> 31;
}

static uint64_t mix_time(uint64_t hash, struct timespec time) { return mix(mix(hash, (uint64_t)time.tv_sec), (uint64_t)time.tv_nsec); }

uint64_t version_of(int fd, const struct stat *status) {
  /* ext4 draws it at random for each reuse of an inode. It is 0 on a file system without it. The kernel writes an int. */
  uint32_t generation[2] = {0, 0};
  if (ioctl(fd, KERNEL_FS_IOC_GETVERSION, generation) < 0) generation[0] = 0;
  uint64_t hash = mix(mix(0, status->st_ino), generation[0]);
  hash = mix(hash, (uint64_t)status->st_size);
  hash = mix_time(mix_time(hash, status->st_mtim), status->st_ctim);
  return hash != 0 ? hash : 1;
}

static int64_t ns_until(struct timespec now, struct timespec time) {
  return (int64_t)(time.tv_sec - now.tv_sec) * 1000000000 + (time.tv_nsec - now.tv_nsec);
}

void version_settle(struct timespec time) {
  enum { TICK_MAX_NS = 10 * 1000 * 1000, STEP_NS = 500 * 1000 };
  struct timespec now;
  for (int step = 0; step < 2 * TICK_MAX_NS / STEP_NS; step++) {
    /* The clock that the kernel stamps files with. */
    if (clock_gettime(CLOCK_REALTIME_COARSE, &now) < 0) return;
    int64_t left = ns_until(now, time);
    if (left < 0 || left > TICK_MAX_NS) return;
    nanosleep(&(struct timespec){.tv_nsec = STEP_NS}, NULL);
  }
}

static uint8_t *big_endian(uint8_t *to, uint64_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; i--) *to++ = (uint8_t)(value >> (8 * i));
  return to;
}

void version_record(uint8_t record[FILE_RECORD], uint8_t flags, const struct stat *status, uint64_t version) {
  uint8_t *at = record;
  *at++ = flags;
  at = big_endian(at, status->st_mode & 07777, 4);
  at = big_endian(at, (uint64_t)status->st_size, 8);
  big_endian(at, version, 8);
}
