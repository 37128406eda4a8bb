#include "rights.h"

#include <errno.h>
#include <grp.h>
#include <sys/fsuid.h>

#include "user.h"

static bool are_limited;

bool rights_are_limited(void) { return are_limited; }

/* The ids for files alone, so that the user's programs can neither trace nor end the helper. The kernel takes the capabilities for files
 * away with root's id. */
int rights_take(const char *user) {
  static struct user found;
  if (*user == '\0') return 0;
  int error = user_find(user, &found);
  if (error != 0) return error;
  if (setgroups(found.group_count, found.groups) < 0) return errno;
  setfsgid(found.gid);
  setfsuid(found.uid);
  /* Neither reports a failure. A refused id gives the present one. */
  if ((gid_t)setfsgid((gid_t)-1) != found.gid || (uid_t)setfsuid((uid_t)-1) != found.uid) return EPERM;
  are_limited = found.uid != 0;
  return 0;
}
