/* SFTP version 3 (draft-ietf-secsh-filexfer-02), with the extensions of OpenSSH that its clients and sshfs use. */
#include "handles.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>

enum {
  INIT = 1,
  VERSION,
  OPEN,
  CLOSE,
  READ,
  WRITE,
  LSTAT,
  FSTAT,
  SETSTAT,
  FSETSTAT,
  OPENDIR,
  READDIR,
  REMOVE,
  MKDIR,
  RMDIR,
  REALPATH,
  STAT,
  RENAME,
  READLINK,
  SYMLINK
};
enum { STATUS = 101, HANDLE, DATA, NAME, ATTRS, EXTENDED = 200, EXTENDED_REPLY };
enum { OK, END, NO_FILE, DENIED, FAILED, BAD_MESSAGE, UNSUPPORTED = 8 };
enum { FOR_READ = 1, FOR_WRITE = 2, APPEND = 4, CREATE = 8, TRUNCATE = 16, EXCLUSIVE = 32 };

#define RENAME_KEEPS_TARGET 1u

static void status(uint32_t id, uint32_t code, const char *text) {
  begin_reply(STATUS, id);
  put_u32(code);
  put_text(text);
  put_text("");
  send_reply();
}

/* The outcome of a system call: 0, or an errno. */
static void outcome(uint32_t id, int failure) {
  switch (failure) {
    case 0: return status(id, OK, "");
    case ENOENT:
    case ENOTDIR:
    case ELOOP: return status(id, NO_FILE, strerror(failure));
    case EPERM:
    case EACCES:
    case EROFS: return status(id, DENIED, strerror(failure));
    default: return status(id, FAILED, strerror(failure));
  }
}

static int failed(int result) { return result == 0 ? 0 : errno; }

static void reply_handle(uint32_t id, struct handle *handle) {
  handle->is_open = true;
  begin_reply(HANDLE, id);
  put_u32(4);
  put_u32(number_of(handle));
  send_reply();
}

static void open_file(uint32_t id, const char *path, uint32_t wanted, const struct attributes *attributes) {
  int flags = wanted & FOR_WRITE ? wanted & FOR_READ ? O_RDWR : O_WRONLY : O_RDONLY;
  if (wanted & APPEND) flags |= O_APPEND;
  if (wanted & CREATE) flags |= O_CREAT;
  if (wanted & TRUNCATE) flags |= O_TRUNC;
  if (wanted & EXCLUSIVE) flags |= O_EXCL;
  struct handle *handle = new_handle();
  if (handle == NULL) return outcome(id, EMFILE);
  /* A FIFO without a writer must not stop the server. */
  handle->fd = open(path, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, attributes->flags & HAS_MODE ? attributes->mode : 0666);
  if (handle->fd < 0) return outcome(id, errno);
  handle->is_append = (wanted & APPEND) != 0;
  reply_handle(id, handle);
}

static void open_directory(uint32_t id, const char *path) {
  struct handle *handle = new_handle();
  if (handle == NULL) return outcome(id, EMFILE);
  handle->directory = opendir(path);
  if (handle->directory == NULL) return outcome(id, errno);
  reply_handle(id, handle);
}

static void read_file(uint32_t id, struct handle *handle, uint64_t offset, uint32_t length) {
  if (handle == NULL || handle->fd < 0) return status(id, FAILED, "no open file");
  if (length > PIECE_MAX) length = PIECE_MAX;
  begin_reply(DATA, id);
  size_t position = reply_length();
  put_u32(0);
  uint8_t *room = put_room(length);
  ssize_t got;
  do {
    got = pread(handle->fd, room, length, (off_t)offset);
    /* A pipe or a device has no positions. */
    if (got < 0 && errno == ESPIPE) got = read(handle->fd, room, length);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return outcome(id, errno);
  if (got == 0 && length > 0) return status(id, END, "end of file");
  cut_reply(position + 4 + (size_t)got);
  patch_u32(position, (uint32_t)got);
  send_reply();
}

static void write_file(uint32_t id, struct handle *handle, uint64_t offset, const uint8_t *bytes, size_t length) {
  if (handle == NULL || handle->fd < 0) return status(id, FAILED, "no open file");
  while (length > 0) {
    ssize_t written = handle->is_append ? write(handle->fd, bytes, length) : pwrite(handle->fd, bytes, length, (off_t)offset);
    if (written < 0 && errno == ESPIPE) written = write(handle->fd, bytes, length);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return outcome(id, errno);
    bytes += written;
    length -= (size_t)written;
    offset += (uint64_t)written;
  }
  status(id, OK, "");
}

/* More than an entry with the longest name takes. */
#define ENTRY_MAX (2 * NAME_MAX + 256)

static void read_directory(uint32_t id, struct handle *handle) {
  if (handle == NULL || handle->directory == NULL) return status(id, FAILED, "no open directory");
  begin_reply(NAME, id);
  size_t position = reply_length();
  uint32_t count = 0;
  put_u32(0);
  while (count < 200 && reply_length() + ENTRY_MAX < MESSAGE_MAX) {
    errno = 0;
    struct dirent *entry = readdir(handle->directory);
    if (entry == NULL) {
      if (errno != 0 && count == 0) return outcome(id, errno);
      break;
    }
    struct stat stat;
    if (fstatat(dirfd(handle->directory), entry->d_name, &stat, AT_SYMLINK_NOFOLLOW) != 0) continue;
    char line[ENTRY_MAX];
    long_name(line, sizeof line, entry->d_name, &stat);
    put_text(entry->d_name);
    put_text(line);
    put_stat(&stat);
    count++;
  }
  if (count == 0) return status(id, END, "end of directory");
  patch_u32(position, count);
  send_reply();
}

static void reply_stat(uint32_t id, int result, const struct stat *stat) {
  if (result != 0) return outcome(id, errno);
  begin_reply(ATTRS, id);
  put_stat(stat);
  send_reply();
}

static void reply_name(uint32_t id, const char *name) {
  begin_reply(NAME, id);
  put_u32(1);
  put_text(name);
  put_text(name);
  put_u32(0);
  send_reply();
}

/* The absolute path of a file, or of one that is to be made in an existing directory. */
static void real_path(uint32_t id, const char *path) {
  char real[PATH_MAX], parent[PATH_MAX];
  if (realpath(path, real) != NULL) return reply_name(id, real);
  const char *slash = strrchr(path, '/');
  const char *name = slash == NULL ? path : slash + 1;
  if (errno != ENOENT || *name == 0 || strcmp(name, "..") == 0) return outcome(id, errno);
  snprintf(parent, sizeof parent, "%.*s", slash == NULL ? 1 : slash == path ? 1 : (int)(slash - path), slash == NULL ? "." : path);
  if (realpath(parent, real) == NULL) return outcome(id, errno);
  size_t length = strlen(real);
  if (length + strlen(name) + 2 > sizeof real) return outcome(id, ENAMETOOLONG);
  snprintf(real + length, sizeof real - length, "%s%s", length == 1 ? "" : "/", name);
  reply_name(id, real);
}

/* A path of a person: ~ is the home directory. */
static void expand_path(uint32_t id, const char *path) {
  char whole[PATH_MAX];
  const char *home = getenv("HOME");
  if (home == NULL || path[0] != '~' || (path[1] != 0 && path[1] != '/')) return real_path(id, path);
  if (snprintf(whole, sizeof whole, "%s%s", home, path + 1) >= (int)sizeof whole) return outcome(id, ENAMETOOLONG);
  real_path(id, whole);
}

static void read_link(uint32_t id, const char *path) {
  char target[PATH_MAX];
  ssize_t length = readlink(path, target, sizeof target - 1);
  if (length < 0) return outcome(id, errno);
  target[length] = 0;
  reply_name(id, target);
}

/* Version 3 refuses a target that exists. */
static int rename_new(const char *from, const char *to) {
  if (syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, RENAME_KEEPS_TARGET) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return errno;
  struct stat stat;
  if (lstat(to, &stat) == 0) return EEXIST;
  return failed(rename(from, to));
}

static void reply_space(uint32_t id, int result, const struct statvfs *space) {
  if (result != 0) return outcome(id, errno);
  begin_reply(EXTENDED_REPLY, id);
  put_u64(space->f_bsize);
  put_u64(space->f_frsize);
  put_u64(space->f_blocks);
  put_u64(space->f_bfree);
  put_u64(space->f_bavail);
  put_u64(space->f_files);
  put_u64(space->f_ffree);
  put_u64(space->f_favail);
  put_u64(space->f_fsid);
  put_u64((space->f_flag & ST_RDONLY ? 1u : 0u) | (space->f_flag & ST_NOSUID ? 2u : 0u));
  put_u64(space->f_namemax);
  send_reply();
}

static const char *const extensions[][2] = {
    {"posix-rename@openssh.com", "1"}, {"statvfs@openssh.com", "2"},  {"fstatvfs@openssh.com", "2"}, {"hardlink@openssh.com", "1"},
    {"fsync@openssh.com", "1"},        {"lsetstat@openssh.com", "1"}, {"limits@openssh.com", "1"},   {"expand-path@openssh.com", "1"},
};

static void answer_init(void) {
  begin_reply(VERSION, 3);
  for (size_t i = 0; i < sizeof extensions / sizeof *extensions; i++) {
    put_text(extensions[i][0]);
    put_text(extensions[i][1]);
  }
  send_reply();
}

static void extended(uint32_t id, struct request *request) {
  char name[64] = "", one[PATH_MAX], two[PATH_MAX];
  size_t length;
  const uint8_t *bytes = take_bytes(request, &length);
  if (length < sizeof name) memcpy(name, bytes, length);
  struct statvfs space;
  if (strcmp(name, "posix-rename@openssh.com") == 0 || strcmp(name, "hardlink@openssh.com") == 0) {
    take_path(request, one);
    take_path(request, two);
    if (request->broken) return status(id, BAD_MESSAGE, "malformed request");
    return outcome(id, failed(name[0] == 'p' ? rename(one, two) : link(one, two)));
  }
  if (strcmp(name, "fsync@openssh.com") == 0 || strcmp(name, "fstatvfs@openssh.com") == 0) {
    struct handle *handle = take_handle(request);
    if (handle == NULL || handle->fd < 0) return status(id, FAILED, "no open file");
    if (name[1] == 's' && name[2] == 'y') return outcome(id, failed(fsync(handle->fd)));
    return reply_space(id, fstatvfs(handle->fd, &space), &space);
  }
  if (strcmp(name, "limits@openssh.com") == 0) {
    begin_reply(EXTENDED_REPLY, id);
    put_u64(MESSAGE_MAX);
    put_u64(PIECE_MAX);
    put_u64(PIECE_MAX);
    put_u64(1000);
    return send_reply();
  }
  take_path(request, one);
  if (request->broken) return status(id, BAD_MESSAGE, "malformed request");
  if (strcmp(name, "statvfs@openssh.com") == 0) return reply_space(id, statvfs(one, &space), &space);
  if (strcmp(name, "expand-path@openssh.com") == 0) return expand_path(id, one);
  if (strcmp(name, "lsetstat@openssh.com") == 0) {
    struct attributes attributes = take_attributes(request);
    if (request->broken) return status(id, BAD_MESSAGE, "malformed request");
    return outcome(id, set_attributes(&attributes, -1, one, false));
  }
  status(id, UNSUPPORTED, "unknown extension");
}

/* Requests whose first field is a handle. */
static void with_handle(uint8_t type, uint32_t id, struct request *request) {
  struct handle *handle = take_handle(request);
  struct attributes attributes;
  struct stat stat;
  uint64_t offset;
  size_t length;
  switch (type) {
    case READ: {
      offset = take_u64(request);
      uint32_t wanted = take_u32(request);
      return request->broken ? status(id, BAD_MESSAGE, "malformed request") : read_file(id, handle, offset, wanted);
    }
    case WRITE: {
      offset = take_u64(request);
      const uint8_t *bytes = take_bytes(request, &length);
      return request->broken ? status(id, BAD_MESSAGE, "malformed request") : write_file(id, handle, offset, bytes, length);
    }
    case READDIR: return read_directory(id, handle);
    default: break;
  }
  if (handle == NULL) return status(id, FAILED, "no such handle");
  if (type == CLOSE) return outcome(id, close_handle(handle));
  int fd = handle->directory != NULL ? dirfd(handle->directory) : handle->fd;
  if (type == FSTAT) return reply_stat(id, fstat(fd, &stat), &stat);
  attributes = take_attributes(request);
  if (request->broken) return status(id, BAD_MESSAGE, "malformed request");
  outcome(id, set_attributes(&attributes, fd, NULL, true));
}

/* Requests whose first field is a path. */
static void with_path(uint8_t type, uint32_t id, struct request *request) {
  char path[PATH_MAX], second[PATH_MAX];
  struct attributes attributes = {0};
  struct stat stat_;
  take_path(request, path);
  uint32_t flags = type == OPEN ? take_u32(request) : 0;
  if (type == OPEN || type == SETSTAT || type == MKDIR) attributes = take_attributes(request);
  if (type == RENAME || type == SYMLINK) take_path(request, second);
  if (request->broken) return status(id, BAD_MESSAGE, "malformed request");
  switch (type) {
    case OPEN: return open_file(id, path, flags, &attributes);
    case OPENDIR: return open_directory(id, path);
    case LSTAT: return reply_stat(id, lstat(path, &stat_), &stat_);
    case STAT: return reply_stat(id, stat(path, &stat_), &stat_);
    case SETSTAT: return outcome(id, set_attributes(&attributes, -1, path, true));
    case REMOVE: return outcome(id, failed(unlink(path)));
    case MKDIR: return outcome(id, failed(mkdir(path, attributes.flags & HAS_MODE ? attributes.mode : 0777)));
    case RMDIR: return outcome(id, failed(rmdir(path)));
    case REALPATH: return real_path(id, path);
    case RENAME: return outcome(id, rename_new(path, second));
    case READLINK: return read_link(id, path);
    /* The target comes first, as in OpenSSH and all clients, and unlike in the draft. */
    default: return outcome(id, failed(symlink(path, second)));
  }
}

void answer(uint8_t type, struct request request) {
  if (type == INIT) return answer_init();
  uint32_t id = take_u32(&request);
  switch (type) {
    case CLOSE:
    case READ:
    case WRITE:
    case FSTAT:
    case FSETSTAT:
    case READDIR: return with_handle(type, id, &request);
    case OPEN:
    case LSTAT:
    case SETSTAT:
    case OPENDIR:
    case REMOVE:
    case MKDIR:
    case RMDIR:
    case REALPATH:
    case STAT:
    case RENAME:
    case READLINK:
    case SYMLINK: return with_path(type, id, &request);
    case EXTENDED: return extended(id, &request);
    default: return status(id, UNSUPPORTED, "unknown request");
  }
}
