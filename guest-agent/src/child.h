/* Work between clone and exec, in a child that borrows the agent's memory. */
#ifndef PYRO_CHILD_H
#define PYRO_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "user.h"
#include "wire.h"

/* Everything that the child needs, made before the clone: the child allocates nothing and changes only the report. */
struct child_plan {
  char **argv; /* argv[-1] is a free slot, for a script without "#!" */
  char **env;
  const char *path; /* of env, or the default */
  const char *cwd;
  const struct user *user;
  int in, out, err; /* become 0, 1, 2 */
  bool terminal;    /* `in` becomes the controlling terminal */
  bool merged;      /* 2 becomes the same as 1 */
};

/* Why there was no exec; error 0 = there was. */
struct child_report {
  int error;
  enum step step;
};

/* Remaining work until the exec, for a child that borrows the agent's memory and has its own session and outputs. */
__attribute__((noreturn)) void child_become(const struct child_plan *plan);
void child_report_clear(void);
struct child_report child_reported(void);

/* Starts the child in the cgroup (-1: the agent's own) and waits for its exec or failure; its pid, or -1 with errno. */
pid_t child_start(const struct child_plan *plan, int cgroup, struct child_report *report);
/* Maps the page in which children report; errno, or 0. */
int child_init(void);

#endif
