#include "user.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Maximum size of a passwd or group file, which the guest writes. */
enum { FILE_MAX = 1024 * 1024 };

/* Cuts the text before the next `separator` off the front of `rest`. */
static struct bytes cut(struct bytes *rest, char separator) {
  if (rest->size == 0 || rest->data == NULL) return *rest;
  const uint8_t *end = memchr(rest->data, separator, rest->size);
  struct bytes piece = {rest->data, end != NULL ? (size_t)(end - rest->data) : rest->size};
  size_t skipped = piece.size + (end != NULL);
  rest->data += skipped;
  rest->size -= skipped;
  return piece;
}

static bool same(struct bytes a, struct bytes b) { return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0); }

/* A decimal id below 2^32 - 1 (which means "no change" to the kernel). */
static bool parse_id(struct bytes text, uint32_t *id) {
  uint64_t value = 0;
  if (text.size == 0 || text.size > 10) return false;
  for (size_t i = 0; i < text.size; i++) {
    if (text.data[i] < '0' || text.data[i] > '9') return false;
    value = value * 10 + (uint64_t)(text.data[i] - '0');
  }
  if (value >= UINT32_MAX) return false;
  *id = (uint32_t)value;
  return true;
}

/* name:password:uid:gid:comment:home:shell */
static bool parse_passwd_line(struct bytes text, struct passwd_line *line) {
  line->name = cut(&text, ':');
  cut(&text, ':');
  struct bytes uid = cut(&text, ':'), gid = cut(&text, ':');
  cut(&text, ':');
  line->home = cut(&text, ':');
  return line->name.size > 0 && parse_id(uid, &line->uid) && parse_id(gid, &line->gid);
}

bool passwd_by_name(struct bytes text, struct bytes name, struct passwd_line *line) {
  while (text.size > 0)
    if (parse_passwd_line(cut(&text, '\n'), line) && same(line->name, name)) return true;
  return false;
}

bool passwd_by_uid(struct bytes text, uid_t uid, struct passwd_line *line) {
  while (text.size > 0)
    if (parse_passwd_line(cut(&text, '\n'), line) && line->uid == uid) return true;
  return false;
}

/* name:password:gid:member,member */
size_t group_memberships(struct bytes text, struct bytes name, gid_t *groups, size_t room) {
  size_t count = 0;
  while (text.size > 0 && count < room) {
    struct bytes line = cut(&text, '\n');
    cut(&line, ':');
    cut(&line, ':');
    uint32_t gid = 0;
    if (!parse_id(cut(&line, ':'), &gid)) continue;
    while (line.size > 0) {
      if (!same(cut(&line, ','), name)) continue;
      groups[count++] = gid;
      break;
    }
  }
  return count;
}

/* Text of a regular file, which the caller frees; errno, or 0. A FIFO or device is refused without a wait. */
static int read_text(const char *path, struct bytes *text) {
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return errno;
  struct stat status;
  uint8_t *data = NULL;
  size_t size = 0;
  int error = 0;
  if (fstat(fd, &status) < 0) {
    error = errno;
  } else if (!S_ISREG(status.st_mode)) {
    error = EINVAL;
  } else if (status.st_size > FILE_MAX) {
    error = EFBIG;
  } else if ((data = malloc((size_t)status.st_size + 1)) == NULL) {
    error = ENOMEM;
  }
  while (error == 0 && size < (size_t)status.st_size) {
    ssize_t count = read(fd, data + size, (size_t)status.st_size - size);
    if (count < 0) error = errno;
    if (count <= 0) break;
    size += (size_t)count;
  }
  close(fd);
  if (error != 0) {
    free(data);
    return error;
  }
  *text = (struct bytes){data, size};
  return 0;
}

static void copy_text(char *to, size_t room, struct bytes from) {
  size_t size = from.size < room - 1 ? from.size : room - 1;
  if (size > 0) memcpy(to, from.data, size);
  to[size] = '\0';
}

static void use_line(struct user *user, const struct passwd_line *line) {
  user->uid = line->uid;
  user->gid = line->gid;
  copy_text(user->name, sizeof user->name, line->name);
  copy_text(user->home, sizeof user->home, line->home);
}

static int add_groups(struct user *user) {
  struct bytes text;
  user->groups[user->group_count++] = user->gid;
  int error = read_text("/etc/group", &text);
  if (error == ENOENT) return 0;
  if (error != 0) return error;
  struct bytes name = {(const uint8_t *)user->name, strlen(user->name)};
  user->group_count += group_memberships(text, name, user->groups + 1, GROUPS_MAX - 1);
  free((void *)(uintptr_t)text.data);
  return 0;
}

static int find_in_passwd(struct bytes spec, struct user *user) {
  struct bytes text = {NULL, 0};
  struct passwd_line line = {.uid = 0};
  uint32_t uid = 0;
  bool numeric = parse_id(spec, &uid);
  int error = read_text("/etc/passwd", &text);
  if (error != 0 && !(numeric && error == ENOENT)) return error;
  bool found = passwd_by_name(text, spec, &line) || (numeric && passwd_by_uid(text, uid, &line));
  if (found)
    use_line(user, &line);
  else if (numeric)
    *user = (struct user){.uid = uid, .gid = uid, .home = "/"};
  free((void *)(uintptr_t)text.data);
  if (!found && !numeric) return ENOENT;
  if (found) return add_groups(user);
  user->groups[user->group_count++] = user->gid;
  return 0;
}

int user_find(const char *spec, struct user *user) {
  memset(user, 0, sizeof *user);
  if (*spec == '\0') {
    strcpy(user->name, "root");
    strcpy(user->home, "/root");
    user->group_count = 1; /* group 0 */
    return 0;
  }
  struct bytes rest = {(const uint8_t *)spec, strlen(spec)};
  if (strchr(spec, ':') == NULL) return find_in_passwd(rest, user);
  struct bytes uid = cut(&rest, ':');
  if (!parse_id(uid, &user->uid) || !parse_id(rest, &user->gid)) return EINVAL;
  strcpy(user->home, "/");
  user->groups[user->group_count++] = user->gid;
  struct bytes text = {NULL, 0};
  struct passwd_line line = {.uid = 0};
  /* An image's user is a pair. Its programs want the home of /etc/passwd; ids that it does not have are good, too. */
  if (read_text("/etc/passwd", &text) != 0) return 0;
  if (passwd_by_uid(text, user->uid, &line)) {
    copy_text(user->name, sizeof user->name, line.name);
    copy_text(user->home, sizeof user->home, line.home);
  }
  free((void *)(uintptr_t)text.data);
  return 0;
}
