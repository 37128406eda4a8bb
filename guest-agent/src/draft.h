/* Names of the temporary files and directories that the agent makes beside their targets. */
#ifndef PYRO_DRAFT_H
#define PYRO_DRAFT_H

#include <stdbool.h>

enum { DRAFT_NAME = 6 + 16 + 1 }; /* ".pyro-", 16 hexadecimal digits */

enum draft_kind {
  DRAFT_NONE, /* no name of a draft */
  DRAFT_NEW,
  DRAFT_REPLACES, /* something was at the target when the draft was named */
};

/* Makes the key of this agent's drafts. Called before helpers start, which inherit the key: so a watch knows the drafts of all. */
void draft_prepare(void);
/* A new name; 0 or errno. */
int draft_name(char name[DRAFT_NAME], bool replaces);
/* Whether this agent made the name, or the one that it was restored or forked from. Another name of this form is taken for one of
 * them in 1 of 2^31 cases. */
enum draft_kind draft_of(const char *name);

#endif
