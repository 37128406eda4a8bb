/* The event loop. Descriptors are watched edge-triggered (except loop_watch_level): their owners remember pending reads and writes. */
#ifndef PYRO_LOOP_H
#define PYRO_LOOP_H

#include <stdint.h>
#include <sys/epoll.h>

struct source {
  void (*ready)(struct source *source, uint32_t events);
};

int loop_init(void);
/* Watches `fd` until it is closed; `events` are EPOLLIN, EPOLLOUT, EPOLLPRI. */
int loop_watch(int fd, uint32_t events, struct source *source);
/* The same, reported again in every round while it holds. */
int loop_watch_level(int fd, uint32_t events, struct source *source);
/* Changes the events of a watched descriptor; EPOLLET in `events` makes the watch edge-triggered. */
void loop_change(int fd, uint32_t events, struct source *source);
void loop_unwatch(int fd);
/* Closes a watched descriptor. Closing alone does not end the watch: a child that has not exec'd yet may hold a copy, and
 * an event would then name memory that is gone. */
void loop_close(int fd);
/* Waits at most `timeout_ms` (-1: for ever) and calls each ready source once. */
void loop_wait(int timeout_ms);
/* Closes an unwatched descriptor at the end of the round, so that the round's frames go first. */
void loop_close_later(int fd);
/* Closes them now. */
void loop_close_now(void);
/* Frees memory with sources when no event of this round can name it. Its first bytes (a link, no source) are overwritten.
 * Until then a source with descriptor -1 ignores its events. */
void loop_free_later(void *memory);
void loop_free_now(void);

#endif
