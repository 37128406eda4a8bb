#include "ssh.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The length comes first. */
static uint8_t reply[4 + MESSAGE_MAX];
static size_t length;

uint8_t *put_room(size_t bytes) {
  if (bytes > sizeof reply - length) abort();
  uint8_t *room = reply + length;
  length += bytes;
  return room;
}

static void put_number(uint64_t value, size_t bytes) {
  uint8_t *room = put_room(bytes);
  for (size_t i = 0; i < bytes; i++) room[i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
}

void put_u8(uint8_t value) { put_number(value, 1); }
void put_u32(uint32_t value) { put_number(value, 4); }
void put_u64(uint64_t value) { put_number(value, 8); }

void put_bytes(const void *bytes, size_t count) {
  put_u32((uint32_t)count);
  memcpy(put_room(count), bytes, count);
}

void put_text(const char *text) { put_bytes(text, strlen(text)); }

void put_stat(const struct stat *stat) {
  put_u32(HAS_SIZE | HAS_OWNER | HAS_MODE | HAS_TIMES);
  put_u64((uint64_t)stat->st_size);
  put_u32(stat->st_uid);
  put_u32(stat->st_gid);
  put_u32(stat->st_mode);
  put_u32((uint32_t)stat->st_atime);
  put_u32((uint32_t)stat->st_mtime);
}

void begin_reply(uint8_t type, uint32_t id) {
  length = 4;
  put_u8(type);
  put_u32(id);
}

size_t reply_length(void) { return length; }

void cut_reply(size_t position) { length = position; }

void patch_u32(size_t position, uint32_t value) {
  size_t end = length;
  length = position;
  put_u32(value);
  length = end;
}

void send_reply(void) {
  patch_u32(0, (uint32_t)(length - 4));
  for (size_t done = 0; done < length;) {
    ssize_t written = write(STDOUT_FILENO, reply + done, length - done);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) exit(0);
    done += (size_t)written;
  }
}

/* The name of a number, as /etc/passwd or /etc/group has it. A directory's entries have few owners, so the last one is kept. */
static const char *user_name(uid_t uid) {
  static uid_t last = (uid_t)-1;
  static char name[32];
  if (uid == last) return name;
  struct passwd *user = getpwuid(uid);
  if (user == NULL)
    snprintf(name, sizeof name, "%u", uid);
  else
    snprintf(name, sizeof name, "%s", user->pw_name);
  last = uid;
  return name;
}

static const char *group_name(gid_t gid) {
  static gid_t last = (gid_t)-1;
  static char name[32];
  if (gid == last) return name;
  struct group *group = getgrgid(gid);
  if (group == NULL)
    snprintf(name, sizeof name, "%u", gid);
  else
    snprintf(name, sizeof name, "%s", group->gr_name);
  last = gid;
  return name;
}

static char letter_of(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFDIR: return 'd';
    case S_IFLNK: return 'l';
    case S_IFCHR: return 'c';
    case S_IFBLK: return 'b';
    case S_IFIFO: return 'p';
    case S_IFSOCK: return 's';
    default: return '-';
  }
}

void long_name(char *line, size_t size, const char *name, const struct stat *stat) {
  char mode[11] = "?rwxrwxrwx";
  mode[0] = letter_of(stat->st_mode);
  for (int bit = 0; bit < 9; bit++) {
    if (!(stat->st_mode & (0400u >> bit))) mode[bit + 1] = '-';
  }
  if (stat->st_mode & S_ISUID) mode[3] = stat->st_mode & S_IXUSR ? 's' : 'S';
  if (stat->st_mode & S_ISGID) mode[6] = stat->st_mode & S_IXGRP ? 's' : 'S';
  if (stat->st_mode & S_ISVTX) mode[9] = stat->st_mode & S_IXOTH ? 't' : 'T';
  char when[32] = "?";
  struct tm parts;
  time_t now = time(NULL);
  bool is_recent = now - stat->st_mtime < 182 * 86400 && stat->st_mtime <= now;
  if (localtime_r(&stat->st_mtime, &parts) != NULL) strftime(when, sizeof when, is_recent ? "%b %e %H:%M" : "%b %e  %Y", &parts);
  snprintf(line, size, "%s %3u %-8.31s %-8.31s %8llu %s %s", mode, (unsigned)stat->st_nlink, user_name(stat->st_uid),
           group_name(stat->st_gid), (unsigned long long)stat->st_size, when, name);
}
