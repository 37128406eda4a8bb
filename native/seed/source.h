/* Source of the content: a directory of the host (walked, or a list of names in it) or an archive. */
#ifndef PYRO_SEED_SOURCE_H
#define PYRO_SEED_SOURCE_H

#include "blake2b.h"
#include "image.h"
#include "tree.h"

/*
 * A directory on the host. A hostile process may change the tree during the read. So every open is below `root` and never through a
 * symlink, and only regular files are opened for reading.
 */
struct stat;
struct source {
  int root;
  struct tree *tree;
  struct file *top;           /* place of `root` in the tree: the tree's own top, or a directory in it */
  size_t skip;                /* bytes of a tree path that lead to `top` */
  unsigned origin;            /* marks the directories that came from here; 0 for the main source */
  struct blake2b fingerprint; /* of names and stat results: the same again means nothing needs to be read */
  int64_t newest_ns;          /* latest change time seen, since the epoch */
  uint64_t bytes;             /* of all regular files, as their stat says */
  struct links *links;
};

void source_open(struct source *source, const char *path, struct tree *tree, int linked);
void source_start(struct source *source, int root, struct tree *tree, struct stat *stat);

/* Path below the root of a directory that came from this source; valid until the next tree_path. */
const char *source_path(const struct source *source, const struct file *directory);

/* Takes everything below the root into the tree, without reading contents. */
void source_walk(struct source *source);

/* Takes only the NUL-terminated paths of stdin, and their parent directories. */
void source_list(struct source *source);

/* Reads the contents of all regular files of the tree into the image. */
void source_read(const struct source *source, struct image *image);

/* seed/graft.c: adds everything below `path` to the tree, at a free place. */
void graft_walk(struct source *graft, struct tree *tree, const char *at, const char *path, unsigned origin);

/* seed/stat.c: makes a tree file of a stat result, or reports why there can be none. */
struct file *source_file(struct source *source, int folder, const char *name, const char *path, const struct stat *stat);
void source_note(struct source *source, const char *path, const struct stat *stat);
void source_set(struct file *file, const struct stat *stat);

/* openat2(2) below `root`: through no symlink, and never above it. Returns -1 and errno. */
int open_beneath(int root, const char *path, int flags);
/* Opens a whole source for reading. Its path may have symlinks only if `linked`. */
int open_source(const char *path, int flags, int linked);

/* seed/archive.c: reads a tar stream into the tree. NULL, or the problem of the archive. */
struct tar;
struct sink {
  void *context;
  /* Takes the whole content of a file from the stream; tar->problem keeps an error. */
  void (*content)(void *context, struct file *file, struct tar *tar);
  /* A later entry replaced the file: frees its blocks. */
  void (*forget)(void *context, struct file *file);
};
const char *archive_read(struct tar *tar, struct tree *tree, const struct sink *sink);

/* seed/decompress.c: opens an archive and starts its decompressor; returns the descriptor of the tar stream. */
struct archive {
  int stream;
  int child; /* pid of the decompressor, or 0 */
  const char *tool;
  struct blake2b fingerprint;
  int64_t newest_ns;
};
void archive_open(struct archive *archive, const char *path, int linked);
/* `bytes`: size of the disk. */
void archive_start(struct archive *archive, uint64_t bytes);
/* Ends with the right error after a problem of the stream or of the decompressor. */
void archive_close(struct archive *archive, const char *problem);

#endif
