#include "watched.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>

/* gcc's analyzer loses sight of what a bucket of unknown number holds. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wanalyzer-malloc-leak"
#endif

enum { BUCKETS = 2048 };

static struct watched *buckets[BUCKETS];
static unsigned count;

/* The link that holds the entry, or the end of its bucket. */
static struct watched **link_of(int descriptor) {
  struct watched **link = &buckets[(unsigned)descriptor % BUCKETS];
  while (*link != NULL && (*link)->descriptor != descriptor) link = &(*link)->next;
  return link;
}

static void drop(struct watched **link) {
  struct watched *gone = *link;
  *link = gone->next;
  free(gone->path);
  free(gone);
  count--;
}

struct watched *watched_find(int descriptor) {
  return *link_of(descriptor);
}

int watched_add(int descriptor, const char *path) {
  struct watched **link = link_of(descriptor);
  char *own = strdup(path);
  if (own == NULL) return ENOMEM;
  if (*link != NULL) {
    free((*link)->path);
    (*link)->path = own;
    return 0;
  }
  struct watched *made = count < WATCHED_MAX ? malloc(sizeof *made) : NULL;
  if (made == NULL) {
    free(own);
    return count < WATCHED_MAX ? ENOMEM : ENOSPC;
  }
  *made = (struct watched){.descriptor = descriptor, .path = own};
  *link = made;
  count++;
  return 0;
}

void watched_forget(int descriptor) {
  struct watched **link = link_of(descriptor);
  if (*link != NULL) drop(link);
}

static bool is_within(const char *path, const char *folder) {
  size_t size = strlen(folder);
  return size == 0 || (strncmp(path, folder, size) == 0 && (path[size] == '\0' || path[size] == '/'));
}

/* `path` with `to` in place of its beginning `from`; NULL when memory is out. */
static char *moved(const char *path, const char *from, const char *to) {
  const char *rest = path + strlen(from);
  size_t above = strlen(to), size = strlen(rest) + 1;
  char *made = malloc(above + size);
  if (made == NULL) return NULL;
  memcpy(made, to, above + 1);
  memcpy(made + above, rest, size);
  return made;
}

static bool move_one(struct watched *at, const char *from, const char *to) {
  char *old = at->path;
  at->path = moved(old, from, to);
  free(old);
  return at->path != NULL;
}

void watched_move(const char *from, const char *to) {
  for (unsigned i = 0; i < BUCKETS; i++) {
    for (struct watched **link = &buckets[i]; *link != NULL;) {
      if (is_within((*link)->path, from) && !move_one(*link, from, to))
        drop(link);
      else
        link = &(*link)->next;
    }
  }
}

void watched_end(int inotify, const char *path) {
  for (unsigned i = 0; i < BUCKETS; i++) {
    struct watched **link = &buckets[i];
    while (*link != NULL) {
      if (is_within((*link)->path, path)) {
        (void)inotify_rm_watch(inotify, (*link)->descriptor);
        drop(link);
      } else
        link = &(*link)->next;
    }
  }
}

void watched_clear(void) {
  for (unsigned i = 0; i < BUCKETS; i++)
    while (buckets[i] != NULL) drop(&buckets[i]);
}
