#include "sink.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "list.h"
#include "loop.h"

/* Beyond this many the writer gets its SIGPIPE: a limit against a guest that collects them. */
enum { SINKS_MAX = 1024 };

struct sink {
  struct link all;
  struct source source;
  int fd;
};

static struct link all = {&all, &all};
static unsigned sinks;

static void sink_close(struct sink *sink) {
  list_remove(&sink->all);
  loop_close(sink->fd);
  sink->fd = -1;
  sinks--;
  loop_free_later(sink);
}

static void drain(struct source *source, uint32_t events) {
  (void)events;
  struct sink *sink = container_of(source, struct sink, source);
  if (sink->fd < 0) return;
  /* One pass per event: the level-triggered watch wakes the loop again for the rest. */
  static char nowhere[65536];
  ssize_t count = read(sink->fd, nowhere, sizeof nowhere);
  if (count == 0 || (count < 0 && errno != EAGAIN)) sink_close(sink);
}

void sink_open(int fd) {
  struct sink *sink = sinks < SINKS_MAX ? calloc(1, sizeof *sink) : NULL;
  if (sink == NULL) {
    close(fd);
    return;
  }
  sink->fd = fd;
  sink->source.ready = drain;
  sinks++;
  list_append(&all, &sink->all);
  if (loop_watch_level(fd, EPOLLIN, &sink->source) < 0) sink_close(sink);
}

void sinks_close(void) {
  while (!list_empty(&all)) sink_close(container_of(all.next, struct sink, all));
}
