#include "network.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "../stream.h"
#include "accept.h"
#include "datagrams.h"
#include "dns_tcp.h"
#include "pending_syn.h"
#include "resolve.h"
#include "routes.h"
#include "steer.h"

static bool allowed_local, prepared, has_paths, is_on;
static int failure;
static const char *failed_step = "";

void network_allow_local(void) { allowed_local = true; }
bool network_allowed_local(void) { return allowed_local; }

void network_prepare(void) {
  if (prepared) return;
  prepared = true;
  failure = steer_prepare(&failed_step);
  const char *ignored = "";
  has_paths = failure == 0 && routes_add_paths(&ignored) == 0;
}

int network_on(bool untouched, const char **what) {
  network_prepare();
  *what = failed_step;
  if (failure != 0) return failure;
  pending_syn_turn(true);
  datagrams_turn(true);
  is_on = true;
  /* Programs may have removed the paths. */
  int error = untouched && has_paths ? 0 : routes_add_paths(what);
  if (error == 0) error = routes_add_rules(what);
  if (error != 0) {
    const char *ignored = "";
    network_off(&ignored);
  }
  return error;
}

static void reset_streams(void) {
  struct link *next = NULL;
  for (struct link *at = streams_all()->next; at != streams_all(); at = next) {
    struct stream *stream = container_of(at, struct stream, all);
    next = at->next;
    if (stream->opener == KIND_ACCEPT) stream_fail(stream, ECONNRESET, STEP_IO, "the network was turned off");
  }
}

int network_off(const char **what) {
  *what = "";
  if (!is_on) return 0;
  is_on = false;
  /* The connections first: without its routes, nothing tells a program of the end of its connection. */
  pending_syn_turn(false);
  datagrams_turn(false);
  reset_streams();
  datagrams_close_all();
  pending_syn_refuse_all();
  resolve_fail_all();
  dns_tcp_close_all();
  accept_reset_waiting();
  loop_close_now();
  int error = routes_remove_rules(what);
  pending_syn_drain();
  return error;
}

void network_answer(const struct answer *answer) {
  if (answer->kind != ANSWER_REFUSED)
    resolve_answer(answer);
  else if (!datagrams_refuse(answer->request))
    pending_syn_refuse(answer->request);
}

static int sooner(int a, int b) { return a < 0 || (b >= 0 && b < a) ? b : a; }

int network_delay_ms(void) {
  return sooner(sooner(pending_syn_delay_ms(), resolve_delay_ms()), sooner(dns_tcp_delay_ms(), datagrams_delay_ms()));
}

void network_expire(void) {
  pending_syn_expire();
  resolve_expire();
  dns_tcp_expire();
  datagrams_expire();
}
