#include "port.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop.h"
#include "wire.h"

/* A virtio port without a host reports a hang-up all the time, so its watch is then edge-triggered. The poll finds a lost edge. */
enum { HANGUP_POLL_MS = 500 };
/* Two frames: a control frame always fits while another is half sent. */
enum { WAITING_CAPACITY = 2 * FRAME_MAX };
enum {
  /* The guest's virtio_console gives at most one page per read. After a full page, a transfer has more bytes, so port_read reads again. A
   * round of the loop for each page would halve the speed of a download. */
  PAGE = 4096,
  /* Maximum bytes of one round, so that a flood of input does not delay the output. */
  READ_MAX = 65536,
};

static struct {
  struct source source;
  struct source listener_source;
  int fd, listener;
  uint32_t watched; /* events that the loop reports */
  bool virtio, readable, writable, hung_up, ended;
  size_t start, end; /* range of pending bytes in `waiting` */
} port = {.fd = -1, .listener = -1};

static uint8_t waiting[WAITING_CAPACITY];

/* Level-triggered while a host is there, so that the agent needs no further read to learn that the port is empty. */
static void watch_for(uint32_t events) {
  if (port.fd < 0 || port.watched == events) return;
  port.watched = events;
  loop_change(port.fd, events, &port.source);
}

static void on_ready(struct source *source, uint32_t events) {
  (void)source;
  if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) port.readable = true;
  if (events & (EPOLLOUT | EPOLLERR)) port.writable = true;
  port.hung_up = port.virtio && (events & EPOLLHUP) != 0;
}

static int watch(int fd) {
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) return -1;
  if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) return -1;
  port.source.ready = on_ready;
  port.fd = fd;
  port.writable = true;
  port.watched = EPOLLIN;
  return loop_watch_level(fd, EPOLLIN, &port.source);
}

int port_use_virtio(int fd) {
  port.virtio = true;
  return watch(fd);
}

int port_use_socket(int fd) { return watch(fd); }

static void on_connection(struct source *source, uint32_t events) {
  (void)source;
  (void)events;
  if (port.fd >= 0) return;
  int fd = accept4(port.listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd >= 0 && watch(fd) < 0) {
    close(fd);
    port.fd = -1;
  }
}

int port_use_listener(int fd) {
  port.listener = fd;
  port.listener_source.ready = on_connection;
  return loop_watch(fd, EPOLLIN, &port.listener_source);
}

static void lose_connection(void) {
  port.readable = port.writable = false;
  if (port.virtio) {
    port.hung_up = true;
    return;
  }
  loop_close(port.fd);
  port.fd = -1;
  if (port.listener < 0)
    port.ended = true;
  else
    on_connection(&port.listener_source, EPOLLIN);
}

bool port_may_read(void) { return port.readable; }

void port_expect(bool input) {
  if (port.hung_up)
    watch_for(EPOLLIN | EPOLLOUT | EPOLLET);
  else
    watch_for((input ? EPOLLIN : 0) | (port.writable ? 0 : EPOLLOUT));
}

bool port_may_write(void) { return port.writable; }
bool port_ended(void) { return port.ended; }
int port_poll_ms(void) { return port.hung_up ? HANGUP_POLL_MS : -1; }

void port_poll(void) {
  if (!port.hung_up) return;
  struct pollfd poll_fd = {.fd = port.fd, .events = POLLIN | POLLOUT};
  if (poll(&poll_fd, 1, 0) == 1) on_ready(&port.source, (uint32_t)poll_fd.revents);
}

size_t port_read(uint8_t *to, size_t room) {
  size_t total = 0;
  ssize_t count = 0;
  do {
    count = read(port.fd, to + total, room - total);
    if (count > 0) total += (size_t)count;
  } while (port.virtio && count == PAGE && total < room && total < READ_MAX);
  port.readable = false; /* until the loop says so again */
  if (total == 0 && (count == 0 || (errno != EAGAIN && errno != EINTR))) lose_connection();
  return total;
}

/* Number of bytes that the kernel took; 0 if the kernel takes none now. */
static size_t push(const uint8_t *from, size_t size) {
  if (!port.writable) return 0;
  ssize_t count = write(port.fd, from, size);
  if (count >= 0) return (size_t)count;
  /* Output for a lost peer waits for its successor, if there may be one. The peer's remaining bytes are read before the connection counts
   * as lost. */
  if (errno != EAGAIN && port.listener < 0) return size;
  port.writable = false;
  return 0;
}

bool port_flush(void) {
  while (port.start < port.end) {
    size_t count = push(waiting + port.start, port.end - port.start);
    if (count == 0) return false;
    port.start += count;
  }
  port.start = port.end = 0;
  return true;
}

uint8_t *port_room(size_t size) {
  if (WAITING_CAPACITY - port.end < size && port.start > 0) {
    memmove(waiting, waiting + port.start, port.end - port.start);
    port.end -= port.start;
    port.start = 0;
  }
  return WAITING_CAPACITY - port.end < size ? NULL : waiting + port.end;
}

void port_commit(size_t size) { port.end += size; }

size_t port_waiting(void) { return port.end - port.start; }

bool port_write_through(const uint8_t *frame, size_t size) {
  size_t count = push(frame, size);
  if (count == 0) return false;
  memcpy(waiting, frame + count, size - count);
  port.start = 0;
  port.end = size - count;
  return true;
}

void port_discard(void) { port.start = port.end = 0; }
