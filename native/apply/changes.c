#include "changes.h"
#include "../put/path.h"

#include <stdlib.h>
#include <string.h>

static const char *take_side(struct changes *changes, struct input *input, struct side *side, int *ended) {
  uint64_t kind;
  if (input_number(input, 1, &kind) != 0 || input_number(input, 8, &side->size) != 0) {
    *ended = 1;
    return NULL;
  }
  side->kind = (char)kind;
  if (kind > 127 || kind == 0 || strchr("-fxl", (int)kind) == NULL) return "a file is of no type that can be written";
  if (side->kind == '-' && side->size != 0) return "what is not there has a size";
  if (side->kind == 'l' && (side->size == 0 || side->size > APPLY_TARGET_MOST)) return "a link leads nowhere";
  if (side->size > INT64_MAX - changes->bytes) return "the sizes are more than a disk can hold";
  changes->bytes += side->size;
  return NULL;
}

static const char *take_path(struct changes *changes, struct input *input, struct change *change, int *ended) {
  uint64_t length;
  if (input_number(input, 4, &length) != 0) {
    *ended = 1;
    return NULL;
  }
  if (length > APPLY_PATH_MOST || changes->names + length + 1 > APPLY_NAMES_MOST) return "a name is too long, or there are too many";
  change->path = malloc(length + 1);
  if (change->path == NULL) return "out of memory";
  if (input_take(input, change->path, length) != 0) {
    *ended = 1;
    return NULL;
  }
  change->path[length] = '\0';
  changes->names += length + 1;
  return length > 0 && plain_path(change->path, length) ? NULL : "a path leads elsewhere";
}

static int grow(struct changes *changes) {
  if (changes->count < changes->room) return 1;
  size_t room = changes->room == 0 ? 256 : 2 * changes->room;
  struct change *list = realloc(changes->list, room * sizeof *list);
  if (list == NULL) return 0;
  changes->list = list;
  changes->room = room;
  return 1;
}

const char *changes_read(struct changes *changes, struct input *input, int *ended) {
  *ended = 0;
  for (;;) {
    struct change change = {0};
    uint64_t tag;
    if (input_number(input, 1, &tag) != 0) break;
    if (tag == 'e') return NULL;
    if (tag != 'c') return "there is something else than a change";
    if (changes->count == APPLY_CHANGES_MOST) return "there are too many changes";
    const char *problem = take_path(changes, input, &change, ended);
    if (problem == NULL && *ended == 0) problem = take_side(changes, input, &change.old, ended);
    if (problem == NULL && *ended == 0) problem = take_side(changes, input, &change.new, ended);
    if (problem == NULL && *ended == 0 && change.old.kind == '-' && change.new.kind == '-') problem = "a change has no side";
    if (problem == NULL && *ended == 0 && !grow(changes)) problem = "out of memory";
    if (problem != NULL || *ended != 0) {
      free(change.path);
      return problem == NULL ? "the input ended" : problem;
    }
    changes->list[changes->count++] = change;
  }
  *ended = 1;
  return "the input ended";
}

void changes_free(struct changes *changes) {
  for (size_t i = 0; i < changes->count; i++) free(changes->list[i].path);
  free(changes->list);
}
