/* What each CALL does, once it is allowed to. */
#ifndef PYRO_OPERATIONS_H
#define PYRO_OPERATIONS_H

#include <stdbool.h>
#include <sys/types.h>

#include "decode.h"
#include "encode.h"

enum { CALL_DETAIL_MAX = 256, OPERATION_PENDING = -1 };

/* One call on its way. */
struct call {
  struct cursor fields;
  struct writer *result; /* to be filled when it goes well */
  pid_t child;           /* of a pending one: its exit status is the errno */
  bool local;            /* the machine is not the agent's */
  char detail[CALL_DETAIL_MAX]; /* what failed where */
};

struct operation {
  int (*run)(struct call *call); /* errno, 0 or OPERATION_PENDING */
  bool machine;                  /* changes the machine: not as a local process */
};

/* NULL when there is none. */
const struct operation *operation_find(uint8_t op);

/* Notes what an errno is about. */
void call_about(struct call *call, const char *what);
/* 0, or EBADMSG when the fields were not exactly those. */
int call_done(const struct call *call);

#endif
