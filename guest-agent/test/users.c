/* /etc/passwd and /etc/group, regular and made by a hostile guest. */
#include <string.h>

#include "../src/user.h"
#include "check.h"

static struct bytes text(const char *string) { return (struct bytes){(const uint8_t *)string, strlen(string)}; }

static const char passwd[] = "root:x:0:0:root:/root:/bin/bash\n"
                             "broken line\n"
                             "::1:1:::\n"
                             "agent:x:1000:1001:,,,:/home/agent:/bin/sh\n"
                             "huge:x:4294967295:0::/:/bin/sh\n"
                             "wrap:x:4294967296:0::/:/bin/sh\n"
                             "minus:x:-1:0::/:/bin/sh\n"
                             "agent:x:0:0:second:/root:/bin/sh\n"
                             "last:x:7:8";

static void test_passwd(void) {
  struct passwd_line line;
  test_begin("a user is found by name and by number, the first line counts");
  CHECK(passwd_by_name(text(passwd), text("agent"), &line) && line.uid == 1000 && line.gid == 1001);
  CHECK(line.home.size == 11 && memcmp(line.home.data, "/home/agent", 11) == 0);
  CHECK(passwd_by_uid(text(passwd), 1000, &line) && line.name.size == 5);
  CHECK(passwd_by_uid(text(passwd), 0, &line) && line.name.size == 4);
  CHECK(passwd_by_name(text(passwd), text("last"), &line) && line.gid == 8 && line.home.size == 0);
  test_begin("broken lines, and ids that are none, are passed over");
  static const char *const none[] = {"broken line", "", "huge", "wrap", "minus", "age", "agentx", "nobody"};
  for (size_t i = 0; i < sizeof none / sizeof *none; i++) CHECK(!passwd_by_name(text(passwd), text(none[i]), &line));
  CHECK(!passwd_by_uid(text(passwd), 1, &line));
  CHECK(!passwd_by_name(text(""), text("root"), &line));
}

static void test_groups(void) {
  static const char group[] = "root:x:0:\nsudo:x:27:other,agent\nnot a line\nbad:x:x:agent\nvideo:x:44:agentx\nlast:x:9:agent";
  gid_t groups[4] = {0};
  test_begin("the groups of a member are found, up to the room there is");
  CHECK(group_memberships(text(group), text("agent"), groups, 4) == 2 && groups[0] == 27 && groups[1] == 9);
  CHECK(group_memberships(text(group), text("agent"), groups, 1) == 1);
  CHECK(group_memberships(text(group), text("agent"), groups, 0) == 0);
  CHECK(group_memberships(text(group), text("nobody"), groups, 4) == 0);
}

void test_users(void) {
  test_passwd();
  test_groups();
}
