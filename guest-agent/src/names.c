#include "names.h"

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "kernel.h"

/* Nested directories are read by the thousand, so freed memory is used again. */
enum { SPARES_MAX = 16 };
static struct names spares[SPARES_MAX];
static size_t spare_count;

static int make_room_for_item(struct names *names) {
  if (names->count < names->items_room) return 0;
  size_t room = names->items_room == 0 ? 64 : 2 * names->items_room;
  struct name *items = realloc(names->items, room * sizeof *items);
  if (items == NULL) return ENOMEM;
  names->items = items;
  names->items_room = room;
  return 0;
}

/* Texts move when they need more room, and the names move with them. */
static int make_room_for_text(struct names *names, size_t used, size_t length) {
  if (names->texts_room - used >= length) return 0;
  size_t room = 2 * names->texts_room + 4096;
  char *texts = malloc(room);
  if (texts == NULL) return ENOMEM;
  if (used > 0) memcpy(texts, names->texts, used);
  for (size_t i = 0; i < names->count; i++) names->items[i].text = texts + (names->items[i].text - names->texts);
  free(names->texts);
  names->texts = texts;
  names->texts_room = room;
  return 0;
}

/* Record of getdents64(2). */
struct record {
  uint64_t inode;
  int64_t offset;
  uint16_t size;
  uint8_t type;
  char name[];
};

static int read_all(int fd, const char *skip, struct names *names) {
  static _Alignas(struct record) char chunk[32 * 1024];
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
      int error = make_room_for_text(names, used, length);
      if (error == 0) error = make_room_for_item(names);
      if (error != 0) return error;
      names->items[names->count++] = (struct name){memcpy(names->texts + used, name, length), record->type == DT_DIR};
      used += length;
    }
  }
}

static int in_order(const void *a, const void *b) { return strcmp(((const struct name *)a)->text, ((const struct name *)b)->text); }

int names_read(int fd, const char *skip, struct names *names) {
  *names = spare_count > 0 ? spares[--spare_count] : (struct names){0};
  int error = read_all(fd, skip, names);
  if (error != 0) {
    names_free(names);
    return error;
  }
  if (names->count > 1) qsort(names->items, names->count, sizeof *names->items, in_order);
  return 0;
}

void names_free(struct names *names) {
  names->count = 0;
  if (names->texts != NULL && spare_count < SPARES_MAX) {
    spares[spare_count++] = *names;
  } else {
    free(names->items);
    free(names->texts);
  }
  *names = (struct names){0};
}
