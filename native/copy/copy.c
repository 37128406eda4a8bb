/*
 * pyro-copy: copies a sparse file (a VM's memory, an image) without pages of zeros, punches these pages out of a file, lists the data
 * of a file: a line with offset and length of each piece, in bytes, in the order of the file, or copies a file into memory that no process
 * can change: it writes "sealed FD" with its own descriptor, and stays until it is killed, so that its parent opens /proc/PID/fd/FD.
 *
 *   pyro-copy [--owner UID:GID] [--mode OCTAL] [--over CHANGES]... SOURCE DESTINATION [FD PROGRAM ARGUMENT...]
 *   pyro-copy [--owner UID:GID] [--mode OCTAL] --since BASE SOURCE DESTINATION
 *   pyro-copy --lay FILE CHANGES...
 *   pyro-copy --punch FILE
 *   pyro-copy --list FILE
 *   pyro-copy --seal FILE
 *
 * SOURCE and CHANGES may be in a folder of a VM's own process, so no symbolic link is followed. CHANGES is a sparse file: its data
 * replaces that of the source, and of the CHANGES before it. It may be larger than the source; the rest is ignored. --lay does the same to
 * FILE itself, so no process may have it mapped; if it fails, FILE has some of the data. With BASE the destination has only the pages of
 * the source that differ from those of BASE, as CHANGES of BASE, and "changes" is printed; where the file system shares extents, it is a
 * whole copy, and "whole" is printed. The destination gets its name only when it is complete, and never replaces a file. Its mode is 0600
 * by default. A file system that shares extents (FICLONE) copies no data. With a program, it writes "copied" and a newline to FD and
 * becomes that program, so that a VM costs its parent one fork. Exit status: 0 done, 1 failed, 2 wrong use, 3 the file system is full.
 */
#include "sealed.h"
#include "sparse.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* linux/fs.h, which a musl installation does not see: _IOW(0x94, 9, int) */
static const unsigned long ficlone = 0x40049409UL;

enum { STATUS_FAILED = 1, STATUS_USAGE = 2, STATUS_FULL = 3 };

enum { MOST_CHANGES = 64 };

static int fail(const char *what, const char *path, int error) {
  fprintf(stderr, "pyro-copy: %s %s: %s\n", what, path, strerror(error));
  return error == ENOSPC || error == EDQUOT ? STATUS_FULL : STATUS_FAILED;
}

static int usage(void) {
  fputs("usage: pyro-copy [--owner UID:GID] [--mode OCTAL] [--over CHANGES]... SOURCE DESTINATION [FD PROGRAM ARGUMENT...]\n"
        "       pyro-copy [--owner UID:GID] [--mode OCTAL] --since BASE SOURCE DESTINATION\n"
        "       pyro-copy --lay FILE CHANGES...\n"
        "       pyro-copy --punch FILE\n"
        "       pyro-copy --list FILE\n"
        "       pyro-copy --seal FILE\n",
        stderr);
  return STATUS_USAGE;
}

static int parse_id(const char **text, unsigned *id) {
  char *end;
  if (**text < '0' || **text > '9') return -1;
  errno = 0;
  unsigned long value = strtoul(*text, &end, 10);
  if (errno != 0 || value >= UINT_MAX) /* the last value means "unchanged" to chown(2) */
    return -1;
  *text = end;
  *id = (unsigned)value;
  return 0;
}

static int parse_owner(const char *text, uid_t *uid, gid_t *gid) {
  if (parse_id(&text, uid) != 0 || *text++ != ':' || parse_id(&text, gid) != 0) return -1;
  return *text == '\0' ? 0 : -1;
}

/* Opens a nameless file in the folder of `path`, or the name itself on a file system without nameless files. */
static int open_nameless(const char *path, int *named) {
  char folder[PATH_MAX];
  const char *slash = strrchr(path, '/');
  size_t length = slash == NULL ? 1 : slash == path ? 1 : (size_t)(slash - path);
  if (length >= sizeof folder) {
    errno = ENAMETOOLONG;
    return -1;
  }
  memcpy(folder, slash == NULL ? "." : path, length);
  folder[length] = '\0';
  *named = 0;
  int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)) return fd;
  *named = 1;
  return open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
}

static int give_name(int fd, const char *path) {
  char self[64];
  snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
  return linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW);
}

struct wishes {
  int owned;
  uid_t uid;
  gid_t gid;
  mode_t mode;
  const char *base; /* NULL: none */
  const char *changes[MOST_CHANGES];
  int change_count;
};

static int parse_mode(const char *text, mode_t *mode) {
  char *end;
  unsigned long value = strtoul(text, &end, 8);
  *mode = (mode_t)value;
  return *text >= '0' && *text <= '7' && *end == '\0' && value <= 0777 ? 0 : -1;
}

/* Lays the changes over a copy of `size` bytes; 0 or an errno. */
static int overlay(const char *changes, int to, off_t size) {
  struct stat stat;
  int fd = open(changes, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) return errno;
  int error = fstat(fd, &stat) != 0 ? errno : !S_ISREG(stat.st_mode) ? EINVAL : sparse_overlay(fd, to, size);
  close(fd);
  return error;
}

/* Writes the pages of a source of `size` bytes that differ from the base; 0 or an errno. */
static int differences(int from, const char *base, int to, off_t size) {
  struct stat stat;
  int fd = open(base, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) return errno;
  int error = fstat(fd, &stat) != 0 ? errno : !S_ISREG(stat.st_mode) ? EINVAL : sparse_since(from, fd, to, size);
  close(fd);
  return error;
}

/* Opens a source. A VMM may own its folder, and may put a link there. The links of /proc are those of descriptors. */
static int open_source(const char *path) {
  static const char proc[] = "/proc/";
  int follow = strncmp(path, proc, sizeof proc - 1) == 0 ? 0 : O_NOFOLLOW;
  return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | follow);
}

static int copy(const char *source, const char *destination, const struct wishes *wishes) {
  int status = 0, named = 0, to = -1, error;
  struct stat stat;
  int from = open_source(source);
  if (from < 0) return fail("cannot open", source, errno);
  if (fstat(from, &stat) != 0 || !S_ISREG(stat.st_mode)) {
    status = fail("not a regular file:", source, EINVAL);
    goto out;
  }
  to = open_nameless(destination, &named);
  if (to < 0) {
    status = fail("cannot create", destination, errno);
    goto out;
  }
  int shares = ioctl(to, ficlone, from) == 0;
  if (!shares) {
    if (ftruncate(to, stat.st_size) != 0)
      error = errno;
    else if (wishes->base != NULL)
      error = differences(from, wishes->base, to, stat.st_size);
    else
      error = sparse_copy(from, to, stat.st_size);
    if (error != 0) {
      status = fail("cannot write", destination, error);
      goto out;
    }
  }
  for (int i = 0; i < wishes->change_count; i++) {
    if ((error = overlay(wishes->changes[i], to, stat.st_size)) == 0) continue;
    status = fail("cannot lay over it", wishes->changes[i], error);
    goto out;
  }
  if (wishes->owned && fchown(to, wishes->uid, wishes->gid) != 0)
    status = fail("cannot give away", destination, errno);
  else if (fchmod(to, wishes->mode) != 0)
    status = fail("cannot set the mode of", destination, errno);
  else if (!named && give_name(to, destination) != 0)
    status = fail("cannot create", destination, errno);
  else if (wishes->base != NULL)
    puts(shares ? "whole" : "changes");
out:
  if (to >= 0) {
    if (status != 0 && named) unlink(destination);
    close(to);
  }
  close(from);
  return status;
}

/* Lays changes over a file in place. */
static int lay(const char *path, char **changes) {
  struct stat stat;
  int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) return fail("cannot open", path, errno);
  int error = fstat(fd, &stat) != 0 ? errno : !S_ISREG(stat.st_mode) ? EINVAL : 0;
  int status = error == 0 ? 0 : fail("cannot change", path, error);
  for (; status == 0 && *changes != NULL; changes++)
    if ((error = overlay(*changes, fd, stat.st_size)) != 0) status = fail("cannot lay over it", *changes, error);
  close(fd);
  return status;
}

static int punch(const char *path) {
  struct stat stat;
  int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) return fail("cannot open", path, errno);
  int error = fstat(fd, &stat) != 0 ? errno : !S_ISREG(stat.st_mode) ? EINVAL : sparse_punch(fd, stat.st_size);
  close(fd);
  return error == 0 ? 0 : fail("cannot punch", path, error);
}

static int list(const char *path) {
  struct stat stat;
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return fail("cannot open", path, errno);
  int error = fstat(fd, &stat) != 0 ? errno : !S_ISREG(stat.st_mode) ? EINVAL : sparse_list(fd, stat.st_size, stdout);
  close(fd);
  return error == 0 ? 0 : fail("cannot list", path, error);
}

static int seal(const char *path) {
  struct stat stat;
  int sealed = -1;
  int fd = open_source(path);
  if (fd < 0) return fail("cannot open", path, errno);
  int error = fstat(fd, &stat) != 0 ? errno : !S_ISREG(stat.st_mode) ? EINVAL : sealed_copy(fd, stat.st_size, &sealed);
  close(fd);
  if (error != 0) return fail("cannot seal a copy of", path, error);
  printf("sealed %d\n", sealed);
  if (fflush(stdout) != 0) return fail("cannot report to", "the standard output", errno);
  for (;;) pause();
}

/* Becomes the program, which may outlive the parent. */
static int become(const char *descriptor, char **command) {
  static const char copied[] = "copied\n";
  unsigned fd;
  if (parse_id(&descriptor, &fd) != 0 || *descriptor != '\0') return usage();
  if (write((int)fd, copied, sizeof copied - 1) != (ssize_t)(sizeof copied - 1))
    return fail("cannot report to", "the given descriptor", errno);
  prctl(PR_SET_PDEATHSIG, 0);
  execvp(command[0], command);
  return fail("cannot start", command[0], errno);
}

int main(int argc, char **argv) {
  struct wishes wishes = {.mode = 0600};
  int at = 1;
  umask(0077);
  prctl(PR_SET_PDEATHSIG, SIGKILL); /* the parent was killed, so no process waits for the result */
  if (argc >= 4 && strcmp(argv[1], "--lay") == 0) return lay(argv[2], argv + 3);
  if (argc == 3 && strcmp(argv[1], "--punch") == 0) return punch(argv[2]);
  if (argc == 3 && strcmp(argv[1], "--list") == 0) return list(argv[2]);
  if (argc == 3 && strcmp(argv[1], "--seal") == 0) return seal(argv[2]);
  for (; argc > at + 1 && argv[at][0] == '-'; at += 2) {
    if (strcmp(argv[at], "--") == 0) {
      at++;
      break;
    }
    if (strcmp(argv[at], "--owner") == 0 && parse_owner(argv[at + 1], &wishes.uid, &wishes.gid) == 0)
      wishes.owned = 1;
    else if (strcmp(argv[at], "--over") == 0 && wishes.change_count < MOST_CHANGES)
      wishes.changes[wishes.change_count++] = argv[at + 1];
    else if (strcmp(argv[at], "--since") == 0)
      wishes.base = argv[at + 1];
    else if (strcmp(argv[at], "--mode") != 0 || parse_mode(argv[at + 1], &wishes.mode) != 0)
      return usage();
  }
  if (argc != at + 2 && (argc < at + 4 || wishes.base != NULL)) return usage();
  if (wishes.base != NULL && wishes.change_count > 0) return usage();
  int status = copy(argv[at], argv[at + 1], &wishes);
  return status != 0 || argc == at + 2 ? status : become(argv[at + 2], argv + at + 3);
}
