/* First pass over a directory of the host: names and stat results, no contents. */
#include "source.h"

#include "seed.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { READ_BYTES = 32 * 1024 };

void source_start(struct source *source, int root, struct tree *tree, struct stat *stat) {
  memset(source, 0, sizeof *source);
  source->tree = tree;
  source->top = tree->top;
  blake2b_start(&source->fingerprint);
  source->root = root;
  if (source->root < 0 || fstat(source->root, stat) != 0) die(SEED_REJECTED, "the directory cannot be read: %s", strerror(errno));
}

void source_open(struct source *source, const char *path, struct tree *tree, int linked) {
  struct stat stat;
  source_start(source, open_source(path, O_DIRECTORY, linked), tree, &stat);
  blake2b_add_number(&source->fingerprint, geteuid()); /* which files are readable depends on the reader */
  source_note(source, ".", &stat);
  source_set(tree->top, &stat);
}

const char *source_path(const struct source *source, const struct file *directory) {
  return directory == source->top ? "." : tree_path(directory->self) + source->skip;
}

static int by_bytes(const void *left, const void *right) { return strcmp(*(char *const *)left, *(char *const *)right); }

/*
 * All names of a directory but "." and "..", sorted, so that equal directories give equal images; NULL and errno after a read
 * error. By the kernel's own call, because opendir makes three more per directory.
 */
static char **names_of(int folder, size_t *count) {
  _Alignas(struct dirent64) char buffer[READ_BYTES];
  size_t room = 64;
  char **names = malloc(room * sizeof *names);
  long bytes;
  *count = 0;
  while (names != NULL && (bytes = syscall(SYS_getdents64, folder, buffer, sizeof buffer)) != 0) {
    if (bytes < 0) {
      free(names);
      return NULL;
    }
    for (long at = 0; names != NULL && at < bytes;) {
      const struct dirent64 *entry = (const struct dirent64 *)(const void *)(buffer + at);
      at += entry->d_reclen;
      if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
      if (*count == room) names = realloc(names, (room *= 2) * sizeof *names);
      if (names != NULL) names[(*count)++] = arena_text(entry->d_name, strlen(entry->d_name));
    }
  }
  if (names == NULL) die(SEED_FAILED, "out of memory");
  if (*count > 1) qsort(names, *count, sizeof *names, by_bytes);
  return names;
}

static void take(struct source *source, struct file *directory, int folder, const char *prefix, const char *name) {
  char path[PATH_LIMIT + NAME_LIMIT + 2];
  struct stat stat;
  int length = snprintf(path, sizeof path, "%s%s%s", prefix, *prefix == '\0' ? "" : "/", name);
  if (length < 0 || length > PATH_LIMIT) {
    report_skip(path, "its path is too long");
    return;
  }
  if (fstatat(folder, name, &stat, AT_SYMLINK_NOFOLLOW) != 0) {
    report_skip(path, strerror(errno));
    return;
  }
  struct file *file = source_file(source, folder, name, path, &stat);
  if (file != NULL) {
    file->origin = source->origin;
    tree_add(source->tree, directory, name, strlen(name), file);
  }
}

static void walk(struct source *source, struct file *directory) {
  char prefix[PATH_LIMIT + NAME_LIMIT + 2] = "";
  if (directory->self != NULL) snprintf(prefix, sizeof prefix, "%s", tree_path(directory->self));
  size_t count;
  int fd = open_beneath(source->root, source_path(source, directory), O_RDONLY | O_DIRECTORY);
  char **names = fd < 0 ? NULL : names_of(fd, &count);
  if (names == NULL)
    report_skip(*prefix == '\0' ? "." : prefix, strerror(errno));
  else
    for (size_t i = 0; i < count; i++) take(source, directory, fd, prefix, names[i]);
  free(names);
  if (fd >= 0) close(fd);
}

void source_walk(struct source *source) {
  /* The list of directories grows at its end during the walk: no recursion, so PATH_LIMIT alone bounds the depth. */
  size_t room = 256, count = 1;
  struct file **queue = malloc(room * sizeof(struct file *));
  if (queue == NULL) die(SEED_FAILED, "out of memory");
  queue[0] = source->top;
  for (size_t i = 0; i < count; i++) {
    struct file *directory = queue[i];
    walk(source, directory);
    for (uint32_t c = 0; c < directory->child_count; c++) {
      if (directory->children[c]->file->kind != KIND_DIRECTORY) continue;
      if (count == room) {
        struct file **more = realloc(queue, 2 * room * sizeof(struct file *));
        if (more == NULL) die(SEED_FAILED, "out of memory");
        queue = more;
        room *= 2;
      }
      queue[count++] = directory->children[c]->file;
    }
  }
  free(queue);
}

static const char *why_not(int result) {
  return result == TREE_TOO_DEEP          ? "its path is too long"
         : result == TREE_NOT_A_DIRECTORY ? "its parent is no directory"
                                          : "it is not a name below the directory";
}

static void add_listed(struct source *source, int fd, const char *path, const struct stat *stat) {
  struct file *directory;
  const char *name;
  size_t length;
  int result = tree_locate(source->tree, path, strlen(path), true, &directory, &name, &length);
  struct entry *known = result != TREE_OK ? NULL : tree_find(source->tree, directory, name, length);
  if (result != TREE_OK) {
    report_skip(path, why_not(result));
  } else if (known == NULL) {
    struct file *file = source_file(source, fd, "", path, stat);
    if (file != NULL) tree_add(source->tree, directory, name, length, file);
  }
  /* Otherwise the list has it twice, or names below have made the directory: settle_implied does the rest. */
}

static void take_listed(struct source *source, const char *path, size_t path_length) {
  struct file *directory;
  const char *name;
  size_t length = 0;
  struct stat stat;
  int result = tree_locate(source->tree, path, path_length, false, &directory, &name, &length);
  if ((result != TREE_OK && result != TREE_ABSENT) || length == 0) {
    report_skip(path, why_not(result));
    return;
  }
  /* Only directories that can be opened enter the tree: a path through a symlink must not. */
  int fd = open_beneath(source->root, path, O_PATH);
  if (fd < 0 || fstat(fd, &stat) != 0)
    report_skip(path, errno == ELOOP ? "its parent is a symlink" : strerror(errno));
  else
    add_listed(source, fd, path, &stat);
  if (fd >= 0) close(fd);
}

/* Gives directories that only names below them implied the mode and the time of the host's. */
static void settle_implied(struct source *source) {
  tree_order(source->tree);
  for (size_t d = 1; d < source->tree->directory_count; d++) {
    struct file *directory = source->tree->directories[d];
    struct stat stat;
    if (!directory->implied) continue;
    const char *path = tree_path(directory->self);
    int fd = open_beneath(source->root, path, O_PATH | O_DIRECTORY);
    if (fd < 0) continue; /* gone, with everything below */
    if (fstat(fd, &stat) == 0) {
      source_note(source, path, &stat);
      source_set(directory, &stat);
    }
    close(fd);
  }
}

void source_list(struct source *source) {
  char *path = NULL;
  size_t room = 0;
  ssize_t length;
  while ((length = getdelim(&path, &room, '\0', stdin)) > 0) {
    size_t bytes = (size_t)length - (path[length - 1] == '\0' ? 1u : 0u);
    if (bytes > 0) take_listed(source, path, bytes);
  }
  free(path);
  settle_implied(source);
}
