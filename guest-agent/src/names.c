#include "names.h"

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "kernel.h"

/* Directories are read one inside the other, thousands of them: buffers that were freed are taken again. */
struct buffers {
  struct buffers *next;
  struct name *items;
  char *texts;
  size_t items_room, texts_room;
};

static struct buffers *spares;

static struct buffers *take_buffers(void) {
  struct buffers *buffers = spares;
  if (buffers == NULL) return calloc(1, sizeof *buffers);
  spares = buffers->next;
  return buffers;
}

static int make_room_for_item(struct buffers *buffers, size_t count) {
  if (count < buffers->items_room) return 0;
  size_t room = buffers->items_room == 0 ? 64 : 2 * buffers->items_room;
  struct name *items = realloc(buffers->items, room * sizeof *items);
  if (items == NULL) return ENOMEM;
  buffers->items = items;
  buffers->items_room = room;
  return 0;
}

/* Texts move when they need more room, and the names move with them. */
static int make_room_for_text(struct buffers *buffers, size_t count, size_t used, size_t length) {
  if (buffers->texts_room - used >= length) return 0;
  size_t room = 2 * buffers->texts_room + 4096;
  char *texts = malloc(room);
  if (texts == NULL) return ENOMEM;
  if (used > 0) memcpy(texts, buffers->texts, used);
  for (size_t i = 0; i < count; i++) buffers->items[i].text = texts + (buffers->items[i].text - buffers->texts);
  free(buffers->texts);
  buffers->texts = texts;
  buffers->texts_room = room;
  return 0;
}

/* What getdents64(2) fills in. */
struct record {
  uint64_t inode;
  int64_t offset;
  uint16_t size;
  uint8_t type;
  char name[];
};

static int read_all(int fd, const char *skip, struct names *names) {
  static _Alignas(struct record) char chunk[32 * 1024];
  struct buffers *buffers = names->buffers;
  size_t used = 0;
  for (;;) {
    long size = syscall(SYS_getdents64, fd, chunk, sizeof chunk);
    if (size <= 0) return size < 0 ? errno : 0;
    const struct record *record;
    for (long at = 0; at < size; at += record->size) {
      record = (const struct record *)(chunk + at);
      const char *name = record->name;
      if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcasecmp(name, skip) == 0) continue;
      size_t length = strlen(name) + 1;
      int error = make_room_for_text(buffers, names->count, used, length);
      if (error == 0) error = make_room_for_item(buffers, names->count);
      if (error != 0) return error;
      buffers->items[names->count++] = (struct name){memcpy(buffers->texts + used, name, length), record->type == DT_DIR};
      used += length;
    }
  }
}

static int in_order(const void *a, const void *b) {
  return strcmp(((const struct name *)a)->text, ((const struct name *)b)->text);
}

int names_read(int fd, const char *skip, struct names *names) {
  *names = (struct names){.buffers = take_buffers()};
  if (names->buffers == NULL) return ENOMEM;
  int error = read_all(fd, skip, names);
  if (error != 0) {
    names_free(names);
    return error;
  }
  names->items = names->buffers->items;
  if (names->count > 1) qsort(names->items, names->count, sizeof *names->items, in_order);
  return 0;
}

void names_free(struct names *names) {
  if (names->buffers != NULL) {
    names->buffers->next = spares;
    spares = names->buffers;
  }
  *names = (struct names){0};
}
