#include "loop.h"

#include <stdlib.h>
#include <unistd.h>

static int epoll_fd = -1;

/* Memory waiting for the end of the round, chained through its first bytes. */
struct garbage {
  struct garbage *next;
};
static struct garbage *garbage;

/* Descriptors that are closed at the end of the round. */
enum { LEFTOVERS_MAX = 16 };
static int leftovers[LEFTOVERS_MAX];
static unsigned leftover_count;

void loop_close_now(void) {
  while (leftover_count > 0) close(leftovers[--leftover_count]);
}

int loop_init(void) {
  epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  return epoll_fd < 0 ? -1 : 0;
}

int loop_watch(int fd, uint32_t events, struct source *source) {
  struct epoll_event event = {.events = events | EPOLLET, .data.ptr = source};
  return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

int loop_watch_level(int fd, uint32_t events, struct source *source) {
  struct epoll_event event = {.events = events, .data.ptr = source};
  return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

void loop_change(int fd, uint32_t events, struct source *source) {
  struct epoll_event event = {.events = events, .data.ptr = source};
  epoll_ctl(epoll_fd, EPOLL_CTL_MOD, fd, &event);
}

void loop_unwatch(int fd) { epoll_ctl(epoll_fd, EPOLL_CTL_DEL, fd, NULL); }

void loop_close(int fd) {
  loop_unwatch(fd);
  close(fd);
}

void loop_wait(int timeout_ms) {
  enum { EVENTS_PER_ROUND = 64 };
  struct epoll_event events[EVENTS_PER_ROUND];
  int count = epoll_wait(epoll_fd, events, EVENTS_PER_ROUND, timeout_ms);
  for (int i = 0; i < count; i++) {
    struct source *source = events[i].data.ptr;
    source->ready(source, events[i].events);
  }
}

void loop_close_later(int fd) {
  if (leftover_count == LEFTOVERS_MAX) loop_close_now();
  leftovers[leftover_count++] = fd;
}

void loop_free_later(void *memory) {
  struct garbage *item = memory;
  item->next = garbage;
  garbage = item;
}

void loop_free_now(void) {
  loop_close_now();
  while (garbage != NULL) {
    struct garbage *item = garbage;
    garbage = item->next;
    free(item);
  }
}
