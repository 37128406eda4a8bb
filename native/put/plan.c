#include "plan.h"
#include "path.h"

#include <stdlib.h>
#include <string.h>

/* An owned NUL-terminated string; NULL if it is too long or the input ended. */
static char *take_text(struct plan *plan, struct input *input, size_t most, uint32_t *length, const char **problem, int *ended) {
  uint64_t count;
  if (input_number(input, 4, &count) != 0) {
    *ended = 1;
    return NULL;
  }
  if (count > most || plan->names + count + 1 > PUT_NAMES_MOST) {
    *problem = "a name is too long, or there are too many";
    return NULL;
  }
  char *text = malloc(count + 1);
  if (text == NULL) {
    *problem = "out of memory";
    return NULL;
  }
  if (input_take(input, text, count) != 0) {
    *ended = 1;
    free(text);
    return NULL;
  }
  text[count] = '\0';
  plan->names += count + 1;
  *length = (uint32_t)count;
  return text;
}

/* The folder of an entry: the previous entry, or one above that. */
static int find_parent(const struct plan *plan, struct entry *entry) {
  size_t folder_length;
  path_base(entry->path, &folder_length);
  for (uint32_t at = (uint32_t)plan->count - 1;; at = plan->entries[at].parent) {
    const struct entry *candidate = &plan->entries[at];
    if (candidate->type == 'd' && candidate->length == folder_length && memcmp(candidate->path, entry->path, folder_length) == 0) {
      entry->parent = at;
      return 1;
    }
    if (at == 0) return 0;
  }
}

static const char *check(const struct plan *plan, struct entry *entry) {
  if ((entry->type != 'd' && entry->type != 'f' && entry->type != 'l') || entry->mode > 0777)
    return "an entry is of no type, or of no mode, that can be written";
  if ((entry->type == 'f' ? entry->size > INT64_MAX - plan->bytes : entry->size != 0)) return "the sizes are more than a disk can hold";
  if (plan->count == 0) return entry->length == 0 ? NULL : "the first entry is not the root";
  if (entry->length == 0 || !plain_path(entry->path, entry->length)) return "a path leads elsewhere";
  return find_parent(plan, entry) ? NULL : "an entry is not in the folder before it";
}

static int grow(struct plan *plan) {
  if (plan->count < plan->room) return 1;
  size_t room = plan->room == 0 ? 256 : 2 * plan->room;
  struct entry *entries = realloc(plan->entries, room * sizeof *entries);
  if (entries == NULL) return 0;
  plan->entries = entries;
  plan->room = room;
  return 1;
}

const char *plan_read(struct plan *plan, struct input *input, int *ended) {
  *ended = 0;
  for (;;) {
    struct entry entry = {0};
    const char *problem = NULL;
    uint64_t type, mode;
    if (input_number(input, 1, &type) != 0) break;
    if (type == 'e') return plan->count == 0 ? "there are no entries" : NULL;
    if (plan->count == PUT_ENTRIES_MOST) return "there are too many entries";
    if (input_number(input, 2, &mode) != 0 || input_number(input, 8, &entry.size) != 0) break;
    entry.timed = type == 't';
    entry.type = entry.timed ? 'f' : (char)type;
    entry.mode = (uint16_t)mode;
    uint32_t target = 0;
    entry.path = take_text(plan, input, PUT_PATH_MOST, &entry.length, &problem, ended);
    if (entry.path != NULL) problem = check(plan, &entry);
    uint64_t time_ns = 0;
    if (entry.path != NULL && entry.timed && input_number(input, 8, &time_ns) != 0) *ended = 1;
    entry.time_ns = (int64_t)time_ns;
    if (entry.path != NULL && problem == NULL && entry.type == 'l') {
      entry.target = take_text(plan, input, PUT_TARGET_MOST, &target, &problem, ended);
      if (entry.target != NULL && (target == 0 || strlen(entry.target) != target)) problem = "a link leads nowhere";
    }
    if (*ended == 0 && problem == NULL && !grow(plan)) problem = "out of memory";
    if (*ended != 0 || problem != NULL) {
      free(entry.path);
      free(entry.target);
      return problem == NULL ? "the input ended" : problem;
    }
    plan->bytes += entry.size;
    plan->entries[plan->count++] = entry;
  }
  *ended = 1;
  return "the input ended";
}

void plan_free(struct plan *plan) {
  for (size_t i = 0; i < plan->count; i++) {
    free(plan->entries[i].path);
    free(plan->entries[i].target);
  }
  free(plan->entries);
}
