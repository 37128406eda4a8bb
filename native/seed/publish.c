/* How a finished image gets its seal and its name. */
#include "image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Seven hexadecimal digits, dashes passed over, as a number of 28 bits. */
static long seven_digits(const char *text) {
  char digits[8] = "";
  for (size_t i = 0; i < 7 && *text != '\0'; text++)
    if (*text != '-') digits[i++] = *text;
  return strtol(digits, NULL, 16);
}

static struct timespec seal_of(const char *hex, int sync) {
  char boot_id[64] = "";
  int fd = sync ? -1 : open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
  if (fd >= 0 && read(fd, boot_id, sizeof boot_id - 1) < 0) boot_id[0] = '\0';
  if (fd >= 0) close(fd);
  return (struct timespec){seed_epoch, seven_digits(hex) ^ seven_digits(boot_id)};
}

static int is_sealed(const struct stat *stat, const struct image *image, const char *hex) {
  for (int sync = 0; sync < 2; sync++) {
    struct timespec seal = seal_of(hex, sync);
    if (S_ISREG(stat->st_mode) && (uint64_t)stat->st_size == image->bytes && stat->st_mtim.tv_sec == seal.tv_sec &&
        stat->st_mtim.tv_nsec == seal.tv_nsec)
      return 1;
  }
  return 0;
}

static int link_as(const struct image *image, const char *name) {
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", image->fd);
  return image->temporary[0] != '\0' ? linkat(image->folder, image->temporary, image->folder, name, 0)
                                     : linkat(AT_FDCWD, path, image->folder, name, AT_SYMLINK_FOLLOW);
}

int image_publish(struct image *image, const char *hex, int sync) {
  char name[2 * DIGEST_BYTES + 6], beside[40];
  struct stat stat;
  if (fchmod(image->fd, 0444) != 0) image_failed("cannot protect the image", errno);
  if (sync && fdatasync(image->fd) != 0) image_failed("cannot write the image to disk", errno);
  const struct timespec seal = seal_of(hex, sync), times[2] = {seal, seal};
  if (futimens(image->fd, times) != 0) image_failed("cannot seal the image", errno);
  snprintf(name, sizeof name, "%s.ext4", hex);
  if (link_as(image, name) == 0) return 1;
  if (errno != EEXIST) image_failed("cannot name the image", errno);
  if (fstatat(image->folder, name, &stat, AT_SYMLINK_NOFOLLOW) == 0 && is_sealed(&stat, image, hex)) return 0;
  snprintf(beside, sizeof beside, "%ld-%.7s.new.tmp", (long)getpid(), hex);
  if (link_as(image, beside) != 0 || renameat(image->folder, beside, image->folder, name) != 0)
    image_failed("cannot replace a damaged image", errno);
  return 1;
}
