/* Runs every C test: the codec against the golden frames, the frame reader, the passwd parser, the list of sockets, the memory
 * of ids, DNS messages, packets and the freezer. */
#include <stdio.h>

#include "check.h"

static const char *current = "";
static unsigned tests, checks, failures;

void test_begin(const char *sentence) {
  current = sentence;
  tests++;
}

void check_at(bool holds, const char *what, const char *file, int line) {
  checks++;
  if (holds) return;
  failures++;
  fprintf(stderr, "%s:%d: %s: not so: %s\n", file, line, current, what);
}

int main(int count, char **arguments) {
  if (count != 2) {
    fprintf(stderr, "use: test FIXTURES\n");
    return 2;
  }
  test_frames(arguments[1]);
  test_reader();
  test_users();
  test_socket_list();
  test_ids();
  test_dns();
  test_packets();
  test_freezer();
  printf("%u tests, %u checks, %u failed\n", tests, checks, failures);
  return failures == 0 ? 0 : 1;
}
