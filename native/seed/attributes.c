/* Extended attributes of host files. An image has none, so the report counts the files that had some. */
#include "seed.h"

#include "source.h"
#include "pax.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/xattr.h>
#include <unistd.h>

bool attributes_on(int fd) {
  static char names[XATTR_LIST_MAX];
  ssize_t bytes = flistxattr(fd, names, sizeof names);
  for (ssize_t at = 0; at < bytes;) {
    size_t length = strnlen(names + at, (size_t)(bytes - at));
    if (attribute_counts(names + at, length)) return true;
    at += (ssize_t)length + 1;
  }
  return false;
}

void attributes_of_list(const char *directory) {
  char *path = NULL;
  size_t room = 0;
  int root = open_source(directory, O_DIRECTORY, 0);
  if (root < 0) die(SEED_REJECTED, "the directory cannot be read: %s", strerror(errno));
  while (getdelim(&path, &room, '\0', stdin) > 0) {
    int fd = open_beneath(root, path, O_RDONLY);
    if (fd >= 0 && attributes_on(fd)) report_loss(LOSS_ATTRIBUTES, path);
    if (fd >= 0) close(fd);
  }
  free(path);
  close(root);
}
