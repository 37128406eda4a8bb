/* Keeps a port between two daemons. */
#include "port.h"

#include <poll.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* As long as a session of the page without a use. */
enum { HOLD_SECONDS = 24 * 60 * 60, MS = 1000, EVENT_BYTES = 4096 };

static time_t now(void) {
  struct timespec time;

  clock_gettime(CLOCK_BOOTTIME, &time);
  return time.tv_sec;
}

static void refuse(int listener) {
  int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
  struct linger at_once = {.l_onoff = 1};

  if (client < 0) return;
  setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  close(client);
}

/* Whether another process of this user has the sockets now. */
static bool hand_over(const struct held *held) {
  const int sockets[] = {held->listener, held->handover, held->deaf};
  struct ucred peer = {0};
  socklen_t size = sizeof(peer);
  int to = accept4(held->handover, NULL, NULL, SOCK_CLOEXEC);

  if (to < 0) return false;
  bool is_own = getsockopt(to, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == geteuid();
  bool is_sent = is_own && send_sockets(to, "", 1, sockets, held->deaf < 0 ? 2 : 3);

  close(to);
  return is_sent;
}

/* Whether the Unix socket has a name still, after a change of its file. */
static bool is_wanted(int watch, const char *name) {
  char events[EVENT_BYTES];

  while (read(watch, events, sizeof(events)) > 0) {
  }
  return access(name, F_OK) == 0;
}

void hold(const struct held *held) {
  const char *name = handover_name(held->port);
  time_t end = now() + HOLD_SECONDS;
  int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

  /* The state directory may be removed. */
  if (watch < 0 || inotify_add_watch(watch, name, IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF) < 0) return;
  struct pollfd sockets[] = {
      {.fd = held->listener, .events = POLLIN}, {.fd = held->handover, .events = POLLIN}, {.fd = watch, .events = POLLIN}};

  for (time_t left = HOLD_SECONDS; left > 0; left = end - now()) {
    if (poll(sockets, 3, (int)left * MS) < 0) continue;
    if (sockets[2].revents != 0 && !is_wanted(watch, name)) return;
    if (sockets[1].revents != 0 && hand_over(held)) return;
    if (sockets[0].revents != 0) refuse(held->listener);
  }
  unlink(name);
}
