/* A doubly linked list whose links lie in the members. */
#ifndef PYRO_LIST_H
#define PYRO_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct link {
  struct link *prev, *next; /* both NULL when in no list */
};

/* A list's head is a link of its own: { &head, &head } when empty. */
static inline void list_init(struct link *head) { head->prev = head->next = head; }
static inline bool list_empty(const struct link *head) { return head->next == head; }
static inline bool link_in_list(const struct link *link) { return link->next != NULL; }

static inline void list_append(struct link *head, struct link *link) {
  link->prev = head->prev;
  link->next = head;
  head->prev->next = link;
  head->prev = link;
}

static inline void list_remove(struct link *link) {
  if (link->next == NULL) return;
  link->prev->next = link->next;
  link->next->prev = link->prev;
  link->prev = link->next = NULL;
}

/* Its versions format the minus in different ways. */
/* clang-format off */
#define container_of(pointer, type, member) ((type *)(void *)((char *)(pointer) - offsetof(type, member)))
/* clang-format on */

#endif
