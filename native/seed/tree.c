#include "tree.h"

#include "seed.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { FIRST_BUCKETS = 1024 };

void tree_start(struct tree *tree, size_t entry_limit, int64_t implied_mtime) {
  memset(tree, 0, sizeof *tree);
  tree->entry_limit = entry_limit;
  tree->implied_mtime = implied_mtime;
  tree->bucket_count = FIRST_BUCKETS;
  tree->buckets = arena(FIRST_BUCKETS * sizeof(struct entry *));
  /* A random key, so that no source can choose names that all fall into one bucket. */
  if (getrandom(&tree->hash_key, sizeof tree->hash_key, 0) < 0) tree->hash_key = 0;
  tree->top = tree_file(KIND_DIRECTORY);
  tree->top->mode = 0755;
  tree->top->mtime = implied_mtime;
}

struct file *tree_file(enum file_kind kind) {
  struct file *file = arena(sizeof *file);
  file->kind = kind;
  if (kind == KIND_DIRECTORY) file->links = 2;
  return file;
}

static uint64_t scramble(uint64_t value) {
  value = (value ^ (value >> 32)) * 0xd6e8feb86659fd93u;
  value = (value ^ (value >> 32)) * 0xd6e8feb86659fd93u;
  return value ^ (value >> 32);
}

static uint64_t hash_of(const struct tree *tree, const struct file *directory, const char *name, size_t length) {
  uint64_t hash = scramble(tree->hash_key ^ (uint64_t)(uintptr_t)directory), word;
  for (; length >= sizeof word; name += sizeof word, length -= sizeof word) {
    memcpy(&word, name, sizeof word);
    hash = scramble(hash ^ word ^ tree->hash_key);
  }
  word = length;
  memcpy((char *)&word + 1, name, length);
  return scramble(hash ^ word);
}

struct entry *tree_find(const struct tree *tree, const struct file *directory, const char *name, size_t length) {
  uint64_t hash = hash_of(tree, directory, name, length);
  struct entry *entry = tree->buckets[hash & (tree->bucket_count - 1)];
  while (entry != NULL &&
         (entry->hash != hash || entry->parent != directory || entry->length != length || memcmp(entry->name, name, length) != 0))
    entry = entry->next_in_bucket;
  return entry;
}

static void grow(struct tree *tree) {
  size_t count = tree->bucket_count * 4;
  struct entry **buckets = arena(count * sizeof *buckets);
  for (size_t i = 0; i < tree->bucket_count; i++) {
    struct entry *entry = tree->buckets[i], *next;
    for (; entry != NULL; entry = next) {
      next = entry->next_in_bucket;
      entry->next_in_bucket = buckets[entry->hash & (count - 1)];
      buckets[entry->hash & (count - 1)] = entry;
    }
  }
  tree->buckets = buckets;
  tree->bucket_count = count;
}

static void add_child(struct file *directory, struct entry *entry) {
  if (directory->child_count == directory->child_room) {
    uint32_t room = directory->child_room == 0 ? 8 : directory->child_room * 2;
    struct entry **children = arena(room * sizeof(struct entry *));
    if (directory->child_count > 0) memcpy(children, directory->children, directory->child_count * sizeof *children);
    directory->children = children;
    directory->child_room = room;
  }
  directory->children[directory->child_count++] = entry;
}

struct entry *tree_add(struct tree *tree, struct file *directory, const char *name, size_t length, struct file *file) {
  if (tree->entry_count >= tree->entry_limit)
    die(SEED_REJECTED, "more than %zu files, a disk of this size has no room for more", tree->entry_limit);
  if (++tree->entry_count > tree->bucket_count * 2) grow(tree);
  struct entry *entry = arena(sizeof *entry);
  entry->parent = directory;
  entry->name = arena_text(name, length);
  entry->length = (uint8_t)length;
  entry->hash = hash_of(tree, directory, name, length);
  entry->file = file;
  entry->next_in_bucket = tree->buckets[entry->hash & (tree->bucket_count - 1)];
  tree->buckets[entry->hash & (tree->bucket_count - 1)] = entry;
  add_child(directory, entry);
  if (file->kind == KIND_DIRECTORY) {
    file->self = entry;
    directory->links++;
  } else {
    file->links++;
  }
  return entry;
}

/* One step down from `folder`; makes a missing directory if `make` is set. */
static int descend(struct tree *tree, struct file **folder, const char *name, size_t length, bool make) {
  struct entry *entry = tree_find(tree, *folder, name, length);
  if (entry == NULL && !make) return TREE_ABSENT;
  if (entry == NULL) {
    struct file *made = tree_file(KIND_DIRECTORY);
    made->mode = 0755;
    made->mtime = tree->implied_mtime;
    made->implied = true;
    entry = tree_add(tree, *folder, name, length, made);
  }
  if (entry->file->kind != KIND_DIRECTORY) return TREE_NOT_A_DIRECTORY;
  *folder = entry->file;
  return TREE_OK;
}

/* The next name of a path from *at on, "." and empty ones passed over; its length, or 0 at the end. */
static size_t next_name(const char **at, const char *end, const char **name) {
  while (*at < end) {
    const char *stop = memchr(*at, '/', (size_t)(end - *at));
    size_t length = (size_t)((stop == NULL ? end : stop) - *at);
    *name = *at;
    *at += length + (stop != NULL);
    if (length > 0 && !(length == 1 && **name == '.')) return length;
  }
  return 0;
}

/* Checks the whole path before its first part is made. */
static int check_path(const char *at, const char *end) {
  const char *name;
  size_t used = 0, length;
  if (at < end && *at == '/') return TREE_BAD_NAME;
  while ((length = next_name(&at, end, &name)) > 0) {
    if (length == 2 && name[0] == '.' && name[1] == '.') return TREE_BAD_NAME;
    used += length + 1;
    if (length > NAME_LIMIT || used > PATH_LIMIT + 1) return TREE_TOO_DEEP;
  }
  return TREE_OK;
}

int tree_locate(struct tree *tree, const char *path, size_t path_length, bool make, struct file **directory, const char **name,
                size_t *length) {
  const char *at = path, *end = path + path_length, *next;
  size_t next_length;
  int result = check_path(path, end);
  *directory = tree->top;
  *name = path;
  *length = 0;
  if (result != TREE_OK) return result;
  *length = next_name(&at, end, name);
  while ((next_length = next_name(&at, end, &next)) > 0) {
    result = descend(tree, directory, *name, *length, make);
    if (result != TREE_OK) return result;
    *name = next;
    *length = next_length;
  }
  return TREE_OK;
}

const char *tree_path(const struct entry *entry) {
  static char path[PATH_LIMIT + NAME_LIMIT + 2];
  char *at = path + sizeof path - 1;
  *at = '\0';
  for (; entry != NULL; entry = entry->parent->self) {
    if ((size_t)(at - path) < entry->length + 1u) return at;
    if (*at != '\0') *--at = '/';
    at -= entry->length;
    memcpy(at, entry->name, entry->length);
  }
  return at;
}

static int by_name(const void *left, const void *right) {
  const struct entry *a = *(struct entry *const *)left, *b = *(struct entry *const *)right;
  int difference = memcmp(a->name, b->name, a->length < b->length ? a->length : b->length);
  return difference != 0 ? difference : (int)a->length - (int)b->length;
}

void tree_order(struct tree *tree) {
  size_t room = 64, count = 1;
  struct file **list = arena(room * sizeof(struct file *));
  list[0] = tree->top;
  for (size_t i = 0; i < count; i++) { /* a list that grows during the walk, since recursion has a depth */
    struct file *directory = list[i];
    if (directory->child_count > 1) qsort(directory->children, directory->child_count, sizeof(struct entry *), by_name);
    for (uint32_t c = 0; c < directory->child_count; c++) {
      if (directory->children[c]->file->kind != KIND_DIRECTORY) continue;
      if (count == room) {
        struct file **more = arena(2 * room * sizeof(struct file *));
        memcpy(more, list, room * sizeof *list);
        list = more;
        room *= 2;
      }
      list[count++] = directory->children[c]->file;
    }
  }
  tree->directories = list;
  tree->directory_count = count;
}
