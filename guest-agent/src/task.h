/* READ, WRITE, WALK, FILE, COMPARE and READ_MANY each run in a forked helper: a slow disk, a hung file system or a huge tree
 * delays no stream. A helper's pipes are streamed like a command's. */
#ifndef PYRO_TASK_H
#define PYRO_TASK_H

#include <stdbool.h>

#include "stream.h"

/* Shared with the helper. */
struct task_report {
  volatile uint32_t error; /* errno, 0 = success */
  volatile uint8_t step;
  volatile bool go_on; /* WRITE, CHANGE: the input is complete, the file may take its place */
  char detail[DETAIL_MAX];
};

/* Work of a helper: reads descriptor 0, writes descriptor 1, and returns errno with step and detail in the report. */
typedef int task_body(const void *request, struct task_report *report);

/* Starts a helper for the stream; `request` is needed only until the return. */
void task_start(struct stream *stream, task_body *body, const void *request, bool with_input);

/* In a helper with input: waits until no other helper holds the lock, and holds it until its end. 0 or errno. */
int task_alone(void);
/* In a helper: records the failure; returns `error`. */
int task_failed(struct task_report *report, int error, enum step step, const char *detail);

#endif
