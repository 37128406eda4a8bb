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
/* The same, level-triggered: every round reports the events that hold. */
int loop_watch_level(int fd, uint32_t events, struct source *source);
/* Changes the events of a watched descriptor; EPOLLET in `events` makes the watch edge-triggered. */
void loop_change(int fd, uint32_t events, struct source *source);
void loop_unwatch(int fd);
/* Ends the watch of a descriptor and closes it. A close alone does not end the watch while a child before its exec has a copy
 * of the descriptor: an event would then point to freed memory. */
void loop_close(int fd);
/* Waits at most `timeout_ms` (-1: for ever) and calls each ready source once. */
void loop_wait(int timeout_ms);
/* Closes an unwatched descriptor at the end of the round, so that the round's frames go first. */
void loop_close_later(int fd);
/* Closes the descriptors of loop_close_later. */
void loop_close_now(void);
/* Frees memory with sources at the end of the round, because an event of this round may still point to a source. The first
 * bytes of the memory (a link, no source) are overwritten. Until the end, a source with descriptor -1 ignores its events. */
void loop_free_later(void *memory);
void loop_free_now(void);

#endif
