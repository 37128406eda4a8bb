/* Reads an uncompressed EROFS image (linux/fs/erofs/erofs_fs.h), as mkfs.erofs writes one for pyro. The image may be hostile: each read is
 * within the image, and `image_error` says what is wrong. */
#ifndef EROFS_H
#define EROFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

struct image {
  const uint8_t *bytes;
  uint64_t size;
  uint64_t metadata, attributes; /* offsets of inodes and of shared attributes */
  uint64_t root;
  struct timespec built;
  uint32_t block; /* bytes of a block */
  unsigned block_bits;
};

struct piece {
  const uint8_t *bytes;
  size_t size;
};

struct inode {
  uint64_t number, size;
  struct timespec modified;
  mode_t mode;
  uid_t uid;
  gid_t gid;
  dev_t device;
  uint32_t links;
  /* Content: whole blocks, and the rest after the inode. Of files, directories and symbolic links. */
  struct piece blocks, rest;
  struct piece attributes; /* the header, identifiers of shared ones, and its own ones */
};

/* Calls `take` for each entry but "." and "..". `name` is not empty, has no '/' and no '\0', and has `length` bytes. */
typedef bool take_entry(void *context, const char *name, size_t length, uint64_t number);
/* Calls `take` for each extended attribute. */
typedef bool take_attribute(void *context, const char *name, struct piece value);

enum { NAME_BYTES = 255, TARGET_BYTES = 4095, ATTRIBUTE_NAME_BYTES = 255 };

/* All return false after an error. */
bool image_open(struct image *image, const uint8_t *bytes, uint64_t size);
bool image_inode(const struct image *image, uint64_t number, struct inode *inode);
bool image_entries(const struct image *image, const struct inode *directory, take_entry *take, void *context);
bool image_attributes(const struct image *image, const struct inode *inode, take_attribute *take, void *context);

/* What was wrong with the image last. */
const char *image_error(void);
bool image_refuse(const char *what);

/* The path that an inode was first given with; NULL if this is the first one. */
const char *first_path(uint64_t number, const char *path);

/* Writes the tree into an empty directory. False after an error, which it has said on stderr. */
bool extract(const struct image *image, int directory);

#endif
