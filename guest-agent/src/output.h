/* One output of a stream: bytes of a process, file or socket, kept until the host acknowledges them. */
#ifndef PYRO_OUTPUT_H
#define PYRO_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "list.h"
#include "loop.h"
#include "sides.h"

enum output_kind {
  OUTPUT_PIPE, /* of a process: after its end, remaining writers go on into a sink */
  OUTPUT_PTY,
  OUTPUT_HELPER, /* of the agent's own helper process */
  OUTPUT_SOCKET,
};

struct output {
  struct source source;
  struct stream *stream;
  const struct side_reports *reports;
  struct link reading; /* in the list of outputs that have something to read */
  struct link fresh;   /* in the list of those not yet watched */
  uint64_t began_ns;   /* of a pipe: when its command began */
  int fd;              /* -1 when closed */
  uint8_t number;      /* 1 or 2 as on the wire; 0 = this output does not exist */
  enum output_kind kind;
  bool watched;
  bool readable, hung_up;
  bool limited;       /* the main process ended: take `left` more bytes at most */
  bool ended;         /* `produced` is the total */
  bool end_announced; /* END_OUT was sent on this connection */
  size_t left;
  size_t window;    /* ring's size in bytes */
  uint8_t *mapping; /* lazily mapped; NULL = none */
  size_t head;      /* place of `acked` in the ring */
  uint64_t acked, sent, produced;
};

void output_init(struct output *output, struct stream *stream, const struct side_reports *reports, uint8_t number, uint32_t window);
/* Takes ownership of a non-blocking descriptor and watches it. */
int output_open(struct output *output, int fd, enum output_kind kind);
/* The same for a pipe of a command that began at `began_ns`. outputs_watch_due watches the pipe later. */
void output_open_pipe(struct output *output, int fd, uint64_t began_ns);
/* Queues it for a read in this round if it has bytes or an end. */
void output_try(struct output *output);
/* Reads once; called by outputs_read. */
void output_read(struct output *output);
/* The main process is gone: drains the pipe's present content, then ends, even if another process still holds the pipe. */
void output_finish(struct output *output);
/* Ends it at its present position. */
void output_end(struct output *output);
/* Everything below `offset` is in the host's log. */
void output_acknowledge(struct output *output, uint64_t offset);
/* Starts again from the acknowledged offset. */
void output_rewind(struct output *output);
/* Writes one DATA_OUT frame of the stream of that number; false when the port has no room now. */
bool output_send(struct output *output, uint32_t stream);
/* Closes and frees. A sink takes the output of remaining writers. */
void output_close(struct output *output);

/* Time until the next new pipe has to be watched, in ms; -1 = there is none. The agent reads the pipes of a short command when
 * the command ends, and watches them only after GRACE_MS. */
int outputs_grace_ms(void);
void outputs_watch_due(void);
/* Reads once from every output with bytes and room. True if some can read again at once. */
bool outputs_read(void);

#endif
