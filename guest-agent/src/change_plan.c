#include "change_plan.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "small_file.h"

enum { BUFFER = 64 * 1024 };

/* Descriptor 0 through a buffer. */
struct reader {
  uint8_t buffer[BUFFER];
  size_t at, end;
};

static int fill(struct reader *reader) {
  for (;;) {
    ssize_t count = read(STDIN_FILENO, reader->buffer, BUFFER);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    reader->at = 0;
    reader->end = (size_t)count;
    return 0;
  }
}

static int take(struct reader *reader, void *to, size_t size) {
  uint8_t *at = to;
  while (size > 0) {
    if (reader->at == reader->end) {
      int error = fill(reader);
      if (error != 0) return error;
      if (reader->end == 0) return EBADMSG;
    }
    size_t count = reader->end - reader->at < size ? reader->end - reader->at : size;
    memcpy(at, reader->buffer + reader->at, count);
    reader->at += count;
    at += count;
    size -= count;
  }
  return 0;
}

static int take_number(struct reader *reader, uint64_t *value, size_t bytes) {
  uint8_t raw[8];
  int error = take(reader, raw, bytes);
  *value = 0;
  for (size_t i = 0; error == 0 && i < bytes; i++) *value = *value << 8 | raw[i];
  return error;
}

static int take_text(struct reader *reader, char text[PATH_MAX]) {
  uint64_t size = 0;
  int error = take_number(reader, &size, 4);
  if (error != 0) return error;
  if (size >= PATH_MAX) return EBADMSG;
  error = take(reader, text, (size_t)size);
  text[size] = '\0';
  return error != 0 ? error : memchr(text, '\0', (size_t)size) != NULL ? EBADMSG : 0;
}

static int stage_content(struct reader *reader, int fd) {
  uint64_t left = 0;
  int error = take_number(reader, &left, 8);
  while (error == 0 && left > 0) {
    if (reader->at == reader->end) {
      error = fill(reader);
      if (error == 0 && reader->end == 0) error = EBADMSG;
      continue;
    }
    size_t count = reader->end - reader->at < left ? reader->end - reader->at : (size_t)left;
    error = write_all(fd, reader->buffer + reader->at, count);
    reader->at += count;
    left -= count;
  }
  return error;
}

static int stage_file(struct reader *reader, int stage, const char *name) {
  int fd = openat(stage, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return errno;
  int error = stage_content(reader, fd);
  if (close(fd) < 0 && error == 0) error = errno;
  return error;
}

static int stage_link(struct reader *reader, int stage, const char *name) {
  char target[PATH_MAX];
  int error = take_text(reader, target);
  return error != 0 ? error : symlinkat(target, stage, name) < 0 ? errno : 0;
}

static int take_seen(struct reader *reader, struct seen *seen) {
  int error = take_number(reader, &seen->ino, 8);
  if (error == 0) error = take_number(reader, &seen->size, 8);
  if (error == 0) error = take_number(reader, &seen->mtime_ns, 8);
  return error != 0 ? error : take_number(reader, &seen->ctime_ns, 8);
}

static int take_place(struct reader *reader, const struct changes *changes, struct change *change) {
  uint64_t mode = 0, taken = 0;
  int error = take_number(reader, &mode, 4);
  if (error == 0) error = take_number(reader, &taken, 4);
  if (error != 0) return error;
  bool is_taken = taken > 0 && taken <= changes->count && changes->items[taken - 1].kind == CHANGE_TAKE;
  if ((taken != 0 || change->kind == CHANGE_MOVE) && !is_taken) return EBADMSG;
  change->mode = (uint32_t)mode & 0777;
  change->taken = (uint32_t)taken;
  return 0;
}

static int take_record(struct reader *reader, const struct changes *changes, struct change *change, int stage) {
  char path[PATH_MAX], name[STAGED_NAME_MAX];
  uint64_t kind = 0;
  int error = take_number(reader, &kind, 1);
  if (error == 0) error = take_text(reader, path);
  if (error != 0) return error;
  change_staged_name(name, changes->count + 1);
  change->kind = (enum change_kind)kind;
  switch (change->kind) {
    case CHANGE_TAKE: error = take_seen(reader, &change->seen); break;
    case CHANGE_FILE:
      error = take_place(reader, changes, change);
      if (error == 0) error = stage_file(reader, stage, name);
      break;
    case CHANGE_LINK: error = stage_link(reader, stage, name); break;
    case CHANGE_MOVE: error = take_place(reader, changes, change); break;
    default: return EBADMSG;
  }
  if (error != 0) return error;
  change->path = strdup(path);
  return change->path == NULL ? ENOMEM : 0;
}

static int make_room(struct changes *changes) {
  if (changes->count < changes->room) return 0;
  if (changes->count >= CHANGES_MAX) return E2BIG;
  uint32_t room = changes->room == 0 ? 64 : 2 * changes->room;
  struct change *items = realloc(changes->items, room * sizeof *items);
  if (items == NULL) return ENOMEM;
  changes->items = items;
  changes->room = room;
  return 0;
}

int changes_read(struct changes *changes, int stage) {
  static struct reader reader;
  for (;;) {
    if (reader.at == reader.end) {
      int error = fill(&reader);
      if (error != 0 || reader.end == 0) return error;
    }
    int error = make_room(changes);
    if (error != 0) return error;
    struct change *change = &changes->items[changes->count];
    memset(change, 0, sizeof *change);
    error = take_record(&reader, changes, change, stage);
    if (error != 0) return error;
    changes->count++;
  }
}

void changes_free(struct changes *changes) {
  for (uint32_t i = 0; i < changes->count; i++) free(changes->items[i].path);
  free(changes->items);
}

void change_staged_name(char name[STAGED_NAME_MAX], uint32_t number) { snprintf(name, STAGED_NAME_MAX, "%u", number); }
