#include "baseline.h"

#include <errno.h>
#include <stdbool.h>

#include "kernel.h"

static int root = -1;

static int configure(int context, const char *device) {
  static const char *const flags[] = {"ro", "noload"};
  if (syscall(SYS_fsconfig, context, KERNEL_FSCONFIG_SET_STRING, "source", device, 0) < 0) return errno;
  for (unsigned i = 0; i < sizeof flags / sizeof *flags; i++)
    if (syscall(SYS_fsconfig, context, KERNEL_FSCONFIG_SET_FLAG, flags[i], NULL, 0) < 0) return errno;
  return syscall(SYS_fsconfig, context, KERNEL_FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0 ? errno : 0;
}

/* A detached mount, which exists as long as its descriptor. */
static int mount_detached(const char *device, int *mounted) {
  int context = (int)syscall(SYS_fsopen, "ext4", KERNEL_FSOPEN_CLOEXEC);
  if (context < 0) return errno;
  int error = configure(context, device);
  if (error == 0) {
    *mounted = (int)syscall(SYS_fsmount, context, KERNEL_FSMOUNT_CLOEXEC, KERNEL_MOUNT_ATTR_BASELINE);
    if (*mounted < 0) error = errno;
  }
  close(context);
  return error;
}

int baseline_use(const char *device, int local) {
  int mounted = -1, error = 0;
  if (*device != '\0' && local) {
    mounted = open(device, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (mounted < 0) error = errno;
  } else if (*device != '\0') {
    error = mount_detached(device, &mounted);
  }
  if (error != 0) return error;
  if (root >= 0) close(root);
  root = mounted;
  return 0;
}

int baseline_root(void) {
  if (root < 0) errno = ENODEV;
  return root;
}

int baseline_keep(int fd) {
  if (root < 0) return fd;
  if (root == fd) return fd + 1;
  if (dup3(root, fd, O_CLOEXEC) < 0) return fd;
  root = fd;
  return fd + 1;
}
