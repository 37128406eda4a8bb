/* User of a command, from the guest's own /etc/passwd and /etc/group. */
#ifndef PYRO_USER_H
#define PYRO_USER_H

#include <stdbool.h>
#include <sys/types.h>

#include "decode.h"

enum { GROUPS_MAX = 256, USER_NAME_MAX = 256, HOME_MAX = 1024 };

struct user {
  uid_t uid;
  gid_t gid;
  gid_t groups[GROUPS_MAX];
  size_t group_count;
  char name[USER_NAME_MAX]; /* "" when passwd has none */
  char home[HOME_MAX];
};

/* "" = root; a name, a uid, or uid:gid. errno, or 0; ENOENT for an unknown user. */
int user_find(const char *spec, struct user *user);

/* The parsers, over the text of a whole file. */
struct passwd_line {
  struct bytes name, home;
  uid_t uid;
  gid_t gid;
};
bool passwd_by_name(struct bytes text, struct bytes name, struct passwd_line *line);
bool passwd_by_uid(struct bytes text, uid_t uid, struct passwd_line *line);
/* Groups that list `name` as a member, at most `room`. */
size_t group_memberships(struct bytes text, struct bytes name, gid_t *groups, size_t room);

#endif
