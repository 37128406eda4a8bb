#include "child.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include "kernel.h"

/* A sanitizer's shadow memory cannot be borrowed: there the child gets a copy, and only the page below is shared. */
#if defined(__SANITIZE_ADDRESS__)
#define BORROW_MEMORY 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BORROW_MEMORY 0
#endif
#endif
#if !defined(BORROW_MEMORY)
#if defined(__x86_64__)
#define BORROW_MEMORY 1
#else
#define BORROW_MEMORY 0
#endif
#endif

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
  char **script = plan->argv - 1;
  char *name = plan->argv[0];
  script[0] = (char *)(uintptr_t)"/bin/sh";
  script[1] = (char *)(uintptr_t)file;
  execve("/bin/sh", script, plan->env);
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

static void become(const struct user *user) {
  if (user->uid == own_uid && user->gid == own_gid && user->group_count <= 1) return;
  if (setgroups(user->group_count, user->groups) < 0) give_up(STEP_USER, errno);
  if (setresgid(user->gid, user->gid, user->gid) < 0) give_up(STEP_USER, errno);
  if (setresuid(user->uid, user->uid, user->uid) < 0) give_up(STEP_USER, errno);
}

__attribute__((noreturn, used)) static void child_main(const struct child_plan *plan) {
  setsid();
  if (plan->terminal && ioctl(plan->in, TIOCSCTTY, 0) < 0) give_up(STEP_PTY, errno);
  /* All three are above 2: the agent keeps 0, 1 and 2 taken. */
  if (dup2(plan->in, 0) < 0 || dup2(plan->out, 1) < 0 || dup2(plan->err, 2) < 0) give_up(STEP_EXEC, errno);
  syscall(SYS_close_range, 3u, ~0u, KERNEL_CLOSE_RANGE_CLOEXEC);
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

#if BORROW_MEMORY
/* vfork into a cgroup. The child never returns into this frame: it runs child_main further down the same stack, past
 * the red zone, while the agent is suspended until it has exec'd or ended. */
static long clone_and_run(struct kernel_clone_args *arguments, const struct child_plan *plan) {
  long result = SYS_clone3;
  register const struct child_plan *kept __asm__("r12") = plan;
  __asm__ volatile(
      "syscall\n\t"
      "test %%rax, %%rax\n\t"
      "jnz 1f\n\t"
      "xor %%ebp, %%ebp\n\t"
      "sub $256, %%rsp\n\t"
      "and $-16, %%rsp\n\t"
      "mov %%r12, %%rdi\n\t"
      "call child_main\n\t"
      "hlt\n"
      "1:"
      : "+a"(result)
      : "D"(arguments), "S"(sizeof *arguments), "r"(kept)
      : "rcx", "r11", "memory", "cc");
  return result;
}
#else
static long clone_and_run(struct kernel_clone_args *arguments, const struct child_plan *plan) {
  long result = syscall(SYS_clone3, arguments, sizeof *arguments);
  if (result == 0) child_main(plan);
  return result < 0 ? -errno : result;
}
#endif

pid_t child_start(const struct child_plan *plan, int cgroup, struct child_report *report) {
  shared->error = 0;
  struct kernel_clone_args arguments = {
      .flags = KERNEL_CLONE_VFORK | (BORROW_MEMORY ? KERNEL_CLONE_VM : 0) | (cgroup >= 0 ? KERNEL_CLONE_INTO_CGROUP : 0),
      .exit_signal = SIGCHLD,
      .cgroup = cgroup >= 0 ? (uint64_t)cgroup : 0,
  };
  long result = clone_and_run(&arguments, plan);
  if (result < 0) {
    errno = (int)-result;
    return -1;
  }
  *report = (struct child_report){shared->error, shared->step};
  return (pid_t)result;
}
