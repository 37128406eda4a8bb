#include "cgroup.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "kernel.h"
#include "list.h"
#include "log.h"
#include "loop.h"

/* Making and removing a group costs more than a short command's own exec, so empty groups are used again. Exceptions:
 * groups with a memory limit, because old pages still count, and killed groups, because Debian's kernel 6.1.176 kills
 * every process that is later cloned into one. */
enum { SPARES_MAX = 4 };

/* Most time that the agent stands still for a group. Few processes take a millisecond, and hundreds tens of them. */
enum { FREEZE_MS = 200 };

/* Most times, 2 ms apart, that a signal waits for a process that holds it back, and most processes that are asked: some
 * hold it back for ever. */
enum { HELD_TRIES = 10, LOOKS_MAX = 256 };

struct cgroup {
  struct link all;
  struct source source;
  struct cgroup *next_spare;
  int directory;
  int events;            /* cgroup.events: populated or not */
  int memory_events;     /* number of the kernel's kills in it; -1 without that controller */
  uint64_t memory_kills; /* number at its acquisition */
  uint64_t pids_max;     /* 0: no limit */
  bool limited, reused, killed;
  bool ready; /* as a spare: found empty, its kills counted */
  char name[24];
};

static struct link all = {&all, &all};
static int parent = -1;
static int processes = -1; /* /proc, from before any program of the guest */
static uint64_t next_name = 1;
static struct cgroup *spares;
static unsigned spare_count;

static int write_file(int directory, const char *name, const char *value) {
  int fd = openat(directory, name, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return errno;
  int error = write(fd, value, strlen(value)) < 0 ? errno : 0;
  close(fd);
  return error;
}

static void enable_controllers(int directory) {
  static const char *const controllers[] = {"+memory", "+pids", "+cpu"};
  for (size_t i = 0; i < sizeof controllers / sizeof *controllers; i++) write_file(directory, "cgroup.subtree_control", controllers[i]);
}

int cgroup_init(const char *directory) {
  if (processes < 0) processes = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
  int top = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (top < 0) return errno;
  enable_controllers(top);
  int error = 0;
  if (mkdirat(top, "pyro", 0755) < 0 && errno != EEXIST) error = errno;
  if (error == 0) parent = openat(top, "pyro", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (error == 0 && parent < 0) error = errno;
  if (parent >= 0) enable_controllers(parent);
  close(top);
  return error;
}

bool cgroup_available(void) { return parent >= 0; }

static int set_limit(int directory, const char *name, uint64_t limit) {
  char value[24] = "max";
  if (limit != 0) snprintf(value, sizeof value, "%llu", (unsigned long long)limit);
  return write_file(directory, name, value);
}

/* The number after `key` in a small file of "key number" lines; 0 without the key. */
static uint64_t read_key(int fd, const char *key) {
  char text[512];
  ssize_t size = pread(fd, text, sizeof text - 1, 0);
  if (size <= 0) return 0;
  text[size] = '\0';
  size_t length = strlen(key);
  for (const char *line = text; line != NULL && *line != '\0';) {
    if (strncmp(line, key, length) == 0 && line[length] == ' ') return strtoull(line + length + 1, NULL, 10);
    line = strchr(line, '\n');
    if (line != NULL) line++;
  }
  return 0;
}

static bool populated(const struct cgroup *cgroup) { return read_key(cgroup->events, "populated") != 0; }

static uint64_t memory_kills(const struct cgroup *cgroup) {
  return cgroup->memory_events < 0 ? 0 : read_key(cgroup->memory_events, "oom_kill");
}

static void destroy(struct cgroup *cgroup) {
  list_remove(&cgroup->all);
  unlinkat(parent, cgroup->name, AT_REMOVEDIR);
  loop_close(cgroup->events);
  if (cgroup->memory_events >= 0) close(cgroup->memory_events);
  close(cgroup->directory);
  cgroup->events = cgroup->directory = -1;
  loop_free_later(cgroup);
}

static int make(struct cgroup **out) {
  struct cgroup *cgroup = calloc(1, sizeof *cgroup);
  if (cgroup == NULL) return ENOMEM;
  snprintf(cgroup->name, sizeof cgroup->name, "%llu", (unsigned long long)next_name++);
  cgroup->directory = cgroup->events = cgroup->memory_events = -1;
  int error = 0;
  if (mkdirat(parent, cgroup->name, 0755) < 0 && errno != EEXIST) error = errno;
  if (error == 0) cgroup->directory = openat(parent, cgroup->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (cgroup->directory >= 0) cgroup->events = openat(cgroup->directory, "cgroup.events", O_RDONLY | O_CLOEXEC);
  if (error == 0 && cgroup->events < 0) error = errno;
  if (error == 0) cgroup->memory_events = openat(cgroup->directory, "memory.events", O_RDONLY | O_CLOEXEC);
  if (error != 0) {
    if (cgroup->directory >= 0) close(cgroup->directory);
    free(cgroup);
    return error;
  }
  list_append(&all, &cgroup->all);
  *out = cgroup;
  return 0;
}

static void linger(struct cgroup *cgroup);

static struct cgroup *pop_spare(void) {
  struct cgroup *cgroup = spares;
  spares = cgroup->next_spare;
  spare_count--;
  return cgroup;
}

/* The oldest first: it had the most time to become ready. */
static void put_away(struct cgroup *cgroup) {
  struct cgroup **at = &spares;
  while (*at != NULL) at = &(*at)->next_spare;
  cgroup->ready = false;
  cgroup->next_spare = NULL;
  *at = cgroup;
  spare_count++;
}

/* Checks here, once, that a spare is empty: a background process may still have been in it when it was put away. */
static void make_first_ready(void) {
  while (spares != NULL && !spares->ready) {
    if (populated(spares)) {
      linger(pop_spare());
      continue;
    }
    spares->memory_kills = memory_kills(spares);
    spares->ready = true;
  }
}

void cgroup_prepare(void) {
  make_first_ready();
  struct cgroup *cgroup = NULL;
  if (spares != NULL || !cgroup_available() || make(&cgroup) != 0) return;
  put_away(cgroup);
  make_first_ready();
}

/* A new group with these limits. */
static int make_limited(uint64_t memory_max, uint64_t pids_max, struct cgroup **out) {
  struct cgroup *cgroup = NULL;
  int error = make(&cgroup);
  if (error != 0) return error;
  cgroup->limited = memory_max != 0;
  if (memory_max != 0) error = set_limit(cgroup->directory, "memory.max", memory_max);
  if (error == 0) error = cgroup_limit_processes(cgroup, pids_max);
  if (error != 0)
    destroy(cgroup);
  else
    *out = cgroup;
  return error;
}

int cgroup_take(uint64_t memory_max, uint64_t pids_max, struct cgroup **out) {
  if (memory_max == 0) make_first_ready();
  if (memory_max != 0 || spares == NULL) return make_limited(memory_max, pids_max, out);
  struct cgroup *cgroup = *out = pop_spare();
  cgroup->reused = true;
  return cgroup_limit_processes(cgroup, pids_max) == 0 ? 0 : cgroup_replace(out);
}

int cgroup_replace(struct cgroup **cgroup) {
  uint64_t pids_max = (*cgroup)->pids_max;
  destroy(*cgroup);
  *cgroup = NULL;
  return make_limited(0, pids_max, cgroup);
}

int cgroup_limit_processes(struct cgroup *cgroup, uint64_t pids_max) {
  if (pids_max == cgroup->pids_max) return 0;
  cgroup->pids_max = pids_max;
  return set_limit(cgroup->directory, "pids.max", pids_max);
}

int cgroup_descriptor(const struct cgroup *cgroup) { return cgroup->directory; }

void cgroup_kill(struct cgroup *cgroup) {
  cgroup->killed = true;
  write_file(cgroup->directory, "cgroup.kill", "1");
}

/* Waits until no process of the group runs, or for FREEZE_MS: one may sleep in the kernel. */
static void await_frozen(const struct cgroup *cgroup) {
  const struct timespec pause = {.tv_nsec = 1000000};
  for (int waited = 0; waited < FREEZE_MS && read_key(cgroup->events, "frozen") == 0; waited++) nanosleep(&pause, NULL);
}

/* Whether a process holds a signal back. Of what the guest's root has mounted over /proc it says no. */
static bool holds_back(pid_t pid, int signal) {
  char path[32], text[2048];
  snprintf(path, sizeof path, "%d/status", (int)pid);
  struct kernel_open_how how = {
      .flags = O_RDONLY | O_CLOEXEC,
      .resolve = KERNEL_RESOLVE_NO_SYMLINKS | KERNEL_RESOLVE_NO_XDEV,
  };
  int fd = (int)syscall(SYS_openat2, processes, path, &how, sizeof how);
  if (fd < 0) return false;
  ssize_t size = read(fd, text, sizeof text - 1);
  close(fd);
  text[size > 0 ? size : 0] = '\0';
  static const char key[] = "\nSigBlk:";
  const char *line = strstr(text, key);
  return line != NULL && (strtoull(line + strlen(key), NULL, 16) >> (signal - 1) & 1) != 0;
}

/* Visits each process of a group but the agent, which the guest's root may have moved there. */
static void visit_members(const struct cgroup *cgroup, void (*visit)(pid_t pid, void *visitor), void *visitor) {
  int fd = openat(cgroup->directory, "cgroup.procs", O_RDONLY | O_CLOEXEC);
  char text[4096];
  uint64_t pid = 0;
  for (ssize_t size = 0; fd >= 0 && (size = read(fd, text, sizeof text)) > 0;) {
    for (ssize_t i = 0; i < size; i++) {
      if (text[i] >= '0' && text[i] <= '9') {
        pid = pid * 10 + (uint64_t)(text[i] - '0');
        continue;
      }
      /* 0 is a process of another namespace. */
      if (pid > 0 && pid <= INT32_MAX && (pid_t)pid != getpid()) visit((pid_t)pid, visitor);
      pid = 0;
    }
  }
  if (fd >= 0) close(fd);
}

struct look {
  int signal, left;
  bool held;
};

static void look_at(pid_t pid, void *visitor) {
  struct look *look = visitor;
  if (!look->held && look->left-- > 0) look->held = holds_back(pid, look->signal);
}

/* Whether a process of the group holds a signal back. */
static bool is_held(const struct cgroup *cgroup, int signal) {
  struct look look = {.signal = signal, .left = LOOKS_MAX};
  visit_members(cgroup, look_at, &look);
  return look.held;
}

struct order {
  int signal;
  pid_t leader;
};

static void signal_other(pid_t pid, void *visitor) {
  const struct order *order = visitor;
  if (pid != order->leader) kill(pid, order->signal);
}

/* A process that forks at the moment of its signal has a child that no look into the group finds, unless all of them stand
 * still. A shell holds its signals back while it forks, and would fork on: it gets the time to end that first. */
void cgroup_signal(const struct cgroup *cgroup, int signal, pid_t leader) {
  const struct timespec pause = {.tv_nsec = 2000000};
  for (int left = HELD_TRIES;; left--) {
    write_file(cgroup->directory, "cgroup.freeze", "1");
    await_frozen(cgroup);
    if (left == 0 || !is_held(cgroup, signal)) break;
    write_file(cgroup->directory, "cgroup.freeze", "0");
    nanosleep(&pause, NULL);
  }
  /* First, as a shell that notices the end of its child would exit with a status of its own. */
  kill(leader, signal);
  visit_members(cgroup, signal_other, &(struct order){.signal = signal, .leader = leader});
  write_file(cgroup->directory, "cgroup.freeze", "0");
}

bool cgroup_reused(const struct cgroup *cgroup) { return cgroup->reused; }

bool cgroup_ran_out_of_memory(const struct cgroup *cgroup) { return memory_kills(cgroup) > cgroup->memory_kills; }

static void on_event(struct source *source, uint32_t events) {
  (void)events;
  struct cgroup *cgroup = container_of(source, struct cgroup, source);
  if (cgroup->events >= 0 && !populated(cgroup)) destroy(cgroup);
}

/* Removes it after its last background process ended. */
static void linger(struct cgroup *cgroup) {
  cgroup->source.ready = on_event;
  if (loop_watch(cgroup->events, EPOLLPRI, &cgroup->source) < 0) {
    log_line("cgroup %s: %s", cgroup->name, strerror(errno));
    return;
  }
  on_event(&cgroup->source, EPOLLPRI); /* it may have emptied before the watch */
}

void cgroup_release(struct cgroup *cgroup) {
  if (!cgroup->limited && !cgroup->killed && spare_count < SPARES_MAX)
    put_away(cgroup);
  else if (populated(cgroup))
    linger(cgroup);
  else
    destroy(cgroup);
}

void cgroups_remove(void) {
  spares = NULL;
  spare_count = 0;
  while (!list_empty(&all)) destroy(container_of(all.next, struct cgroup, all));
}
