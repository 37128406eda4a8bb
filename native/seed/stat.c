/* Converts a stat result of the host for the tree. */
#include "source.h"

#include "seed.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MOST_LINKS = 65000, FIRST_SLOTS = 256 };

/* Files with several names, by their identity on the host. */
struct links {
  struct file **slots;
  size_t count;
  size_t room; /* a power of two */
};

static int open_without_links(int root, const char *path, int flags, uint64_t resolve) {
  struct open_how how = {.flags = (uint64_t)(flags | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK),
                         .resolve = resolve | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
  if ((flags & O_PATH) != 0) how.flags = (uint64_t)(flags | O_CLOEXEC | O_NOFOLLOW);
  long fd;
  do { /* EAGAIN: a rename raced with the look-up */
    fd = syscall(SYS_openat2, root, path, &how, sizeof how);
  } while (fd < 0 && (errno == EAGAIN || errno == EINTR));
  return (int)fd;
}

int open_beneath(int root, const char *path, int flags) { return open_without_links(root, path, flags, RESOLVE_BENEATH); }

int open_source(const char *path, int flags, int linked) {
  return linked ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | flags)
                : open_without_links(AT_FDCWD, path, O_RDONLY | flags, 0);
}

static size_t slot_of(const struct links *links, dev_t device, ino_t inode) {
  size_t slot = (size_t)((inode * 0x9e3779b97f4a7c15u) ^ device) & (links->room - 1);
  while (links->slots[slot] != NULL && (links->slots[slot]->device != device || links->slots[slot]->host_inode != inode))
    slot = (slot + 1) & (links->room - 1);
  return slot;
}

static void grow(struct links *links) {
  struct links larger = {.count = links->count, .room = links->room == 0 ? FIRST_SLOTS : links->room * 4};
  larger.slots = arena(larger.room * sizeof(struct file *));
  for (size_t i = 0; i < links->room; i++)
    if (links->slots[i] != NULL) larger.slots[slot_of(&larger, links->slots[i]->device, links->slots[i]->host_inode)] = links->slots[i];
  *links = larger;
}

/* The file of an earlier name with the same identity; else remembers the new one and returns NULL. */
static struct file *linked(struct source *source, struct file *file) {
  if (source->links == NULL) source->links = arena(sizeof *source->links);
  if (source->links->count * 2 >= source->links->room) grow(source->links);
  size_t slot = slot_of(source->links, file->device, file->host_inode);
  if (source->links->slots[slot] != NULL) return source->links->slots[slot];
  source->links->slots[slot] = file;
  source->links->count++;
  return NULL;
}

void source_set(struct file *file, const struct stat *stat) {
  /* A setuid or setgid program of the host's user would be root's in the guest. Directories keep all their bits. */
  file->mode = stat->st_mode & (S_ISDIR(stat->st_mode) ? 07777 : 0777);
  file->mtime = stat->st_mtim.tv_sec;
  file->mtime_ns = (uint32_t)stat->st_mtim.tv_nsec;
  file->device = stat->st_dev;
  file->host_inode = stat->st_ino;
}

void source_note(struct source *source, const char *path, const struct stat *stat) {
  const uint64_t facts[] = {stat->st_dev,
                            stat->st_ino,
                            stat->st_mode,
                            (uint64_t)stat->st_size,
                            (uint64_t)stat->st_mtim.tv_sec,
                            (uint64_t)stat->st_mtim.tv_nsec,
                            (uint64_t)stat->st_ctim.tv_sec,
                            (uint64_t)stat->st_ctim.tv_nsec};
  int64_t changed = (int64_t)stat->st_ctim.tv_sec * 1000000000 + stat->st_ctim.tv_nsec;
  blake2b_add(&source->fingerprint, path, strlen(path) + 1);
  blake2b_add(&source->fingerprint, facts, sizeof facts);
  if (changed > source->newest_ns) source->newest_ns = changed;
}

static struct file *symlink_of(int folder, const char *name, const char *path, const struct stat *stat) {
  char target[PATH_LIMIT + 1];
  ssize_t length = readlinkat(folder, name, target, sizeof target);
  if (length < 0 || (size_t)length >= sizeof target || length == 0) {
    report_skip(path, length < 0 ? strerror(errno) : "its target is too long");
    return NULL;
  }
  struct file *file = tree_file(KIND_SYMLINK);
  source_set(file, stat);
  file->target = arena_text(target, (size_t)length);
  return file;
}

struct file *source_file(struct source *source, int folder, const char *name, const char *path, const struct stat *stat) {
  struct file *file, *other;
  source_note(source, path, stat);
  switch (stat->st_mode & S_IFMT) {
    case S_IFDIR:
      file = tree_file(KIND_DIRECTORY);
      source_set(file, stat);
      return file;
    case S_IFLNK: return symlink_of(folder, name, path, stat);
    case S_IFREG:
      file = tree_file(KIND_REGULAR);
      source_set(file, stat);
      file->size = (uint64_t)stat->st_size;
      other = stat->st_nlink > 1 ? linked(source, file) : NULL;
      if (other == NULL) source->bytes += (uint64_t)stat->st_blocks * 512 < file->size ? (uint64_t)stat->st_blocks * 512 : file->size;
      if (other != NULL && other->links >= MOST_LINKS) {
        report_skip(path, "more hard links than a file can have");
        return NULL;
      }
      return other != NULL ? other : file;
    default:
      report_skip(path, S_ISFIFO(stat->st_mode) ? "it is a FIFO" : S_ISSOCK(stat->st_mode) ? "it is a socket" : "it is a device");
      return NULL;
  }
}
