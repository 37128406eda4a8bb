/* pyro's guest agent: PID 1 of every guest, or a local process for tests. docs/channel.md describes its protocol. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "announce.h"
#include "beneath.h"
#include "boot.h"
#include "call.h"
#include "cgroup.h"
#include "child.h"
#include "connection.h"
#include "entropy.h"
#include "log.h"
#include "loop.h"
#include "net/network.h"
#include "output.h"
#include "spare.h"
#include "pipes.h"
#include "port.h"
#include "reap.h"
#include "sink.h"
#include "spawn.h"
#include "stream.h"
#include "tree.h"

/* The shorter of two waits in ms; -1 is endless. */
static int sooner(int a, int b) { return a < 0 || (b >= 0 && b < a) ? b : a; }

static void serve(void) {
  bool at_once = false;
  while (!port_ended() && !reap_asked_to_end()) {
    int delay_ms = sooner(announce_delay_ms(), outputs_grace_ms());
    if (!at_once && delay_ms < 0) delay_ms = spawn_prepare();
    loop_wait(at_once ? 0 : sooner(sooner(port_poll_ms(), delay_ms), network_delay_ms()));
    port_poll();
    reap_children();
    outputs_watch_due();
    network_expire();
    bool input = connection_receive();
    at_once = outputs_read();
    announce_pump();
    /* The frames just sent may free the room that a deferred frame waits for. */
    if (!input && connection_may_go_on()) at_once = true;
    port_expect(input);
    loop_free_now();
  }
}

int main(int count, char **arguments) {
  bool init = getpid() == 1;
  if (loop_init() < 0) fatal("epoll: %s", strerror(errno));
  bool is_listener = false;
  int channel = init ? boot(&is_listener) : -1;
  if (reap_init() < 0) fatal("signals: %s", strerror(errno));
  int error = child_init();
  if (error == 0) error = spawn_init();
  if (error != 0) fatal("starting: %s", strerror(error));
  call_init(!init);
  streams_report_to(announce);
  if (init) {
    beneath_in_guest();
    entropy_init();
    if ((is_listener ? port_use_listener(channel) : port_use_virtio(channel)) < 0) fatal("port: %s", strerror(errno));
  } else {
    local_start(count, arguments);
  }
  serve();
  spare_end();
  streams_release_all();
  sinks_close();
  tree_kill_all();
  cgroups_remove();
  pipes_close();
  loop_free_now();
  return 0;
}
