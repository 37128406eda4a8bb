/* Second pass over a directory of the host: the contents of its regular files. */
#include "source.h"

#include "seed.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const uint64_t largest_file = UINT64_C(16) << 40; /* 2^32 blocks (ext4 on-disk format) */

/* Reads [start, end) of a file; false when reading failed, and then errno says why. */
static int read_span(struct image *image, struct file *file, struct blake2b *hash, int fd, uint64_t start, uint64_t end) {
  blake2b_add_number(hash, start);
  while (start < end) {
    size_t room, filled = 0;
    unsigned char *bytes = image_room(image, end - start > SIZE_MAX ? SIZE_MAX : (size_t)(end - start), &room);
    if (room > end - start) room = (size_t)(end - start);
    while (filled < room) {
      ssize_t got = pread(fd, bytes + filled, room - filled, (off_t)(start + filled));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return 0;
      if (got == 0) break;
      filled += (size_t)got;
    }
    blake2b_add(hash, bytes, filled);
    image_take(image, file, start / BLOCK, filled);
    start += filled;
    if (filled < room) { /* truncated since its open: this is its end now */
      file->size = start;
      break;
    }
  }
  return 1;
}

/* Holes stay holes: a sparse file of any size costs only its data. */
static int read_spans(struct image *image, struct file *file, struct blake2b *hash, int fd) {
  uint64_t at = 0;
  while (at < file->size) {
    off_t data = lseek(fd, (off_t)at, SEEK_DATA);
    if (data < 0 && errno == ENXIO) return 1;
    off_t hole = data < 0 ? -1 : lseek(fd, data, SEEK_HOLE);
    if (data < 0 || hole < 0) /* this file system has no such seek */
      return read_span(image, file, hash, fd, at, file->size);
    uint64_t start = (uint64_t)data / BLOCK * BLOCK, end = ((uint64_t)hole + BLOCK - 1) / BLOCK * BLOCK;
    if (start < at) start = at;
    if (end > file->size) end = file->size;
    if (start < end && !read_span(image, file, hash, fd, start, end)) return 0;
    at = end > at ? end : file->size;
  }
  return 1;
}

static const char *read_open(struct image *image, const struct entry *entry, int fd) {
  struct file *file = entry->file;
  struct stat stat;
  struct blake2b hash;
  if (fstat(fd, &stat) != 0) return strerror(errno);
  if (!S_ISREG(stat.st_mode) || stat.st_dev != file->device || stat.st_ino != file->host_inode) return "it was replaced while it was read";
  source_set(file, &stat);
  file->size = (uint64_t)stat.st_size;
  if (file->size > largest_file - BLOCK) return "it is larger than a file can be";
  blake2b_start(&hash);
  int whole = (uint64_t)stat.st_blocks * 512 < file->size ? read_spans(image, file, &hash, fd)
              : file->size > 0                            ? read_span(image, file, &hash, fd, 0, file->size)
                                                          : 1;
  if (!whole) {
    const char *reason = strerror(errno);
    image_forget(image, file);
    return reason;
  }
  blake2b_end(&hash, file->digest);
  if ((stat.st_mode & (S_ISUID | S_ISGID)) != 0) report_loss(LOSS_SET_ID, tree_path(entry));
  if (attributes_on(fd)) report_loss(LOSS_ATTRIBUTES, tree_path(entry));
  return NULL;
}

static void read_file(struct image *image, int folder, const struct entry *entry) {
  struct file *file = entry->file;
  const char *problem;
  if (file->read) {
    if (file->gone) report_skip(tree_path(entry), "another name of it could not be read");
    return;
  }
  file->read = true;
  int fd = openat(folder, entry->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  problem = fd < 0 ? strerror(errno) : read_open(image, entry, fd);
  if (fd >= 0) close(fd);
  if (problem != NULL) {
    file->gone = true;
    report_skip(tree_path(entry), problem);
  }
}

void source_read(const struct source *source, struct image *image) {
  for (size_t d = 0; d < source->tree->directory_count; d++) {
    struct file *directory = source->tree->directories[d];
    if (directory->origin != source->origin) continue;
    int folder = open_beneath(source->root, source_path(source, directory), O_RDONLY | O_DIRECTORY);
    int problem = errno;
    if (folder >= 0 && attributes_on(folder)) report_loss(LOSS_ATTRIBUTES, directory->self == NULL ? "." : tree_path(directory->self));
    for (uint32_t c = 0; c < directory->child_count; c++) {
      const struct entry *entry = directory->children[c];
      if (entry->file->kind != KIND_REGULAR) continue;
      if (folder < 0) {
        entry->file->gone = entry->file->read = true;
        report_skip(tree_path(entry), strerror(problem));
      } else {
        read_file(image, folder, entry);
      }
    }
    if (folder >= 0) close(folder);
  }
}
