#include "image.h"

#include "seed.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
  BUFFER = 1024 * 1024,
  INODE_BYTES = 256,
  BYTES_PER_FILE = 16384, /* one inode for each, as in mke2fs */
  RESERVED_INODES = 10,
  LEAST_JOURNAL = 1024, /* blocks: the least that the format allows */
  MOST_JOURNAL = 8192
};

/* A temporary name, only for a file system without nameless files; die() must remove it. */
static const struct image *unfinished;

static void remove_unfinished(void) {
  if (unfinished != NULL && unfinished->temporary[0] != '\0') unlinkat(unfinished->folder, unfinished->temporary, 0);
}

void image_failed(const char *what, long error) {
  if (error == ENOSPC || error == EDQUOT) die(SEED_HOST_FULL, "%s: no space left where the image is written", what);
  if (error == EXT2_ET_BLOCK_ALLOC_FAIL) die(SEED_FULL, "%s: the content does not fit a disk of this size", what);
  die(SEED_FAILED, "%s: %s", what, error_message(error));
}

uint32_t journal_blocks(const struct image *image) {
  uint64_t share = image->bytes / BLOCK / 32;
  return share > MOST_JOURNAL ? MOST_JOURNAL : share < LEAST_JOURNAL ? LEAST_JOURNAL : (uint32_t)share;
}

static void open_nameless(struct image *image) {
  image->fd = openat(image->folder, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (image->fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(image->temporary, sizeof image->temporary, "%ld-%ld.tmp", (long)getpid(), now.tv_nsec);
    unfinished = image;
    atexit(remove_unfinished);
    image->fd = openat(image->folder, image->temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  }
  if (image->fd < 0) image_failed("cannot create the image", errno);
  if (ftruncate(image->fd, (off_t)image->bytes) != 0) image_failed("cannot size the image", errno);
}

static void describe(struct ext2_super_block *super, uint64_t bytes) {
  memset(super, 0, sizeof *super);
  super->s_rev_level = EXT2_DYNAMIC_REV;
  super->s_log_block_size = 2;
  super->s_log_cluster_size = 2;
  super->s_inode_size = INODE_BYTES;
  super->s_log_groups_per_flex = 4;
  super->s_desc_size = EXT2_MIN_DESC_SIZE_64BIT;
  super->s_min_extra_isize = super->s_want_extra_isize = sizeof(struct ext2_inode_large) - EXT2_GOOD_OLD_INODE_SIZE;
  super->s_feature_compat = EXT2_FEATURE_COMPAT_EXT_ATTR | EXT2_FEATURE_COMPAT_DIR_INDEX;
  super->s_feature_incompat =
      EXT2_FEATURE_INCOMPAT_FILETYPE | EXT3_FEATURE_INCOMPAT_EXTENTS | EXT4_FEATURE_INCOMPAT_FLEX_BG | EXT4_FEATURE_INCOMPAT_64BIT;
  super->s_feature_ro_compat = EXT2_FEATURE_RO_COMPAT_SPARSE_SUPER | EXT2_FEATURE_RO_COMPAT_LARGE_FILE | EXT4_FEATURE_RO_COMPAT_HUGE_FILE |
                               EXT4_FEATURE_RO_COMPAT_DIR_NLINK | EXT4_FEATURE_RO_COMPAT_EXTRA_ISIZE | EXT4_FEATURE_RO_COMPAT_METADATA_CSUM;
  ext2fs_blocks_count_set(super, bytes / BLOCK);
  super->s_inodes_count = (uint32_t)(bytes / BYTES_PER_FILE);
}

void image_create(struct image *image, int folder, uint64_t bytes) {
  struct ext2_super_block super;
  char path[64];
  long error;
  memset(image, 0, sizeof *image);
  image->folder = folder;
  image->bytes = bytes;
  image->buffer = malloc(BUFFER);
  if (image->buffer == NULL) die(SEED_FAILED, "out of memory");
  open_nameless(image);
  describe(&super, bytes);
  snprintf(path, sizeof path, "/proc/self/fd/%d", image->fd);
  initialize_ext2_error_table();
  error = ext2fs_initialize(path, EXT2_FLAG_64BITS, &super, unix_io_manager, &image->fs);
  if (error != 0) image_failed("cannot lay out the file system", error);
  image->fs->now = (time_t)seed_epoch;
  image->fs->super->s_mkfs_time = image->fs->super->s_lastcheck = (uint32_t)seed_epoch;
  image->fs->super->s_checksum_type = EXT2_CRC32C_CHKSUM;
  image->fs->super->s_flags = EXT2_FLAGS_UNSIGNED_HASH;
  image->fs->super->s_def_hash_version = EXT2_HASH_HALF_MD4;
  image->fs->super->s_default_mount_opts = EXT2_DEFM_XATTR_USER | EXT2_DEFM_ACL;
  image->fs->super->s_max_mnt_count = -1;
  error = ext2fs_allocate_tables(image->fs);
  if (error != 0) image_failed("cannot lay out the file system", error);
  /*
   * Overhead of the format. If it differs from the kernel's count (ext4_calculate_overhead), each mount begins with a transaction
   * that corrects all copies of the superblock: 30 ms under TCG.
   */
  image->fs->super->s_overhead_clusters =
      (uint32_t)(ext2fs_blocks_count(image->fs->super) - ext2fs_free_blocks_count(image->fs->super)) + journal_blocks(image);
  /* The file is sparse: every inode table already reads as zeros, so the kernel need not write them. */
  for (dgrp_t group = 0; group < image->fs->group_desc_count; group++) ext2fs_bg_flags_set(image->fs, group, EXT2_BG_INODE_ZEROED);
}

size_t image_file_limit(uint64_t bytes) { return (size_t)(bytes / BYTES_PER_FILE) - RESERVED_INODES - 3; /* upper, work, workspace */ }

static _Noreturn void refuse(enum outcome outcome, uint64_t needed, uint64_t available, const char *what) {
  report_number("neededBytes", needed);
  report_number("freeBytes", available);
  die(outcome, "%s", what);
}

void image_need(const struct image *image, uint64_t bytes) {
  struct statvfs host;
  uint64_t free_blocks = ext2fs_free_blocks_count(image->fs->super), journal = journal_blocks(image);
  uint64_t room = free_blocks > journal ? (free_blocks - journal) * BLOCK : 0;
  if (bytes > room) refuse(SEED_FULL, bytes, room, "the content does not fit a disk of this size");
  if (fstatvfs(image->folder, &host) == 0 && bytes > host.f_bavail * host.f_frsize)
    refuse(SEED_HOST_FULL, bytes, host.f_bavail * host.f_frsize, "the file system of the image has no room for the content");
}

static void write_fully(int fd, const unsigned char *bytes, size_t length, off_t at) {
  while (length > 0) {
    ssize_t written = pwrite(fd, bytes, length, at);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) image_failed("cannot write the image", written == 0 ? EIO : errno);
    bytes += written;
    at += written;
    length -= (size_t)written;
  }
}

void image_write(const struct image *image, const void *bytes, size_t length, blk64_t block) {
  write_fully(image->fd, bytes, length, (off_t)(block * BLOCK));
}

static void flush(struct image *image) {
  if (image->filled > 0) image_write(image, image->buffer, image->filled, image->buffer_start);
  image->filled = 0;
}

/* Finds the next free blocks after `next`; false at the end of the disk. */
static int find_run(struct image *image) {
  blk64_t last = ext2fs_blocks_count(image->fs->super) - 1, start, end;
  blk64_t from = image->next < image->fs->super->s_first_data_block ? image->fs->super->s_first_data_block : image->next;
  if (from > last || ext2fs_find_first_zero_block_bitmap2(image->fs->block_map, from, last, &start) != 0) return 0;
  if (ext2fs_find_first_set_block_bitmap2(image->fs->block_map, start, last, &end) != 0) end = last + 1;
  image->next = start;
  image->run_end = end;
  return 1;
}

unsigned char *image_room(struct image *image, size_t wanted, size_t *room) {
  if (image->next == image->run_end) {
    flush(image);
    if (!find_run(image)) die(SEED_FULL, "the content does not fit a disk of %" PRIu64 " MiB", image->bytes >> 20);
  }
  wanted = (wanted + BLOCK - 1) / BLOCK * BLOCK;
  if (wanted > BUFFER) wanted = BUFFER;
  if (wanted > BUFFER - image->filled) flush(image);
  if (wanted > (image->run_end - image->next) * BLOCK) wanted = (size_t)(image->run_end - image->next) * BLOCK;
  *room = wanted;
  if (image->filled == 0) image->buffer_start = image->next;
  return image->buffer + image->filled;
}

static void add_piece(struct file *file, uint64_t logical, uint64_t physical, uint32_t count) {
  struct piece *last = file->piece_count > 0 ? &file->pieces[file->piece_count - 1] : NULL;
  if (last != NULL && last->logical + last->count == logical && last->physical + last->count == physical &&
      last->count + count <= LONGEST_PIECE) {
    last->count += count;
    return;
  }
  if (file->piece_count == file->piece_room) {
    uint32_t room = file->piece_room == 0 ? 1 : file->piece_room * 2;
    struct piece *pieces = arena(room * sizeof *pieces);
    if (file->piece_count > 0) memcpy(pieces, file->pieces, file->piece_count * sizeof *pieces);
    file->pieces = pieces;
    file->piece_room = room;
  }
  file->pieces[file->piece_count++] = (struct piece){(uint32_t)logical, count, physical};
}

void image_take(struct image *image, struct file *file, uint64_t logical, size_t bytes) {
  size_t padded = (bytes + BLOCK - 1) / BLOCK * BLOCK;
  uint32_t count = (uint32_t)(padded / BLOCK);
  if (count == 0) return;
  memset(image->buffer + image->filled + bytes, 0, padded - bytes);
  ext2fs_block_alloc_stats_range(image->fs, image->next, count, +1);
  add_piece(file, logical, image->next, count);
  image->next += count;
  image->filled += padded;
}

void image_forget(struct image *image, struct file *file) {
  for (uint32_t i = 0; i < file->piece_count; i++)
    ext2fs_block_alloc_stats_range(image->fs, file->pieces[i].physical, file->pieces[i].count, -1);
  file->piece_count = 0;
}

blk64_t image_allocate(struct image *image, uint32_t count) {
  flush(image);
  while (image->run_end - image->next < count) {
    image->next = image->run_end;
    if (!find_run(image)) die(SEED_FULL, "the content does not fit a disk of %" PRIu64 " MiB", image->bytes >> 20);
  }
  blk64_t start = image->next;
  ext2fs_block_alloc_stats_range(image->fs, start, count, +1);
  image->next += count;
  return start;
}
