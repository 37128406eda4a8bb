#include "entry_record.h"

#include "feed.h"
#include "type_letter.h"

/* u32 length, u8 type, 3 u32, 4 u64, u32 links, two counts of strings */
enum { RECORD_FIXED = 4 + 1 + 12 + 32 + 4 + 4 + 4 };

/* Nanoseconds since the epoch, in two's complement. A guest's time beyond 64 bits wraps. */
static uint64_t ns_of(struct timespec time) { return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec; }

int entry_record_put(const struct stat *status, unsigned more_mode, struct text path, struct text link) {
  uint8_t record[RECORD_FIXED], *at = record;
  at = big_endian(at, RECORD_FIXED - 4 + path.size + link.size, 4);
  *at++ = type_letter(status->st_mode);
  at = big_endian(at, (status->st_mode & 07777) | more_mode, 4);
  at = big_endian(at, status->st_uid, 4);
  at = big_endian(at, status->st_gid, 4);
  at = big_endian(at, (uint64_t)status->st_size, 8);
  at = big_endian(at, status->st_ino, 8);
  at = big_endian(at, ns_of(status->st_mtim), 8);
  at = big_endian(at, ns_of(status->st_ctim), 8);
  at = big_endian(at, status->st_nlink > UINT32_MAX ? UINT32_MAX : status->st_nlink, 4);
  at = big_endian(at, path.size, 4);
  uint8_t link_count[4];
  big_endian(link_count, link.size, 4);
  int error = feed_put(record, (size_t)(at - record));
  if (error == 0) error = feed_put(path.data, path.size);
  if (error == 0) error = feed_put(link_count, sizeof link_count);
  if (error == 0) error = feed_put(link.data, link.size);
  return error;
}
