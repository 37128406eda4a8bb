#include "stream.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cgroup.h"
#include "clock.h"
#include "ids.h"
#include "tree.h"

enum {
  BUCKETS = 256,
  /* A window below a page would make a frame of every few bytes; above 16 MiB a stream could hold the guest's memory. */
  WINDOW_MIN = 4096,
  WINDOW_MAX = 16 * 1024 * 1024,
};

static struct stream *buckets[BUCKETS];
static struct link all = {&all, &all};
static uint32_t count, network_count;
static uint32_t next_number = 1;

struct stream *stream_find(uint32_t number) {
  struct stream *stream = buckets[number % BUCKETS];
  while (stream != NULL && stream->number != number) stream = stream->next_in_bucket;
  return stream;
}

static struct stream *find_id(const uint8_t id[ID_SIZE]) {
  for (struct link *at = all.next; at != &all; at = at->next) {
    struct stream *stream = container_of(at, struct stream, all);
    if (memcmp(stream->id, id, ID_SIZE) == 0) return stream;
  }
  return NULL;
}

struct stream *stream_of_pid(pid_t pid) {
  for (struct link *at = all.next; at != &all; at = at->next) {
    struct stream *stream = container_of(at, struct stream, all);
    if (stream->pid == pid) return stream;
  }
  return NULL;
}

struct link *streams_all(void) {
  /* Its head, which is part of no stream. */
  return &all;
}

uint32_t streams_count(void) { return count; }
uint32_t streams_next_number(void) { return next_number; }

void streams_number_used(uint32_t number) {
  if (number >= next_number && number < FIRST_CALL) next_number = number + 1;
}

static void (*tell)(struct stream *stream);

void streams_report_to(void (*report)(struct stream *stream)) { tell = report; }

static uint32_t clamp_window(uint32_t window) {
  if (window < WINDOW_MIN) return WINDOW_MIN;
  return window > WINDOW_MAX ? WINDOW_MAX : window;
}

static bool has_output(uint8_t opener, uint8_t number) { return number == 1 || opener == KIND_SPAWN; }

static uint32_t credit_of(uint8_t opener) {
  switch (opener) {
    case KIND_ACCEPT: return NETWORK_CREDIT;
    case KIND_CONNECT: return CONNECT_CREDIT;
    case KIND_WRITE:
    case KIND_CHANGE: return CONTENT_CREDIT;
    default: return INPUT_CREDIT;
  }
}

static void on_input_complete(struct stream *stream) {
  if (stream->on->input_complete != NULL) stream->on->input_complete(stream);
  stream_changed(stream);
}

static const struct side_reports reports = {.changed = stream_changed, .input_complete = on_input_complete, .fail = stream_fail};
/* Events of a stream whose opener has not begun. */
static const struct stream_events none;

enum opening stream_open(uint32_t number, uint8_t opener, const uint8_t id[ID_SIZE], uint32_t window, struct stream **out) {
  *out = find_id(id);
  if (*out != NULL) return OPENING_EXISTS;
  if (stream_find(number) != NULL) return OPENING_NUMBER_TAKEN;
  streams_number_used(number);
  bool network = opener == KIND_ACCEPT;
  if (network ? network_count >= NETWORK_STREAMS_MAX : count - network_count >= STREAMS_MAX) return OPENING_FULL;
  struct stream *stream = calloc(1, sizeof *stream);
  if (stream == NULL) return OPENING_NO_MEMORY;
  stream->number = number;
  stream->opener = opener;
  stream->on = &none;
  memcpy(stream->id, id, ID_SIZE);
  stream->window = clamp_window(window);
  stream->terminal = -1;
  stream->started_ns = clock_monotonic_ns();
  input_init(&stream->input, stream, &reports, credit_of(opener));
  for (uint8_t i = 0; i < 2; i++) output_init(&stream->outputs[i], stream, &reports, has_output(opener, i + 1) ? i + 1 : 0, stream->window);
  struct stream **bucket = &buckets[number % BUCKETS];
  stream->next_in_bucket = *bucket;
  *bucket = stream;
  list_append(&all, &stream->all);
  count++;
  if (network) network_count++;
  *out = stream;
  return ids_known(id) ? OPENING_RELEASED : OPENING_NEW;
}

bool stream_ended(const struct stream *stream) {
  if (stream->ending.kind == 0) return false;
  for (int i = 0; i < 2; i++)
    if (stream->outputs[i].number != 0 && !stream->outputs[i].ended) return false;
  return true;
}

void stream_kill(struct stream *stream) {
  if (stream->cgroup != NULL) {
    cgroup_kill(stream->cgroup);
  } else if (stream->opener == KIND_SPAWN && stream->leader > 0) {
    tree_kill(stream->leader, stream->pid > 0);
  } else if (stream->pid > 0) {
    kill(stream->pid, SIGKILL);
  }
}

void stream_signal(struct stream *stream, int signal) {
  if (stream->cgroup != NULL) {
    cgroup_signal(stream->cgroup, signal, stream->pid);
  } else if (stream->opener == KIND_SPAWN && stream->leader > 0) {
    tree_signal(stream->leader, signal);
  } else {
    kill(stream->pid, signal);
  }
}

static void break_off(struct stream *stream) {
  if (stream->on->broken != NULL) stream->on->broken(stream);
}

static void let_go_of_sides(struct stream *stream) {
  input_break(&stream->input);
  if (stream->terminal >= 0) close(stream->terminal);
  stream->terminal = -1;
}

static void set_failure(struct stream *stream, int error, enum step step, const char *detail) {
  stream->ending = (struct ending){.kind = KIND_FAILED, .step = (uint8_t)step, .code = (uint32_t)error};
  if (detail != NULL) strncpy(stream->ending.detail, detail, DETAIL_MAX - 1);
  let_go_of_sides(stream);
}

void stream_fail(struct stream *stream, int error, enum step step, const char *detail) {
  if (stream->ending.kind != 0) return;
  if (stream->pid > 0) stream_kill(stream);
  break_off(stream);
  set_failure(stream, error, step, detail);
  stream->started_due = false;
  for (int i = 0; i < 2; i++) output_end(&stream->outputs[i]);
  stream_changed(stream);
}

void stream_fail_drained(struct stream *stream, int error, enum step step, const char *detail) {
  if (stream->ending.kind != 0) return;
  set_failure(stream, error, step, detail);
  for (int i = 0; i < 2; i++) output_finish(&stream->outputs[i]);
  stream_changed(stream);
}

void stream_exited(struct stream *stream, uint8_t how, uint32_t code) {
  if (stream->ending.kind != 0) return;
  stream->ending = (struct ending){.kind = KIND_EXITED, .how = how, .code = code};
  stream->ending.duration_ns = clock_monotonic_ns() - stream->started_ns;
  let_go_of_sides(stream);
  for (int i = 0; i < 2; i++) output_finish(&stream->outputs[i]);
  stream_changed(stream);
}

void stream_reaped(struct stream *stream, const siginfo_t *info) {
  stream->pid = 0;
  if (stream->on->reaped != NULL) stream->on->reaped(stream, info);
}

static void unlink_stream(struct stream *stream) {
  struct stream **at = &buckets[stream->number % BUCKETS];
  while (*at != stream) at = &(*at)->next_in_bucket;
  *at = stream->next_in_bucket;
  list_remove(&stream->all);
  list_remove(&stream->control);
  list_remove(&stream->data);
  count--;
  if (stream->opener == KIND_ACCEPT) network_count--;
}

void stream_release(struct stream *stream) {
  bool running = stream->ending.kind == 0;
  if (running) break_off(stream);
  if (stream->on->released != NULL)
    stream->on->released(stream);
  else if (running)
    stream_kill(stream);
  ids_remember(stream->id);
  unlink_stream(stream);
  input_close(&stream->input);
  for (int i = 0; i < 2; i++) output_close(&stream->outputs[i]);
  if (stream->terminal >= 0) close(stream->terminal);
  if (stream->cgroup != NULL) cgroup_release(stream->cgroup);
  loop_free_later(stream);
}

void streams_release_all(void) {
  while (!list_empty(&all)) stream_release(container_of(all.next, struct stream, all));
}

void stream_changed(struct stream *stream) {
  if (stream->on->changed != NULL) stream->on->changed(stream);
  tell(stream);
}
