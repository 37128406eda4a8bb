#include "holes.h"
#include "put.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { PIECE_MOST = 1024 * 1024 };
static const uint64_t withdrawn = UINT32_MAX, hole = UINT32_MAX - 1;

static void report_number(const char *subject, uint64_t number) {
  char text[24];
  snprintf(text, sizeof text, "%" PRIu64, number);
  put_report("count", subject, text);
}

/* Ends the program when there is no room; a file system that gives no numbers is taken at its word later. */
static void check_room(struct put *put) {
  struct statvfs room;
  int fd = openat(put->stage_home, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) put_fail(put, errno, "cannot read the folder of", put->name);
  int known = fstatvfs(fd, &room) == 0 && room.f_blocks > 0;
  close(fd);
  if (!known) return;
  uint64_t block = room.f_frsize, needed = 0;
  for (size_t i = 0; i < put->plan.count; i++) needed += (put->plan.entries[i].size + block - 1) / block * block;
  uint64_t bytes = (uint64_t)room.f_bavail * block;
  if (needed <= bytes && (room.f_files == 0 || put->plan.count + 1 <= room.f_favail)) return;
  report_number("neededBytes", needed);
  report_number("freeBytes", bytes);
  put_end(put, PUT_FULL, "%s", needed > bytes ? "no room" : "no room for so many files");
}

void stage_open(struct put *put) {
  uint64_t random;
  check_room(put);
  if (getrandom(&random, sizeof random, 0) != sizeof random) put_fail(put, errno, "cannot choose", "a name");
  snprintf(put->stage_name, sizeof put->stage_name, ".pyro-put-%016" PRIx64, random);
  if (mkdirat(put->stage_home, put->stage_name, 0700) != 0) put_fail(put, errno, "cannot write in the folder of", put->name);
  put->stage = openat(put->stage_home, put->stage_name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (put->stage < 0) {
    int error = errno;
    unlinkat(put->stage_home, put->stage_name, AT_REMOVEDIR);
    put_fail(put, error, "cannot open", put->stage_name);
  }
}

/* Leaves a hole after the `at` bytes of a file: the file gets longer, and reads zeros there. Gives the length of the hole. */
static uint64_t skip_hole(struct put *put, int fd, uint64_t at, const char *path) {
  uint64_t length;
  if (input_number(&put->input, 8, &length) != 0) put_end(put, PUT_WITHDRAWN, "the input ended");
  if (length > INT64_MAX - at) put_end(put, PUT_MALFORMED, "a hole of impossible length");
  if (ftruncate(fd, (off_t)(at + length)) != 0) put_fail(put, errno, "cannot write", path);
  return length;
}

static struct timespec time_of(int64_t ns) {
  int64_t second = 1000000000, part = ns % second;
  if (part < 0) part += second;
  return (struct timespec){(ns - part) / second, part};
}

/* Pieces of a u32 length and so many bytes, the last one empty. In place of a piece: `hole` and a u64 length, or `withdrawn`. */
static void fill_file(struct put *put, int folder, const char *base, struct entry *entry) {
  static char piece[PIECE_MOST];
  uint64_t length, written = 0, at = 0;
  int fd = openat(folder, base, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, entry->mode & 0777);
  if (fd < 0) put_fail(put, errno, "cannot create", entry->path);
  for (;;) {
    if (input_number(&put->input, 4, &length) != 0) put_end(put, PUT_WITHDRAWN, "the input ended");
    if (length == 0 || length == withdrawn) break;
    if (length == hole) {
      at += skip_hole(put, fd, at, entry->path);
      continue;
    }
    if (length > PIECE_MOST || length > entry->size - written) put_end(put, PUT_MALFORMED, "more content than was told");
    if (input_take(&put->input, piece, length) != 0) put_end(put, PUT_WITHDRAWN, "the input ended");
    int error = holes_write(fd, piece, length, at);
    if (error != 0) put_fail(put, error, "cannot write", entry->path);
    written += length;
    at += length;
  }
  /* The content is the whole file: a file system without times that far keeps its nearest one. */
  if (entry->timed) futimens(fd, (struct timespec[2]){{.tv_nsec = UTIME_OMIT}, time_of(entry->time_ns)});
  if (close(fd) != 0) put_fail(put, errno, "cannot write", entry->path);
  if (length == withdrawn) {
    entry->state = ENTRY_ABSENT;
    unlinkat(folder, base, 0);
  }
}

void stage_fill(struct put *put) {
  char path[PATH_MAX];
  int folder = -1;
  size_t folder_of = SIZE_MAX; /* entry whose folder is open */
  for (size_t i = 0; i < put->plan.count; i++) {
    struct entry *entry = &put->plan.entries[i];
    size_t length, above = i == 0 ? SIZE_MAX - 1 : entry->parent;
    snprintf(path, sizeof path, entry->length == 0 ? "root%s" : "root/%s", entry->path);
    const char *base = path_base(path, &length);
    if (above != folder_of) {
      if (folder >= 0) close(folder);
      folder = beneath(put->stage, path, length);
      folder_of = above;
      if (folder < 0) put_fail(put, errno, "cannot find the folder of", entry->path);
    }
    if (entry->type == 'f')
      fill_file(put, folder, base, entry);
    else if (entry->type == 'd' ? mkdirat(folder, base, 0700 | (entry->mode & 0777)) != 0 : symlinkat(entry->target, folder, base) != 0)
      put_fail(put, errno, "cannot create", entry->path);
  }
  if (folder >= 0) close(folder);
  uint64_t commit;
  if (input_number(&put->input, 1, &commit) != 0) put_end(put, PUT_WITHDRAWN, "the input ended");
  if (commit != 'c') put_end(put, PUT_MALFORMED, "there is more content than entries");
}
