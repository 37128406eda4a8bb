/* The list of sockets, regular and made by a hostile guest. */
#include <string.h>

#include "../src/socket_list.h"
#include "check.h"

static bool read_line(const char *string, struct socket_line *line) {
  return socket_line_read((struct bytes){(const uint8_t *)string, strlen(string)}, line);
}

static void test_regular(void) {
  struct socket_line line;
  test_begin("a line has a path, a mode in octal, a group and a program");
  CHECK(read_line("/run/docker.sock 660 103 /usr/lib/pyro/docker", &line));
  CHECK(strcmp(line.path, "/run/docker.sock") == 0 && strcmp(line.program, "/usr/lib/pyro/docker") == 0);
  CHECK(line.mode == 0660 && line.group == 103);
}

static void test_odd(void) {
  struct socket_line line;
  test_begin("a line with other fields is passed over");
  static const char *const none[] = {
      "",
      "/a",
      "/a 660",
      "/a 660 1",
      "/a 660 1 ",
      "/a 660 1 b",
      "a 660 1 /b",
      "/a  660 1 /b",
      "/a 668 1 /b",
      "/a 1000 1 /b",
      "/a -60 1 /b",
      "/a 660 x /b",
      "/a 660 4294967295 /b",
      "/a 660 18446744073709551616 /b",
      "/a 660 1 /b c",
      "# /a 660 1 /b",
  };
  for (size_t i = 0; i < sizeof none / sizeof *none; i++) CHECK(!read_line(none[i], &line));
  CHECK(!socket_line_read((struct bytes){(const uint8_t *)"/a\0b 660 1 /b", 13}, &line));
}

static void test_long(void) {
  struct socket_line line;
  char text[600];
  test_begin("a path that has no room in an address is passed over, and so is a program's that is too long");
  for (size_t length = SOCKET_PATH_MAX - 2; length <= SOCKET_PATH_MAX; length++) {
    memset(text, 'x', length);
    text[0] = '/';
    strcpy(text + length, " 660 1 /b");
    CHECK(read_line(text, &line) == (length < SOCKET_PATH_MAX));
  }
  strcpy(text, "/a 660 1 /");
  memset(text + 10, 'x', PROGRAM_MAX);
  text[9 + PROGRAM_MAX] = '\0';
  CHECK(!read_line(text, &line));
  text[8 + PROGRAM_MAX] = '\0';
  CHECK(read_line(text, &line));
}

void test_socket_list(void) {
  test_regular();
  test_odd();
  test_long();
}
