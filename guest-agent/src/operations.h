/* The operation of each CALL, without its permission check. */
#ifndef PYRO_OPERATIONS_H
#define PYRO_OPERATIONS_H

#include <stdbool.h>
#include <sys/types.h>

#include "decode.h"
#include "encode.h"

enum { CALL_DETAIL_MAX = 256, OPERATION_PENDING = -1 };

/* A call in progress. */
struct call {
  struct cursor fields;
  struct writer *result;        /* result of a success */
  pid_t child;                  /* child of a pending call: its exit status is the errno */
  bool local;                   /* the machine is not the agent's */
  char detail[CALL_DETAIL_MAX]; /* failed step and its object */
};

struct operation {
  int (*run)(struct call *call); /* errno, 0 or OPERATION_PENDING */
  bool machine;                  /* changes the machine: not as a local process */
};

/* NULL when there is none. */
const struct operation *operation_find(uint8_t op);

/* Notes the object of an errno. */
void call_about(struct call *call, const char *what);
/* 0, or EBADMSG if the payload was not exactly these fields. */
int call_done(const struct call *call);

#endif
