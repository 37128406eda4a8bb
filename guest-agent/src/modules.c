#include "machine.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernel.h"
#include "log.h"

enum { ORDER_MAX = 16384 };

static void load(int directory, const char *name) {
  int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
  if (fd < 0) fatal("module %s: %s", name, strerror(errno));
  if (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST) fatal("module %s: %s", name, strerror(errno));
  close(fd);
}

void modules_load(const char *path, const char *name) {
  static char order[ORDER_MAX];
  int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return; /* a kernel with everything built in */
  int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
  ssize_t size = fd < 0 ? -1 : read(fd, order, sizeof order - 1);
  if (size < 0) fatal("%s/%s: %s", path, name, strerror(errno));
  order[size] = '\0';
  close(fd);
  char *rest = NULL;
  for (char *module = strtok_r(order, "\n", &rest); module != NULL; module = strtok_r(NULL, "\n", &rest)) load(directory, module);
  close(directory);
}

void modules_forget(const char *path) {
  DIR *directory = opendir(path);
  if (directory == NULL) return;
  for (const struct dirent *entry; (entry = readdir(directory)) != NULL;)
    if (entry->d_name[0] != '.') unlinkat(dirfd(directory), entry->d_name, 0);
  closedir(directory);
}
