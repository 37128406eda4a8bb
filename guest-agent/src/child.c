#include "child.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "borrow.h"
#include "kernel.h"

static volatile struct child_report *shared;
static uid_t own_uid;
static gid_t own_gid;

int child_init(void) {
  void *page = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return errno;
  shared = page;
  own_uid = getuid();
  own_gid = getgid();
  return 0;
}

__attribute__((noreturn)) static void give_up(enum step step, int error) {
  shared->step = step;
  shared->error = error;
  _exit(127);
}

/* Errors that only mean "not in this directory of PATH". */
static bool look_further(int error) {
  return error == ENOENT || error == ENOTDIR || error == EACCES || error == ENODEV || error == ETIMEDOUT;
}

static void try_exec(const char *file, const struct child_plan *plan) {
  execve(file, plan->argv, plan->env);
  if (errno != ENOEXEC) return;
  /* As execvp does: a script without "#!" is the shell's. */
  static const char shell[] = "/bin/sh";
  char **script = plan->argv - 1;
  char *name = plan->argv[0];
  script[0] = (char *)(uintptr_t)shell;
  script[1] = (char *)(uintptr_t)file;
  execve(shell, script, plan->env);
  script[1] = name;
}

static void search_path(const struct child_plan *plan) {
  const char *name = plan->argv[0];
  size_t name_length = strlen(name);
  bool refused = false;
  for (const char *at = plan->path;;) {
    const char *end = strchrnul(at, ':');
    size_t length = (size_t)(end - at);
    char file[PATH_MAX];
    if (length + name_length + 2 <= sizeof file) {
      memcpy(file, at, length);
      if (length > 0) file[length++] = '/'; /* an empty entry is the current directory */
      memcpy(file + length, name, name_length + 1);
      try_exec(file, plan);
      if (errno == EACCES) refused = true;
      if (!look_further(errno)) return;
    }
    if (*end == '\0') break;
    at = end + 1;
  }
  errno = refused ? EACCES : ENOENT;
}

/* So the user may open /dev/stdout and /dev/stderr, to which servers of images write their logs. A terminal is the user's already. */
static void give_pipes(const struct user *user) {
  for (int fd = 0; fd <= 2; fd++) {
    struct stat status;
    if (fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode) && fchown(fd, user->uid, user->gid) < 0) continue;
  }
}

static void become(const struct user *user) {
  if (user->uid == own_uid && user->gid == own_gid && user->group_count <= 1) return;
  give_pipes(user);
  if (setgroups(user->group_count, user->groups) < 0) give_up(STEP_USER, errno);
  if (setresgid(user->gid, user->gid, user->gid) < 0) give_up(STEP_USER, errno);
  if (setresuid(user->uid, user->uid, user->uid) < 0) give_up(STEP_USER, errno);
}

void child_become(const struct child_plan *plan) {
  /* So stderr ends at once for the agent, and both keep the order in which the command writes. */
  if (plan->merged && dup2(1, 2) < 0) give_up(STEP_EXEC, errno);
  become(plan->user);
  if (chdir(plan->cwd) < 0) give_up(STEP_CWD, errno);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  if (strchr(plan->argv[0], '/') != NULL || plan->argv[0][0] == '\0')
    try_exec(plan->argv[0], plan);
  else
    search_path(plan);
  give_up(STEP_EXEC, errno);
}

__attribute__((noreturn)) static void child_main(const void *given) {
  const struct child_plan *plan = given;
  setsid();
  if (plan->terminal && ioctl(plan->in, TIOCSCTTY, 0) < 0) give_up(STEP_PTY, errno);
  /* All three are above 2: the agent keeps 0, 1 and 2 taken. */
  if (dup2(plan->in, 0) < 0 || dup2(plan->out, 1) < 0 || dup2(plan->err, 2) < 0) give_up(STEP_EXEC, errno);
  syscall(SYS_close_range, 3u, ~0u, KERNEL_CLOSE_RANGE_CLOEXEC);
  child_become(plan);
}

#if !BORROW_MEMORY
static long clone_and_run(struct kernel_clone_args *arguments, void (*body)(const void *), const void *given) {
  long result = syscall(SYS_clone3, arguments, sizeof *arguments);
  if (result == 0) body(given);
  return result < 0 ? -errno : result;
}
#endif

void child_report_clear(void) { shared->error = 0; }
struct child_report child_reported(void) {
  struct child_report report = {shared->error, shared->step};
  return report;
}

pid_t child_start(const struct child_plan *plan, int cgroup, struct child_report *report) {
  child_report_clear();
  struct kernel_clone_args arguments = {
      .flags = KERNEL_CLONE_VFORK | (BORROW_MEMORY ? KERNEL_CLONE_VM : 0) | (cgroup >= 0 ? KERNEL_CLONE_INTO_CGROUP : 0),
      .exit_signal = SIGCHLD,
      .cgroup = cgroup >= 0 ? (uint64_t)cgroup : 0,
  };
  long result = clone_and_run(&arguments, child_main, plan);
  if (result < 0) {
    errno = (int)-result;
    return -1;
  }
  *report = child_reported();
  return (pid_t)result;
}
