/* Writes the tree of an image: names, links, content, owners, modes, attributes with capabilities, devices and times. */
#include "erofs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { DEPTH_MAX = 200, ENTRY_BYTES = 12 };

struct work {
  const struct image *image;
  void *tree;          /* of tsearch(3) */
  struct known *known; /* the newest one in the tree */
  /* What an honest image has room for. */
  uint64_t bytes_left, entries_left;
  int root;
};

/* A directory on the way down. */
struct place {
  struct work *work;
  const char *path; /* from the root, empty for the root itself */
  int fd;
  unsigned depth;
};

static bool failed(const char *path, const char *what) {
  fprintf(stderr, "pyro-erofs: /%s: %s\n", path, what);
  return false;
}
static bool failed_call(const char *path, const char *call) {
  fprintf(stderr, "pyro-erofs: /%s: %s: %s\n", path, call, strerror(errno));
  return false;
}

/* Says what the image had, unless the failure was said already. */
static bool refused(const char *path) {
  if (*image_error() != '\0') failed(path, image_error());
  return image_refuse("");
}

static bool write_piece(int fd, struct piece piece) {
  while (piece.size > 0) {
    ssize_t written = write(fd, piece.bytes, piece.size);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    piece.bytes += written;
    piece.size -= (size_t)written;
  }
  return true;
}

struct target {
  const char *path, *name;
  int fd;
};

/* There is no call for an attribute of a name in an open directory. The working directory is that directory. */
static bool set_attribute(void *context, const char *name, struct piece value) {
  const struct target *target = context;
  if (lsetxattr(target->name, name, value.bytes, value.size, 0) == 0) return true;
  return failed_call(target->path, name);
}

/* After the content. A change of the owner clears setuid bits and capabilities, so the owner comes first. */
static bool settle(const struct work *work, const struct inode *inode, struct target target) {
  const struct timespec times[] = {inode->modified, inode->modified};
  if (fchownat(target.fd, target.name, inode->uid, inode->gid, AT_SYMLINK_NOFOLLOW) < 0) return failed_call(target.path, "chown");
  if (inode->attributes.size > 0) {
    if (fchdir(target.fd) < 0) return failed_call(target.path, "chdir");
    if (!image_attributes(work->image, inode, set_attribute, &target)) return refused(target.path);
  }
  if (!S_ISLNK(inode->mode) && fchmodat(target.fd, target.name, inode->mode & 07777, 0) < 0) return failed_call(target.path, "chmod");
  if (utimensat(target.fd, target.name, times, AT_SYMLINK_NOFOLLOW) < 0) return failed_call(target.path, "utimensat");
  return true;
}

static bool make_file(struct work *work, const struct inode *inode, struct target target) {
  if (inode->size > work->bytes_left) return failed(target.path, "the files have more bytes than the image");
  work->bytes_left -= inode->size;
  int fd = openat(target.fd, target.name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return failed_call(target.path, "open");
  bool whole = write_piece(fd, inode->blocks) && write_piece(fd, inode->rest);
  if (!whole) failed_call(target.path, "write");
  return close(fd) == 0 && whole;
}

static bool make_link(const struct inode *inode, struct target target) {
  char to[TARGET_BYTES + 1];
  if (inode->size == 0 || inode->size > TARGET_BYTES) return failed(target.path, "a symbolic link without a valid target");
  if (inode->blocks.size > 0) memcpy(to, inode->blocks.bytes, inode->blocks.size);
  if (inode->rest.size > 0) memcpy(to + inode->blocks.size, inode->rest.bytes, inode->rest.size);
  to[inode->size] = '\0';
  return symlinkat(to, target.fd, target.name) == 0 || failed_call(target.path, "symlink");
}

static bool fill(const struct place *place, const struct inode *directory);

static bool make_directory(const struct place *above, const struct inode *inode, struct target target) {
  struct place place = {.work = above->work, .path = target.path, .depth = above->depth + 1};
  if (place.depth > DEPTH_MAX) return failed(target.path, "directories are nested too deeply");
  if (mkdirat(target.fd, target.name, 0700) < 0) return failed_call(target.path, "mkdir");
  place.fd = openat(target.fd, target.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (place.fd < 0) return failed_call(target.path, "open");
  bool whole = fill(&place, inode);
  close(place.fd);
  return whole;
}

static bool make_content(const struct place *place, const struct inode *inode, struct target target) {
  if (S_ISREG(inode->mode)) return make_file(place->work, inode, target);
  if (S_ISLNK(inode->mode)) return make_link(inode, target);
  if (S_ISDIR(inode->mode)) return make_directory(place, inode, target);
  if (!S_ISCHR(inode->mode) && !S_ISBLK(inode->mode) && !S_ISFIFO(inode->mode) && !S_ISSOCK(inode->mode))
    return failed(target.path, "a file of an unknown kind");
  return mknodat(target.fd, target.name, (inode->mode & S_IFMT) | 0600, inode->device) == 0 || failed_call(target.path, "mknod");
}

static bool make(const struct place *place, uint64_t number, struct target target) {
  struct work *work = place->work;
  struct inode inode;
  if (work->entries_left-- == 0) return failed(target.path, "the directories have more entries than the image has room for");
  if (!image_inode(work->image, number, &inode)) return refused(target.path);
  if (S_ISDIR(inode.mode) || inode.links > 1) {
    const char *first = first_path(number, target.path);
    if (first != NULL && S_ISDIR(inode.mode)) return failed(target.path, "a directory with two names");
    if (first != NULL) return linkat(work->root, first, target.fd, target.name, 0) == 0 || failed_call(target.path, "link");
  }
  return make_content(place, &inode, target) && settle(work, &inode, target);
}

static bool take(void *context, const char *name, size_t length, uint64_t number) {
  const struct place *place = context;
  size_t above = strlen(place->path);
  char *path = malloc(above + length + 2);
  if (path == NULL) abort();
  memcpy(path, place->path, above);
  if (above > 0) path[above++] = '/';
  memcpy(path + above, name, length);
  path[above + length] = '\0';
  bool whole = make(place, number, (struct target){.path = path, .name = path + above, .fd = place->fd});
  free(path);
  return whole;
}

static bool fill(const struct place *place, const struct inode *directory) {
  return image_entries(place->work->image, directory, take, (void *)(uintptr_t)place) || refused(place->path);
}

bool extract(const struct image *image, int directory) {
  struct work work = {.image = image, .root = directory, .bytes_left = image->size, .entries_left = image->size / ENTRY_BYTES};
  struct place root = {.work = &work, .path = "", .fd = directory};
  struct inode inode;
  image_refuse("");
  if (!image_inode(image, image->root, &inode)) return refused("");
  if (!S_ISDIR(inode.mode)) return failed("", "the root is no directory");
  first_path(inode.number, "");
  return fill(&root, &inode) && settle(&work, &inode, (struct target){.path = "", .name = ".", .fd = directory});
}
