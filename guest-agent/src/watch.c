#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "beneath.h"
#include "draft.h"
#include "feed.h"
#include "rights.h"
#include "task.h"
#include "watch_tree.h"
#include "watched.h"

enum {
  /* A burst is one batch of records, and the kernel joins equal events that are not read yet. Changes that go on are told less often. */
  GATHER_MS = 10,
  GATHER_MORE_MS = 100,
  EVENTS = 64 * 1024,
  /* Of one batch. */
  READS_MAX = 16,
  LINKS_MAX = 40,
};

struct plan {
  char *root, *path, *user;
  uint32_t flags;
};

/* What a look at the events found beside an error. */
enum found { FOUND_ALL, FOUND_LOSS, FOUND_END };

struct watcher {
  struct watch watch;
  int itself;       /* watch descriptor of the watched directory */
  const char *only; /* the watched file in its directory; NULL = the directory is watched */
  /* A rename of which the second half may follow. */
  struct {
    uint32_t cookie; /* 0 = none */
    bool is_directory;
    char path[WATCH_PATH];
  } from;
  /* The move of a draft to its target. The second half follows at once. */
  struct {
    uint32_t cookie;
    enum draft_kind kind;
  } draft;
};

/* The half of a rename that left the tree. */
static int settle(struct watcher *watcher) {
  if (watcher->from.cookie == 0) return 0;
  watcher->from.cookie = 0;
  if (watcher->from.is_directory) watched_end(watcher->watch.inotify, watcher->from.path);
  return watch_tell(WATCH_REMOVED, watcher->from.is_directory, watcher->from.path, "");
}

static int arrived(struct watcher *watcher, const struct inotify_event *event, const char *path, bool is_directory) {
  bool replaces = (event->mask & IN_MOVED_TO) && event->cookie == watcher->draft.cookie && watcher->draft.kind == DRAFT_REPLACES;
  if (replaces && !is_directory) return watch_tell(WATCH_MODIFIED, false, path, "");
  if (watcher->from.cookie != 0 && watcher->from.cookie == event->cookie) {
    watcher->from.cookie = 0;
    if (is_directory) watched_move(watcher->from.path, path);
    return watch_tell(WATCH_RENAMED, is_directory, path, watcher->from.path);
  }
  int error = watch_tell(WATCH_CREATED, is_directory, path, "");
  return error == 0 && is_directory && watcher->watch.recursive ? watch_add(&watcher->watch, path, true) : error;
}

static int on_entry(struct watcher *watcher, const struct inotify_event *event, const struct watched *folder) {
  char path[WATCH_PATH];
  bool is_directory = (event->mask & IN_ISDIR) != 0;
  enum draft_kind draft = draft_of(event->name);
  if (draft != DRAFT_NONE) {
    if (event->mask & IN_MOVED_FROM) {
      watcher->draft.cookie = event->cookie;
      watcher->draft.kind = draft;
    }
    return 0;
  }
  if (watcher->only != NULL) {
    if (strcmp(event->name, watcher->only) != 0) return 0;
    *path = '\0';
  } else if (!watch_join(path, folder->path, event->name))
    return 0;
  bool follows = (event->mask & IN_MOVED_TO) && event->cookie == watcher->from.cookie;
  int error = follows ? 0 : settle(watcher);
  if (error != 0) return error;
  if (event->mask & (IN_CREATE | IN_MOVED_TO)) return arrived(watcher, event, path, is_directory);
  if (event->mask & IN_DELETE) return watch_tell(WATCH_REMOVED, is_directory, path, "");
  if (event->mask & (IN_MODIFY | IN_ATTRIB)) return watch_tell(WATCH_MODIFIED, is_directory, path, "");
  if (event->mask & IN_MOVED_FROM) {
    watcher->from.cookie = event->cookie;
    watcher->from.is_directory = is_directory;
    memcpy(watcher->from.path, path, strlen(path) + 1);
  }
  return 0;
}

static int on_event(struct watcher *watcher, const struct inotify_event *event, enum found *found) {
  if (event->mask & IN_Q_OVERFLOW) *found = FOUND_LOSS;
  const struct watched *folder = watched_find(event->wd);
  if (*found != FOUND_ALL || folder == NULL) return 0;
  if (event->wd == watcher->itself && (event->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED)))
    *found = FOUND_END;
  else if (event->mask & IN_IGNORED)
    watched_forget(event->wd);
  else if (event->len > 0)
    return on_entry(watcher, event, folder);
  return 0;
}

static int read_events(struct watcher *watcher, enum found *found) {
  static _Alignas(struct inotify_event) char events[EVENTS];
  for (unsigned reads = 0; reads < READS_MAX && *found == FOUND_ALL; reads++) {
    ssize_t size = read(watcher->watch.inotify, events, sizeof events);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return size < 0 && errno != EAGAIN ? errno : 0;
    for (const char *at = events; at < events + size && *found == FOUND_ALL;) {
      const struct inotify_event *event = (const void *)at;
      int error = on_event(watcher, event, found);
      if (error != 0) return error;
      at += sizeof *event + event->len;
    }
  }
  return 0;
}

/* A look at the whole tree: at the beginning, and after a loss of events. */
static int begin(struct watcher *watcher) {
  if (watcher->watch.inotify >= 0) close(watcher->watch.inotify);
  watched_clear();
  watcher->watch.told_unwatched = false;
  watcher->from.cookie = 0;
  watcher->watch.inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (watcher->watch.inotify < 0) return errno;
  int error = watch_add(&watcher->watch, "", false);
  /* The first watch of an instance has the number 1. */
  watcher->itself = 1;
  return error == ENOSPC ? EMFILE : error;
}

static uint64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Until the watched directory is gone, or nobody reads the records. */
static int follow(struct watcher *watcher) {
  int error = watch_tell(WATCH_READY, true, "", "");
  enum found found = FOUND_ALL;
  uint64_t told_ms = 0;
  while (error == 0 && found != FOUND_END) {
    error = feed_flush();
    struct pollfd either[2] = {{.fd = watcher->watch.inotify, .events = POLLIN}, {.fd = STDOUT_FILENO}};
    if (error != 0 || poll(either, 2, -1) < 0 || either[1].revents != 0) return error;
    long gather_ms = now_ms() - told_ms < GATHER_MORE_MS ? GATHER_MORE_MS : GATHER_MS;
    nanosleep(&(struct timespec){.tv_nsec = gather_ms * 1000000L}, NULL);
    found = FOUND_ALL;
    error = read_events(watcher, &found);
    if (error == 0) error = settle(watcher);
    told_ms = now_ms();
    if (error != 0 || found != FOUND_LOSS) continue;
    /* Another loss in the meantime is told by the next round. */
    error = begin(watcher);
    if (error == 0) error = watch_tell(WATCH_LOSS, true, "", "");
  }
  /* Another directory is at the path by now. */
  if (error == ESTALE) error = 0;
  return error == 0 ? feed_flush() : error;
}

/* Sets the directory of a file, or of its link's target, and the file's name in it. The helper's end frees the paths. 0 or errno. */
static int find_file(struct watcher *watcher, const char *path) {
  for (int links = 0; links <= LINKS_MAX; links++) {
    struct stat status;
    int root = watcher->watch.root, parent = open_parent_beneath(root, path, false, &watcher->only);
    if (parent < 0) return errno;
    int error = fstatat(parent, watcher->only, &status, AT_SYMLINK_NOFOLLOW) < 0 ? errno : 0;
    close(parent);
    if (error != 0) return error;
    if (!S_ISLNK(status.st_mode)) {
      watcher->watch.path = watcher->only == path ? "" : strndup(path, (size_t)(watcher->only - path));
      return watcher->watch.path != NULL ? 0 : ENOMEM;
    }
    path = follow_beneath(root, path);
    if (path == NULL) return errno;
  }
  return ELOOP;
}

static int body(const void *request, struct task_report *report) {
  static struct watcher watcher;
  const struct plan *plan = request;
  int error = rights_take(plan->user);
  if (error != 0) return task_failed(report, error, STEP_USER, plan->user);
  int root = open_root_of(plan->root, plan->path, (plan->flags & WATCH_IN_ROOT) != 0);
  if (root < 0) return task_failed(report, errno, STEP_OPEN, plan->root);
  watcher.watch = (struct watch){.inotify = -1, .root = root, .path = plan->path, .recursive = (plan->flags & WATCH_RECURSIVE) != 0};
  error = begin(&watcher);
  if (error == ENOTDIR) {
    watcher.watch.recursive = false;
    error = find_file(&watcher, plan->path);
    if (error == 0) error = begin(&watcher);
  }
  if (error != 0) return task_failed(report, error, STEP_OPEN, plan->path);
  error = follow(&watcher);
  return error != 0 ? task_failed(report, error, STEP_IO, plan->path) : 0;
}

void watch_files(struct stream *stream, const struct watch_request *request) {
  struct plan plan = {copy_str(request->root), copy_str(request->path), copy_str(request->user), request->flags};
  if (plan.root == NULL || plan.path == NULL || plan.user == NULL)
    stream_fail(stream, ENOMEM, STEP_OPEN, NULL);
  else
    task_start(stream, body, &plan, false);
  free(plan.root);
  free(plan.path);
  free(plan.user);
}
