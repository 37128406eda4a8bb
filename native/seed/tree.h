/* The tree of /workspace: names, and their files, in memory until the image is complete. */
#ifndef PYRO_SEED_TREE_H
#define PYRO_SEED_TREE_H

#include "blake2b.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum file_kind { KIND_DIRECTORY = 'd', KIND_REGULAR = 'f', KIND_SYMLINK = 'l' };

/* Blocks of a file that lie next to each other, both in the file and in the image. */
struct piece {
  uint32_t logical;
  uint32_t count;
  uint64_t physical;
};

struct entry {
  struct entry *next_in_bucket;
  struct file *parent;
  struct file *file; /* replaceable by a later entry of an archive */
  const char *name;
  uint64_t hash;
  uint32_t position[2]; /* scratch of the directory writer: hash and minor hash of the name */
  uint8_t length;       /* of the name, 1 to NAME_LIMIT */
};

/* Owner of files in the guest. */
struct owner {
  uint32_t uid;
  uint32_t gid;
};

/* One future inode; hard links are several entries of one file. */
struct file {
  enum file_kind kind;
  uint32_t mode; /* permission bits alone */
  int64_t mtime;
  uint32_t mtime_ns;
  uint32_t links; /* names of a file; of a directory: its subdirectories and two */
  uint32_t inode;
  uint64_t size;
  unsigned origin; /* of a directory: which source its contents are read from */
  bool implied;    /* a directory that only its contents spoke of */
  bool read;       /* the content is in the image */
  bool gone;       /* could not be read after all: gets no inode */

  struct piece *pieces;
  uint32_t piece_count;
  uint32_t piece_room;
  unsigned char digest[DIGEST_BYTES]; /* of the content */

  const char *target; /* of a symlink */

  struct entry *self; /* a directory's own name; NULL for the top */
  struct entry **children;
  uint32_t child_count;
  uint32_t child_room;

  dev_t device; /* identity on the host */
  ino_t host_inode;
};

struct tree {
  struct file *top;
  struct entry **buckets;
  size_t bucket_count; /* a power of two */
  size_t entry_count;
  size_t entry_limit; /* inodes that the image has room for */
  int64_t implied_mtime;
  uint64_t hash_key;
  struct owner owner;        /* of the top and everything in it; root by default */
  struct file **directories; /* set by tree_order: the top first, every directory after its parent */
  size_t directory_count;
};

void tree_start(struct tree *tree, size_t entry_limit, int64_t implied_mtime);

struct file *tree_file(enum file_kind kind);

/* The entry of a name in a directory, or NULL. */
struct entry *tree_find(const struct tree *tree, const struct file *directory, const char *name, size_t length);

/* Adds a new name. Ends with SEED_REJECTED beyond the limit. */
struct entry *tree_add(struct tree *tree, struct file *directory, const char *name, size_t length, struct file *file);

enum { TREE_OK = 0, TREE_NOT_A_DIRECTORY = -1, TREE_BAD_NAME = -2, TREE_TOO_DEEP = -3, TREE_ABSENT = -4 };

/*
 * Splits a relative path into its directory and its last name. Makes missing directories if `make` is set. Skips "." and empty
 * components; ".." and absolute paths are TREE_BAD_NAME. The top itself gives *length 0.
 */
int tree_locate(struct tree *tree, const char *path, size_t path_length, bool make, struct file **directory, const char **name,
                size_t *length);

/* Path below /workspace, in a buffer that the next call uses again. */
const char *tree_path(const struct entry *entry);

/* Sorts every directory by the bytes of its names and lists all directories, level by level. */
void tree_order(struct tree *tree);

#endif
