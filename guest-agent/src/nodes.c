#include "nodes.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "log.h"

enum { MISC = 10, GROUP_DISK = 6 };

/* Devices whose modules the kernel loads when a program first opens them, as kmod's static-nodes and udev make them. */
static void make_devices(void) {
  static const struct {
    const char *path;
    unsigned minor;
    mode_t mode;
    gid_t group;
  } devices[] = {{"/dev/fuse", 229, 0666, 0}, {"/dev/loop-control", 237, 0660, GROUP_DISK}, {"/dev/net/tun", 200, 0666, 0}};
  if (mkdir("/dev/net", 0755) < 0 && errno != EEXIST) log_line("/dev/net: %s", strerror(errno));
  for (size_t i = 0; i < sizeof devices / sizeof *devices; i++) {
    const char *path = devices[i].path;
    /* EEXIST: the kernel has the driver built in, and gives it this name. The mode is independent of the umask. */
    bool exists = mknod(path, S_IFCHR | devices[i].mode, makedev(MISC, devices[i].minor)) == 0 || errno == EEXIST;
    if (!exists || chmod(path, devices[i].mode) < 0 || chown(path, 0, devices[i].group) < 0) log_line("%s: %s", path, strerror(errno));
  }
}

static void make_links(void) {
  static const char *const links[][2] = {
      {"/proc/self/fd", "/dev/fd"},
      {"/proc/self/fd/0", "/dev/stdin"},
      {"/proc/self/fd/1", "/dev/stdout"},
      {"/proc/self/fd/2", "/dev/stderr"},
  };
  for (size_t i = 0; i < sizeof links / sizeof *links; i++)
    if (symlink(links[i][0], links[i][1]) < 0 && errno != EEXIST) log_line("%s: %s", links[i][1], strerror(errno));
}

void nodes_make(void) {
  make_links();
  make_devices();
}
