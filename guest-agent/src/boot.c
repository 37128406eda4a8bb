#include "boot.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <time.h>

#include "cgroup.h"
#include "freezer.h"
#include "kernel.h"
#include "log.h"
#include "machine.h"
#include "mount.h"
#include "nodes.h"
#include "small_file.h"

#define PORT_NAME "pyro.0"
/* The port of the channel on vsock. */
enum { VSOCK_PORT = 5005 };
enum { PORT_WAIT_MS = 10000, PORT_POLL_MS = 2 };

static void mount_kernel_file_systems(void) {
  static const struct {
    const char *target, *type, *data;
    unsigned long flags;
    bool needed;
  } mounts[] = {
      {"/proc", "proc", "", MS_NOSUID | MS_NODEV | MS_NOEXEC, true},
      {"/sys", "sysfs", "", MS_NOSUID | MS_NODEV | MS_NOEXEC, true},
      {"/dev", "devtmpfs", "mode=0755", MS_NOSUID, true},
      {"/dev/pts", "devpts", "mode=0620,gid=5,ptmxmode=0666", MS_NOSUID | MS_NOEXEC, true},
      {"/dev/shm", "tmpfs", "mode=1777", MS_NOSUID | MS_NODEV, true},
      {"/sys/fs/cgroup", "cgroup2", "", MS_NOSUID | MS_NODEV | MS_NOEXEC, false},
      {"/run", "tmpfs", "mode=0755", MS_NOSUID | MS_NODEV, true},
  };
  for (size_t i = 0; i < sizeof mounts / sizeof *mounts; i++) {
    int error = mount_at(mounts[i].type, mounts[i].target, mounts[i].type, mounts[i].flags, mounts[i].data);
    /* EBUSY: the kernel has mounted it already (CONFIG_DEVTMPFS_MOUNT). */
    if (error == 0 || error == EBUSY) continue;
    if (mounts[i].needed) fatal("mounting %s: %s", mounts[i].target, strerror(error));
    log_line("mounting %s: %s", mounts[i].target, strerror(error));
  }
}

/* Keeps descriptors 0, 1 and 2 taken, so that no other file gets their numbers. */
static void take_standard_descriptors(void) {
  int fd = open("/dev/null", O_RDWR | O_NOCTTY);
  if (fd < 0) fatal("/dev/null: %s", strerror(errno));
  for (int target = 0; target < 3; target++)
    if (fd != target && dup2(fd, target) < 0) fatal("descriptor %d: %s", target, strerror(errno));
  if (fd > 2) close(fd);
}

/* Commands inherit these limits. The kernel gives PID 1 limits of 1,024 and 4,096. */
static void raise_file_limit(void) {
  struct rlimit limit = {.rlim_cur = 65536, .rlim_max = 1048576};
  if (setrlimit(RLIMIT_NOFILE, &limit) < 0) log_line("RLIMIT_NOFILE: %s", strerror(errno));
}

/* Bytes of memory for each inotify watch that one user may have: a watch costs the kernel about 1 KiB. */
enum { BYTES_PER_WATCH = 4096, MIN_WATCHES = 65536, MAX_WATCHES = 524288 };

static uint64_t memory_bytes(void) {
  struct sysinfo info;
  return sysinfo(&info) == 0 ? (uint64_t)info.totalram * info.mem_unit : 0;
}

/* Locked memory as systemd allows it: an eighth of the memory. */
static void raise_lock_limit(uint64_t memory) {
  struct rlimit limit = {.rlim_cur = memory / 8, .rlim_max = memory / 8};
  if (memory != 0 && setrlimit(RLIMIT_MEMLOCK, &limit) < 0) log_line("RLIMIT_MEMLOCK: %s", strerror(errno));
}

static void set(const char *path, const char *text) {
  struct bytes value = {(const uint8_t *)text, strlen(text)};
  int error = write_small_file(path, 0644, value);
  if (error != 0) log_line("%s: %s", path, strerror(error));
}

static void set_limit(const char *path, uint64_t limit) {
  char digits[24];
  snprintf(digits, sizeof digits, "%llu", (unsigned long long)limit);
  set(path, digits);
}

/* A watcher of a large tree, a search engine and a build with many processes meet the kernel's defaults, which desktop distributions raise.
 */
static void raise_kernel_limits(uint64_t memory) {
  uint64_t watches = memory / BYTES_PER_WATCH;
  watches = watches < MIN_WATCHES ? MIN_WATCHES : watches > MAX_WATCHES ? MAX_WATCHES : watches;
  set_limit("/proc/sys/fs/inotify/max_user_watches", watches);
  set_limit("/proc/sys/fs/inotify/max_user_instances", 1024);
  set_limit("/proc/sys/vm/max_map_count", 1048576);
  set_limit("/proc/sys/kernel/pid_max", 4194304);
}

/* Keeps pages of the last second in memory, so that the kernel kills a process soon. Otherwise a guest without free
 * memory reads its programs' pages again and again for minutes (5 of 9 runs with 512 MiB). */
static void forbid_thrashing(void) {
  set("/sys/kernel/mm/lru_gen/enabled", "y");
  set("/sys/kernel/mm/lru_gen/min_ttl_ms", "1000");
}

/* As Docker does in each container's network: users other than root may listen on ports below 1024, and ping. */
static void open_network_to_users(void) {
  set("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0");
  set("/proc/sys/net/ipv4/ping_group_range", "0 2147483647");
}

/* Debian's own tmpfs has it, for locks of programs of any user. */
static void make_lock_directory(void) {
  int error = make_directories("/run/lock", 01777);
  if (error != 0) log_line("/run/lock: %s", strerror(error));
}

static bool names_port(const char *entry) {
  char path[300], name[sizeof PORT_NAME + 1] = "";
  snprintf(path, sizeof path, "/sys/class/virtio-ports/%s/name", entry);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  ssize_t size = read(fd, name, sizeof name);
  close(fd);
  return size == sizeof PORT_NAME && memcmp(name, PORT_NAME "\n", sizeof PORT_NAME) == 0;
}

static int find_port(void) {
  DIR *directory = opendir("/sys/class/virtio-ports");
  if (directory == NULL) return -1;
  int fd = -1;
  for (const struct dirent *entry; fd < 0 && (entry = readdir(directory)) != NULL;) {
    char path[300];
    if (entry->d_name[0] == '.' || !names_port(entry->d_name)) continue;
    snprintf(path, sizeof path, "/dev/%s", entry->d_name);
    fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  }
  closedir(directory);
  return fd;
}

/* The device appears a moment after its driver is loaded. */
static int wait_for_port(void) {
  for (int waited = 0; waited < PORT_WAIT_MS; waited += PORT_POLL_MS) {
    int fd = find_port();
    if (fd >= 0) return fd;
    nanosleep(&(struct timespec){.tv_nsec = PORT_POLL_MS * 1000000L}, NULL);
  }
  fatal("no virtio-serial port named " PORT_NAME);
}

/* For a VMM without virtio-serial. The kernel gives the agent unknown words of its command line as variables. */
static int listen_on_vsock(void) {
  const struct kernel_vsock_address any = {.family = KERNEL_AF_VSOCK, .port = VSOCK_PORT, .cid = KERNEL_VSOCK_CID_ANY};
  modules_load("/modules", "order-vsock");
  int fd = socket(KERNEL_AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0 || bind(fd, (const struct sockaddr *)&any, sizeof any) < 0 || listen(fd, 1) < 0) fatal("vsock: %s", strerror(errno));
  return fd;
}

int boot(bool *is_listener) {
  umask(022);
  mount_kernel_file_systems();
  take_standard_descriptors();
  log_init_console();
  nodes_make();
  raise_file_limit();
  uint64_t memory = memory_bytes();
  raise_lock_limit(memory);
  raise_kernel_limits(memory);
  forbid_thrashing();
  open_network_to_users();
  make_lock_directory();
  const char *kind = getenv("pyro_channel");
  bool vsock = kind != NULL && strcmp(kind, "vsock") == 0;
  modules_load("/modules", "order");
  int listener = vsock ? listen_on_vsock() : -1;
  modules_forget("/modules");
  int error = link_up("lo");
  if (error != 0) log_line("lo: %s", strerror(error));
  error = cgroup_init("/sys/fs/cgroup");
  if (error == 0) error = freezer_start("/sys/fs/cgroup");
  if (error != 0) log_line("cgroups: %s", strerror(error));
  error = interval_timer_stop();
  if (error != 0) log_line("interval timer: %s", strerror(error));
  *is_listener = vsock;
  return vsock ? listener : wait_for_port();
}
