#include "names.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* While the directory is read, texts may move: names are offsets into them. */
struct reading {
  struct entry {
    size_t at;
    bool directory;
  } *entries;
  size_t count, room;
  char *texts;
  size_t texts_size, texts_room;
};

static int add(struct reading *reading, const struct dirent *entry) {
  size_t length = strlen(entry->d_name) + 1;
  if (reading->count == reading->room) {
    size_t room = reading->room == 0 ? 64 : 2 * reading->room;
    struct entry *entries = realloc(reading->entries, room * sizeof *entries);
    if (entries == NULL) return ENOMEM;
    reading->entries = entries;
    reading->room = room;
  }
  if (reading->texts_room - reading->texts_size < length) {
    size_t room = 2 * reading->texts_room + 4096;
    char *texts = realloc(reading->texts, room);
    if (texts == NULL) return ENOMEM;
    reading->texts = texts;
    reading->texts_room = room;
  }
  reading->entries[reading->count++] = (struct entry){reading->texts_size, entry->d_type == DT_DIR};
  memcpy(reading->texts + reading->texts_size, entry->d_name, length);
  reading->texts_size += length;
  return 0;
}

static int read_all(DIR *directory, const char *skip, struct reading *reading) {
  for (;;) {
    errno = 0;
    const struct dirent *entry = readdir(directory);
    if (entry == NULL) return errno;
    const char *name = entry->d_name;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcasecmp(name, skip) == 0) continue;
    int error = add(reading, entry);
    if (error != 0) return error;
  }
}

static int in_order(const void *a, const void *b) {
  return strcmp(((const struct name *)a)->text, ((const struct name *)b)->text);
}

int names_read(int fd, const char *skip, struct names *names) {
  struct reading reading = {0};
  *names = (struct names){0};
  int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (own < 0) return errno;
  DIR *directory = fdopendir(own);
  if (directory == NULL) {
    int error = errno;
    close(own);
    return error;
  }
  int error = read_all(directory, skip, &reading);
  closedir(directory);
  names->texts = reading.texts;
  if (error == 0 && reading.count > 0) {
    names->items = malloc(reading.count * sizeof *names->items);
    if (names->items == NULL) error = ENOMEM;
  }
  for (size_t i = 0; names->items != NULL && i < reading.count; i++)
    names->items[i] = (struct name){reading.texts + reading.entries[i].at, reading.entries[i].directory};
  free(reading.entries);
  if (error != 0) {
    names_free(names);
    return error;
  }
  names->count = reading.count;
  if (names->count > 1) qsort(names->items, names->count, sizeof *names->items, in_order);
  return 0;
}

void names_free(struct names *names) {
  free(names->items);
  free(names->texts);
  *names = (struct names){0};
}
