/* Turns the entries of an archive into the tree. Names only mean places in the tree, never on the host. */
#include "source.h"

#include "tar.h"
#include "seed.h"

#include <inttypes.h>
#include <string.h>

enum { MOST_LINKS = 65000 };

static const uint64_t largest_file = (UINT64_C(16) << 40) - BLOCK; /* 2^32 blocks (ext4 on-disk format) */

struct reader {
  struct tar *tar;
  struct tree *tree;
  const struct sink *sink;
};

static const char *no_place(int result) {
  return result == TREE_TOO_DEEP          ? "its path is too long"
         : result == TREE_NOT_A_DIRECTORY ? "its parent is no directory"
         : result == TREE_ABSENT          ? "it links to a name that did not come before"
                                          : "its name leads out of the archive";
}

static void set(struct file *file, const struct tar_entry *entry) {
  file->mode = entry->mode & (file->kind == KIND_DIRECTORY ? 07777 : 0777);
  file->mtime = entry->mtime;
  file->mtime_ns = entry->mtime_ns;
  file->implied = false;
}

static void release(const struct reader *reader, struct file *file) {
  if (--file->links == 0 && file->kind == KIND_REGULAR) reader->sink->forget(reader->sink->context, file);
}

/* Names a file. A later entry of an archive replaces an earlier one of its name. */
static const char *place(const struct reader *reader, struct file *directory, const char *name, size_t length, struct file *file) {
  struct entry *old = tree_find(reader->tree, directory, name, length);
  if (old == NULL) {
    tree_add(reader->tree, directory, name, length, file);
    return NULL;
  }
  if (old->file == file) return NULL;
  if (old->file->kind == KIND_DIRECTORY) return "a directory of its name came before";
  release(reader, old->file);
  old->file = file;
  if (file->kind == KIND_DIRECTORY) {
    file->self = old;
    directory->links++;
  } else {
    file->links++;
  }
  return NULL;
}

static const char *take_directory(const struct reader *reader, const struct tar_entry *entry, struct file *directory, const char *name,
                                  size_t length) {
  struct entry *old = length == 0 ? NULL : tree_find(reader->tree, directory, name, length);
  if (length == 0)
    set(directory, entry);
  else if (old != NULL && old->file->kind == KIND_DIRECTORY)
    set(old->file, entry);
  else {
    struct file *file = tree_file(KIND_DIRECTORY);
    set(file, entry);
    return place(reader, directory, name, length, file);
  }
  return NULL;
}

static const char *take_hard_link(const struct reader *reader, const struct tar_entry *entry, struct file *directory, const char *name,
                                  size_t length) {
  struct file *target_directory;
  const char *target;
  size_t target_length;
  int result = tree_locate(reader->tree, entry->link->bytes, entry->link->length, false, &target_directory, &target, &target_length);
  if (result == TREE_BAD_NAME) return "it is a hard link that leads out of the archive";
  struct entry *found = result != TREE_OK || target_length == 0 ? NULL : tree_find(reader->tree, target_directory, target, target_length);
  if (found == NULL) return no_place(TREE_ABSENT);
  if (found->file->kind == KIND_DIRECTORY) return "it is a hard link to a directory";
  if (found->file->links >= MOST_LINKS) return "more hard links than a file can have";
  return place(reader, directory, name, length, found->file);
}

static const char *take_symlink(const struct reader *reader, const struct tar_entry *entry, struct file *directory, const char *name,
                                size_t length) {
  const struct tar_text *target = entry->link;
  if (target->length == 0 || target->length > PATH_LIMIT || strlen(target->bytes) != target->length)
    return "its target is empty or too long";
  struct file *file = tree_file(KIND_SYMLINK);
  set(file, entry);
  file->mode = 0777;
  file->target = arena_text(target->bytes, target->length);
  return place(reader, directory, name, length, file);
}

static const char *take_regular(const struct reader *reader, const struct tar_entry *entry, struct file *directory, const char *name,
                                size_t length) {
  if (entry->sparse) return "it is stored as a sparse file; pack it without --sparse";
  if (entry->size > largest_file)
    die(SEED_REJECTED, "%s has %" PRIu64 " bytes, more than a file can have", entry->path->bytes, entry->size);
  struct file *file = tree_file(KIND_REGULAR);
  set(file, entry);
  file->size = entry->size;
  const char *problem = place(reader, directory, name, length, file);
  if (problem == NULL) reader->sink->content(reader->sink->context, file, reader->tar);
  return problem;
}

static const char *take(const struct reader *reader, const struct tar_entry *entry) {
  struct file *directory;
  const char *name;
  size_t length;
  if (strlen(entry->path->bytes) != entry->path->length) return "its name holds a NUL byte";
  if (strchr("0125", entry->type) == NULL)
    return entry->type == '3' || entry->type == '4' ? "it is a device"
           : entry->type == '6'                     ? "it is a FIFO or a socket"
                                                    : "its type is unknown";
  int result = tree_locate(reader->tree, entry->path->bytes, entry->path->length, true, &directory, &name, &length);
  if (result != TREE_OK) return no_place(result);
  if (entry->type == '5') return take_directory(reader, entry, directory, name, length);
  if (length == 0) return "it has no name";
  return entry->type == '1'   ? take_hard_link(reader, entry, directory, name, length)
         : entry->type == '2' ? take_symlink(reader, entry, directory, name, length)
                              : take_regular(reader, entry, directory, name, length);
}

static void report_lost(const struct tar_entry *entry) {
  if (entry->type == '0' && (entry->mode & 06000) != 0) report_loss(LOSS_SET_ID, entry->path->bytes);
  if (entry->attributes) report_loss(LOSS_ATTRIBUTES, entry->path->bytes);
}

const char *archive_read(struct tar *tar, struct tree *tree, const struct sink *sink) {
  const struct reader reader = {tar, tree, sink};
  struct tar_entry entry;
  int more;
  while ((more = tar_next(tar, &entry)) > 0) {
    const char *problem = take(&reader, &entry);
    if (tar->problem[0] != '\0') return tar->problem;
    if (problem != NULL)
      report_skip(entry.path->bytes, problem);
    else
      report_lost(&entry);
  }
  return more < 0 ? tar->problem : NULL;
}
