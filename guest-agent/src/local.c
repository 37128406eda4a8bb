#include "boot.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cgroup.h"
#include "log.h"
#include "machine.h"
#include "net/network.h"
#include "port.h"

static const char usage[] = "use: agent --fd N | --listen PATH [--root DIR] [--cgroup DIR] [--network]";

static int listen_on(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) fatal("%s: the path of a socket is shorter than %zu bytes", path, sizeof address.sun_path);
  memcpy(address.sun_path, path, strlen(path) + 1);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 1) < 0) fatal("%s: %s", path, strerror(errno));
  return fd;
}

static void enter_root(const char *root) {
  if (chroot(root) < 0 || chdir("/") < 0) fatal("%s: %s", root, strerror(errno));
}

/* The network of the process that started the agent must stay as it is. */
static void allow_network(void) {
  struct stat own, others;
  char parent[64];
  snprintf(parent, sizeof parent, "/proc/%d/ns/net", (int)getppid());
  if (stat("/proc/self/ns/net", &own) < 0 || stat(parent, &others) < 0) fatal("network namespace: %s", strerror(errno));
  if (own.st_dev == others.st_dev && own.st_ino == others.st_ino) fatal("--network needs a network namespace of its own: unshare --net");
  int error = link_up("lo");
  if (error != 0) fatal("lo: %s", strerror(error));
  struct rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max; /* two descriptors for each of many connections */
    setrlimit(RLIMIT_NOFILE, &files);
  }
  network_allow_local();
}

void local_start(int count, char **arguments) {
  const char *root = NULL, *cgroup = NULL, *path = NULL;
  int fd = -1;
  for (int i = 1; i < count; i += 2) {
    if (strcmp(arguments[i], "--network") == 0) {
      allow_network();
      i--;
      continue;
    }
    const char *value = i + 1 < count ? arguments[i + 1] : NULL;
    if (value == NULL) fatal("%s", usage);
    if (strcmp(arguments[i], "--fd") == 0)
      fd = atoi(value);
    else if (strcmp(arguments[i], "--listen") == 0)
      path = value;
    else if (strcmp(arguments[i], "--root") == 0)
      root = value;
    else if (strcmp(arguments[i], "--cgroup") == 0)
      cgroup = value;
    else
      fatal("%s", usage);
  }
  if ((fd < 0) == (path == NULL)) fatal("%s", usage);
  if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0) fatal("subreaper: %s", strerror(errno));
  if (cgroup != NULL) {
    int error = cgroup_init(cgroup);
    if (error != 0) fatal("%s: %s", cgroup, strerror(error));
  }
  int listener = path != NULL ? listen_on(path) : -1;
  if (root != NULL) enter_root(root);
  if ((path != NULL ? port_use_listener(listener) : port_use_socket(fd)) < 0) fatal("channel: %s", strerror(errno));
}
