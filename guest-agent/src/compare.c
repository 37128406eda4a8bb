#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "beneath.h"
#include "feed.h"
#include "kernel.h"
#include "names.h"
#include "path.h"
#include "task.h"
#include "type_letter.h"
#include "version.h"

enum {
  DEPTH_MAX = 1024, /* as in WALK */
  /* u32 length, per side u8 type, u32 mode and u64 size, three counts of strings */
  RECORD_FIXED = 4 + 2 * 13 + 3 * 4,
  MOUNT_LETTER = 'm',
};

struct plan {
  char *old_root, *old_path, *new_root, *new_path, *skip;
  uint32_t flags;
};

/* One of the two trees at the present directory or entry. */
struct side {
  bool there;
  bool mounted; /* the guest mounted something at the entry, which hides what the disk has */
  struct stat status;
  char link[PATH_MAX];
  size_t link_size;
};

struct comparison {
  const struct plan *plan;
  struct task_report *report;
  struct path path;
  struct side old, now; /* of the entry at hand; too large for a frame of each level */
};

/* Directories of both trees; -1 for a missing one. */
struct pair {
  int old, now;
};

/* A name in a pair of directories; -1 for a directory without it. */
struct place {
  struct pair at;
  const char *name;
  bool directories; /* a directory on both sides for certain */
  unsigned depth;
};

static int fail(struct comparison *comparison, int error, enum step step) {
  char detail[DETAIL_MAX];
  path_copy(&comparison->path, detail, sizeof detail);
  return task_failed(comparison->report, error, step, detail);
}

static uint8_t *put_side(uint8_t *at, const struct side *side) {
  *at++ = side->mounted ? MOUNT_LETTER : side->there ? type_letter(side->status.st_mode) : 0;
  at = big_endian(at, side->there ? side->status.st_mode & 07777 : 0, 4);
  return big_endian(at, side->there ? (uint64_t)side->status.st_size : 0, 8);
}

static int put_text(const void *text, size_t size) {
  uint8_t count[4];
  big_endian(count, size, 4);
  int error = feed_put(count, sizeof count);
  return error != 0 ? error : feed_put(text, size);
}

static int put_record(struct comparison *comparison) {
  const struct side *old = &comparison->old, *now = &comparison->now;
  uint8_t record[RECORD_FIXED];
  size_t size = RECORD_FIXED - 4 + comparison->path.size + old->link_size + now->link_size;
  uint8_t *at = put_side(put_side(big_endian(record, size, 4), old), now);
  int error = feed_put(record, (size_t)(at - record));
  if (error == 0) error = put_text(comparison->path.text, comparison->path.size);
  if (error == 0) error = put_text(old->link, old->link_size);
  if (error == 0) error = put_text(now->link, now->link_size);
  return error == 0 ? 0 : task_failed(comparison->report, error, STEP_IO, "pipe");
}

static struct timespec time_of(struct kernel_statx_time time) {
  return (struct timespec){.tv_sec = time.seconds, .tv_nsec = time.nanoseconds};
}

/* The status of an entry, with what a mount shows in its place: also a file or a link may be mounted over (Linux 5.8 tells). */
static int look_at(int directory, const char *name, struct side *side) {
  struct kernel_statx found;
  if (syscall(SYS_statx, directory, name, AT_SYMLINK_NOFOLLOW | KERNEL_AT_NO_AUTOMOUNT, KERNEL_STATX_BASIC, &found) < 0) return errno;
  if (!(found.attributes_mask & KERNEL_STATX_ATTR_MOUNT_ROOT)) return ENOSYS;
  side->mounted = (found.attributes & KERNEL_STATX_ATTR_MOUNT_ROOT) != 0;
  side->status = (struct stat){.st_ino = found.ino,
                               .st_size = (off_t)found.size,
                               .st_mode = found.mode,
                               .st_mtim = time_of(found.mtime),
                               .st_ctim = time_of(found.ctime)};
  return 0;
}

/* Reads an entry. A vanished entry counts as absent. */
static int look(struct comparison *comparison, int directory, const char *name, struct side *side) {
  side->there = side->mounted = false;
  side->link_size = 0;
  if (directory < 0) return 0;
  int error = look_at(directory, name, side);
  if (error != 0) return error == ENOENT ? 0 : fail(comparison, error, STEP_IO);
  if (S_ISLNK(side->status.st_mode)) {
    ssize_t size = readlinkat(directory, name, side->link, sizeof side->link);
    if (size < 0) return errno == ENOENT || errno == EINVAL ? 0 : fail(comparison, errno, STEP_IO);
    side->link_size = (size_t)size;
  }
  side->there = true;
  return 0;
}

static bool same_time(struct timespec a, struct timespec b) { return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec; }

static bool same_metadata(const struct stat *old, const struct stat *now) {
  return old->st_ino == now->st_ino && old->st_size == now->st_size && old->st_mode == now->st_mode &&
         same_time(old->st_mtim, now->st_mtim) && same_time(old->st_ctim, now->st_ctim);
}

static bool unchanged(const struct comparison *comparison, const struct place *place) {
  const struct side *old = &comparison->old, *now = &comparison->now;
  if (!old->there || !now->there) return !old->there && !now->there;
  if ((old->status.st_mode & S_IFMT) != (now->status.st_mode & S_IFMT)) return false;
  if (S_ISDIR(old->status.st_mode)) return true;
  if (old->status.st_mode != now->status.st_mode) return false;
  if (S_ISLNK(old->status.st_mode)) return old->link_size == now->link_size && memcmp(old->link, now->link, old->link_size) == 0;
  if (!S_ISREG(old->status.st_mode)) return true;
  if (old->status.st_size != now->status.st_size) return false;
  if (!(comparison->plan->flags & COMPARE_CONTENT) && same_metadata(&old->status, &now->status)) return true;
  return same_content(place->at.old, place->at.now, place->name);
}

static int compare_directories(struct comparison *comparison, struct pair at, unsigned depth);

/* A mount is not opened: EXDEV. */
static int open_directory(int directory, const char *name) {
  struct kernel_open_how how = {
      .flags = O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC,
      .resolve = KERNEL_RESOLVE_NO_XDEV,
  };
  return (int)syscall(SYS_openat2, directory, name, &how, sizeof how);
}

static int put_mount(struct comparison *comparison) {
  comparison->old.mounted = false;
  comparison->now.mounted = true;
  return put_record(comparison);
}

static bool is_gone(int error) { return error == ENOENT || error == ENOTDIR || error == ELOOP; }

/* Descends into a directory of either side. */
static int descend(struct comparison *comparison, const struct place *place, bool old_too, bool new_too) {
  struct pair inner = {-1, -1};
  if (place->depth >= DEPTH_MAX) return fail(comparison, ENAMETOOLONG, STEP_LIMIT);
  if (new_too) {
    inner.now = open_directory(place->at.now, place->name);
    if (inner.now < 0 && errno == EXDEV) {
      int error = look(comparison, place->at.old, place->name, &comparison->old);
      if (error == 0) error = look(comparison, place->at.now, place->name, &comparison->now);
      return error == 0 ? put_mount(comparison) : error;
    }
    if (inner.now < 0 && !is_gone(errno)) return fail(comparison, errno, STEP_IO);
  }
  if (old_too) {
    inner.old = open_directory(place->at.old, place->name);
    if (inner.old < 0 && !is_gone(errno)) {
      int error = fail(comparison, errno, STEP_IO);
      if (inner.now >= 0) close(inner.now);
      return error;
    }
  }
  int error = compare_directories(comparison, inner, place->depth + 1);
  if (inner.old >= 0) close(inner.old);
  if (inner.now >= 0) close(inner.now);
  return error;
}

/* One name, of either directory or of both. */
static int compare_entry(struct comparison *comparison, const struct place *place) {
  struct side *old = &comparison->old, *now = &comparison->now;
  if (place->directories) return descend(comparison, place, true, true);
  int error = look(comparison, place->at.old, place->name, old);
  if (error == 0) error = look(comparison, place->at.now, place->name, now);
  if (error == 0 && now->mounted) return put_mount(comparison);
  old->mounted = false;
  if (error == 0 && !unchanged(comparison, place)) error = put_record(comparison);
  if (error != 0) return error;
  bool old_too = old->there && S_ISDIR(old->status.st_mode), new_too = now->there && S_ISDIR(now->status.st_mode);
  return old_too || new_too ? descend(comparison, place, old_too, new_too) : 0;
}

static int compare_names(struct comparison *comparison, struct pair at, const struct names *old, const struct names *now, unsigned depth) {
  size_t i = 0, j = 0;
  while (i < old->count || j < now->count) {
    int order = i == old->count ? 1 : j == now->count ? -1 : strcmp(old->items[i].text, now->items[j].text);
    struct place place = {.at = {order <= 0 ? at.old : -1, order >= 0 ? at.now : -1}, .directories = order == 0, .depth = depth};
    if (order <= 0) {
      place.name = old->items[i].text;
      place.directories = place.directories && old->items[i].directory;
      i++;
    }
    if (order >= 0) {
      place.name = now->items[j].text;
      place.directories = place.directories && now->items[j].directory;
      j++;
    }
    size_t before = path_enter(&comparison->path, place.name);
    if (before == SIZE_MAX) return fail(comparison, ENOMEM, STEP_LIMIT);
    /* A longer path could not be opened. */
    if (comparison->path.size >= PATH_MAX) return fail(comparison, ENAMETOOLONG, STEP_LIMIT);
    int error = compare_entry(comparison, &place);
    if (error != 0) return error;
    comparison->path.size = before;
  }
  return 0;
}

static int compare_directories(struct comparison *comparison, struct pair at, unsigned depth) {
  struct names old = {0}, now = {0};
  int error = at.old >= 0 ? names_read(at.old, comparison->plan->skip, &old) : 0;
  if (error == 0 && at.now >= 0) error = names_read(at.now, comparison->plan->skip, &now);
  error = error != 0 ? fail(comparison, error, STEP_IO) : compare_names(comparison, at, &old, &now, depth);
  names_free(&old);
  names_free(&now);
  return error;
}

static int open_tree(struct task_report *report, const char *root_path, const char *path) {
  int root = open_root(root_path);
  if (root < 0) {
    task_failed(report, errno, STEP_OPEN, root_path);
    return -1;
  }
  int fd = open_beneath(root, path, O_RDONLY | O_DIRECTORY, 0, true);
  if (fd < 0) task_failed(report, errno, STEP_OPEN, path);
  close(root);
  return fd;
}

static int body(const void *request, struct task_report *report) {
  static struct comparison comparison;
  const struct plan *plan = request;
  comparison.plan = plan;
  comparison.report = report;
  struct pair at = {.old = open_tree(report, plan->old_root, plan->old_path)};
  if (at.old < 0) return (int)report->error;
  at.now = open_tree(report, plan->new_root, plan->new_path);
  if (at.now < 0) return (int)report->error;
  if (is_covered(plan->new_root, at.now, plan->old_root, at.old)) return task_failed(report, EXDEV, STEP_OPEN, plan->new_root);
  int error = compare_directories(&comparison, at, 1);
  if (error != 0) return error;
  error = damage_of_root(plan->new_root, plan->new_path);
  if (error != 0) return task_failed(report, error, STEP_IO, plan->new_root);
  error = feed_flush();
  return error == 0 ? 0 : task_failed(report, error, STEP_IO, "pipe");
}

void compare(struct stream *stream, const struct compare_request *request) {
  struct plan plan = {copy_str(request->old_root), copy_str(request->old_path), copy_str(request->new_root),
                      copy_str(request->new_path), copy_str(request->skip),     request->flags};
  if (plan.old_root == NULL || plan.old_path == NULL || plan.new_root == NULL || plan.new_path == NULL || plan.skip == NULL)
    stream_fail(stream, ENOMEM, STEP_OPEN, NULL);
  else
    task_start(stream, body, &plan, false);
  free(plan.old_root);
  free(plan.old_path);
  free(plan.new_root);
  free(plan.new_path);
  free(plan.skip);
}
