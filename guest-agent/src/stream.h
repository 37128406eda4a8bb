/* The table of streams: everything the host has opened and not yet released. */
#ifndef PYRO_STREAM_H
#define PYRO_STREAM_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "input.h"
#include "output.h"

/* Connections to the outside have a limit of their own. */
enum { STREAMS_MAX = 1024, NETWORK_STREAMS_MAX = 2048, DETAIL_MAX = 256 };

struct cgroup;
struct task_report;

/* How a stream ended: the fields of its EXITED or FAILED frame. */
struct ending {
  uint8_t kind; /* 0 while it runs, else KIND_EXITED or KIND_FAILED */
  uint8_t how, step;
  uint32_t code; /* exit code, signal or errno */
  uint64_t duration_ns;
  char detail[DETAIL_MAX];
};

/* Functions of an opener for the events of its streams. Each may be NULL. */
struct stream_events {
  /* The stream changed, and the host does not know yet. */
  void (*changed)(struct stream *stream);
  void (*input_complete)(struct stream *stream);
  /* Its process is over. */
  void (*reaped)(struct stream *stream, const siginfo_t *info);
  /* It fails, or is released while it runs. */
  void (*broken)(struct stream *stream);
  /* It is released, and its process is not killed. */
  void (*released)(struct stream *stream);
};

struct stream {
  struct link all;           /* in order of opening */
  struct link control, data; /* in the sending queues */
  struct stream *next_in_bucket;
  uint32_t number;
  uint8_t opener; /* the frame kind that opened it */
  const struct stream_events *on;
  uint8_t id[ID_SIZE];
  uint32_t window;
  pid_t pid;         /* process to reap; 0 = none (any more) */
  pid_t leader;      /* its process group and session, also after its end */
  uint32_t told_pid; /* pid in STARTED: 0 for no process of the guest; of a connection to a port, a WRITE or a CHANGE: its credit */
  uint64_t started_ns;
  int terminal; /* slave side, held open while the main process runs; -1 = none */
  bool started_due, end_announced;
  uint8_t turn; /* the output that sends next */
  struct cgroup *cgroup;
  struct task_report *report; /* shared with the helper process of READ, WRITE and WALK */
  struct ending ending;
  struct input input;
  struct output outputs[2];
};

/* Meaning of a number and an id for an opener. */
enum opening { OPENING_NEW, OPENING_EXISTS, OPENING_RELEASED, OPENING_FULL, OPENING_NUMBER_TAKEN, OPENING_NO_MEMORY };

/* Sets the function that queues the frames of a changed stream. Called before the first stream opens. */
void streams_report_to(void (*report)(struct stream *stream));
/* Opens a stream. OPENING_EXISTS: `stream` is the one with that id. */
enum opening stream_open(uint32_t number, uint8_t opener, const uint8_t id[ID_SIZE], uint32_t window, struct stream **stream);
struct stream *stream_find(uint32_t number);
struct stream *stream_of_pid(pid_t pid);
struct link *streams_all(void);
uint32_t streams_count(void);
/* The lowest number never used. */
uint32_t streams_next_number(void);
/* Marks a number as used, also the number of a refused opener, which has no stream. */
void streams_number_used(uint32_t number);

/* Ends it with FAILED and kills its processes. `detail` may be NULL. */
void stream_fail(struct stream *stream, int error, enum step step, const char *detail);
/* The same for a stream that ended by itself: its earlier output is still sent. */
void stream_fail_drained(struct stream *stream, int error, enum step step, const char *detail);
/* Ends it with EXITED once its outputs are drained. */
void stream_exited(struct stream *stream, uint8_t how, uint32_t code);
/* Its process was reaped. */
void stream_reaped(struct stream *stream, const siginfo_t *info);
/* Kills everything it runs. */
void stream_kill(struct stream *stream);
/* Signals every process of a running stream, its main process first. */
void stream_signal(struct stream *stream, int signal);
/* Forgets it. Kills its processes, unless it ended and left them in the background. */
void stream_release(struct stream *stream);
void streams_release_all(void);
bool stream_ended(const struct stream *stream);

/* Queues the frames of a change, if the change has to be sent. */
void stream_changed(struct stream *stream);
/* Whether it is a TCP connection. */
static inline bool stream_is_connection(const struct stream *stream) {
  return stream->opener == KIND_CONNECT || stream->opener == KIND_ACCEPT;
}

#endif
