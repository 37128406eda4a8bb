/* Groups beside the agent's own follow its freezer. Directories and files stand in for them. */
#include "../src/freezer.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

static char top[] = "/tmp/pyro-freezer-XXXXXX";

static const char *at(const char *name) {
  static char path[256];
  snprintf(path, sizeof path, "%s/%s", top, name);
  return path;
}

static void make_group(const char *name) {
  char file[128];
  mkdir(at(name), 0755);
  snprintf(file, sizeof file, "%s/cgroup.freeze", name);
  int fd = open(at(file), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  CHECK(fd >= 0 && write(fd, "-", 1) == 1);
  close(fd);
}

/* The first character of a group's file. */
static char state(const char *name) {
  char file[128], text = '\0';
  snprintf(file, sizeof file, "%s/cgroup.freeze", name);
  int fd = open(at(file), O_RDONLY | O_CLOEXEC);
  if (fd >= 0 && read(fd, &text, 1) != 1) text = '\0';
  close(fd);
  return text;
}

static void follow(const char *name, const char *value) {
  char file[128], path[256];
  snprintf(file, sizeof file, "%s/cgroup.freeze", name);
  snprintf(path, sizeof path, "%s", at(file));
  freezer_follow(path, (struct bytes){(const uint8_t *)value, strlen(value)});
}

void test_freezer(void) {
  test_begin("without a start, no group follows");
  CHECK(mkdtemp(top) != NULL);
  make_group("pyro");
  make_group("libpod_parent");
  make_group("outside");
  follow("pyro", "1");
  CHECK(state("libpod_parent") == '-');

  test_begin("the groups beside the agent's own follow its freezer, and only that");
  CHECK(freezer_start(at("absent")) != 0);
  CHECK(freezer_start(top) == 0);
  follow("libpod_parent", "1");
  CHECK(state("outside") == '-');
  follow("pyro", "1");
  CHECK(state("libpod_parent") == '1' && state("outside") == '1' && state("pyro") == '-');
  follow("pyro", "0");
  CHECK(state("libpod_parent") == '0');

  test_begin("links, pipes, and directories that are no groups are left alone, and nothing waits");
  char fifo[256];
  make_group("pyro/real");
  CHECK(symlink("pyro/real", at("linked")) == 0);
  CHECK(mkdir(at("piped"), 0755) == 0 && mkdir(at("empty"), 0755) == 0);
  snprintf(fifo, sizeof fifo, "%s", at("piped/cgroup.freeze"));
  CHECK(mkfifo(fifo, 0644) == 0);
  follow("pyro", "1");
  CHECK(state("linked") == '-' && state("libpod_parent") == '1');
}
