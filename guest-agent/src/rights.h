/* Rights of a helper on files: root's, or those of a user of the guest. */
#ifndef PYRO_RIGHTS_H
#define PYRO_RIGHTS_H

#include <stdbool.h>

/* In a helper: from now on it has the rights of this user (user.h) on files. "" changes nothing. 0 or errno; ENOENT for an unknown user. */
int rights_take(const char *user);
/* Whether the helper acts as another user than root: what it makes is that user's, and it gives nothing away. */
bool rights_are_limited(void);

#endif
