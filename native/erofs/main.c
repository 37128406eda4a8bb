/* pyro-erofs IMAGE DIRECTORY: writes the tree of an uncompressed EROFS image into an empty directory, with all metadata. `fsck.erofs
 * --extract` of erofs-utils 1.5 loses setuid bits, extended attributes and hard links, and passes over devices. Runs as root of a
 * namespace. */
#include "erofs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int give_up(const char *path, const char *what) {
  fprintf(stderr, "pyro-erofs: %s: %s\n", path, what);
  return 1;
}

int main(int count, char **words) {
  if (count != 3) return give_up("usage", "pyro-erofs IMAGE DIRECTORY");
  struct stat status;
  struct image image;
  int file = open(words[1], O_RDONLY | O_CLOEXEC);
  if (file < 0 || fstat(file, &status) < 0) return give_up(words[1], strerror(errno));
  int directory = open(words[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return give_up(words[2], strerror(errno));
  const uint8_t *bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
  if (bytes == MAP_FAILED) return give_up(words[1], strerror(errno));
  umask(0);
  if (!image_open(&image, bytes, (uint64_t)status.st_size)) return give_up(words[1], image_error());
  return extract(&image, directory) ? 0 : 1;
}
