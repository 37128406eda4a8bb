#include "spare.h"

#include "borrow.h"

#if BORROW_MEMORY

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "kernel.h"
#include "pipes.h"

enum {
  STACK_BYTES = 64 * 1024,
  /* Longer than any delay of the scheduler: after this time, the child is stopped or frozen. */
  DEADLINE_S = 1,
};

enum state { WAITING, GO, RUNNING, CANCELLED };

static uint8_t stack[STACK_BYTES] __attribute__((aligned(16)));
/* Both are futexes. The kernel sets `tid` to 0 when the child has left the agent's memory, by its exec or its death. */
static uint32_t state;
static uint32_t tid;
static const struct child_plan *volatile order;
static struct spare spare = {-1, NULL, -1, -1};
static bool wanted, used;
static uint64_t wanted_pids;

static bool agent_may_end(void) { return getpid() != 1; }

/* State of the child before its first command. */
struct place {
  int in, out, err;
  bool dies_with_agent, shares_root;
};
static struct place place;
/* The agent moves to the workspace's root once, after temporary visits of a warm-up. */
static bool root_is_final;

static bool settle(void) {
  if (quiet_syscall(SYS_setsid, 0, 0, 0, 0) < 0) return false;
  if (quiet_syscall(SYS_dup2, place.in, 0, 0, 0) < 0) return false;
  if (quiet_syscall(SYS_dup2, place.out, 1, 0, 0) < 0 || quiet_syscall(SYS_dup2, place.err, 2, 0, 0) < 0) return false;
  /* Closes all descriptors of the agent: a peer must see the close when the agent closes its end. */
  if (quiet_syscall(SYS_close_range, 3, ~0u, 0, 0) < 0) return false;
  quiet_syscall(SYS_prctl, PR_SET_NAME, (long)"pyro-next", 0, 0);
  return !place.dies_with_agent || quiet_syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0) == 0;
}

/* A signal that arrived during the wait was not meant for the command. */
static void forget_signals(void) {
  static const uint64_t every = ~0ull;
  static const struct timespec at_once;
  while (quiet_syscall(SYS_rt_sigtimedwait, (long)&every, 0, (long)&at_once, sizeof every) > 0) continue;
}

static bool move_state(enum state from, enum state to) {
  uint32_t expected = from;
  return __atomic_compare_exchange_n(&state, &expected, to, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

static void wait_for_command(const void *unused) {
  (void)unused;
  if (settle()) {
    while (__atomic_load_n(&state, __ATOMIC_ACQUIRE) == WAITING)
      quiet_syscall(SYS_futex, (long)&state, KERNEL_FUTEX_WAIT_PRIVATE, WAITING, 0);
    if (move_state(GO, RUNNING)) {
      forget_signals();
      if (place.shares_root) quiet_syscall(SYS_unshare, KERNEL_CLONE_FS, 0, 0, 0);
      if (place.dies_with_agent) quiet_syscall(SYS_prctl, PR_SET_PDEATHSIG, 0, 0, 0);
      /* The agent waits meanwhile, so the child may change the shared errno. */
      child_become(order);
    }
  }
  for (;;) quiet_syscall(SYS_exit_group, 127, 0, 0, 0);
}

static bool in_memory(void) { return __atomic_load_n(&tid, __ATOMIC_ACQUIRE) != 0; }

/* Waits until the child has left the agent's memory; false if it did not run in time. */
static bool wait_until_gone(void) {
  static const struct timespec deadline = {DEADLINE_S, 0};
  for (uint32_t seen; (seen = __atomic_load_n(&tid, __ATOMIC_ACQUIRE)) != 0;) {
    long result = quiet_syscall(SYS_futex, (long)&tid, KERNEL_FUTEX_WAIT, seen, (long)&deadline);
    if (result == -ETIMEDOUT && move_state(GO, CANCELLED)) return false;
  }
  return true;
}

/* Kills the spare child. While the child uses the agent's memory, nobody has reaped it, so its pid names no other process. */
static void kill_and_wait(void) {
  while (in_memory()) {
    kill(spare.pid, SIGKILL);
    wait_until_gone();
  }
}

static void close_ends(struct spare *child) {
  if (child->out >= 0) close(child->out);
  if (child->err >= 0) close(child->err);
  child->out = child->err = -1;
}

/* Ends the spare child. The process that ended or stopped the child may also have changed the child's cgroup, so the agent kills
 * the cgroup, which prevents its reuse. */
static void discard(void) {
  kill_and_wait();
  close_ends(&spare);
  if (spare.cgroup != NULL) {
    cgroup_kill(spare.cgroup);
    cgroup_release(spare.cgroup);
  }
  spare = (struct spare){-1, NULL, -1, -1};
}

void spare_wanted(uint64_t pids_max) {
  wanted = used;
  used = true;
  wanted_pids = pids_max;
}

static void make_spare(const struct place *given) {
  struct kernel_clone_args arguments = {
      .flags = KERNEL_CLONE_VM | KERNEL_CLONE_PARENT_SETTID | KERNEL_CLONE_CHILD_CLEARTID | (given->shares_root ? KERNEL_CLONE_FS : 0) |
               (spare.cgroup != NULL ? KERNEL_CLONE_INTO_CGROUP : 0),
      .child_tid = (uint64_t)&tid,
      .parent_tid = (uint64_t)&tid,
      .exit_signal = SIGCHLD,
      .stack = (uint64_t)stack,
      .stack_size = sizeof stack,
      .cgroup = spare.cgroup != NULL ? (uint64_t)cgroup_descriptor(spare.cgroup) : 0,
  };
  place = *given;
  state = WAITING;
  long pid = clone_and_run(&arguments, wait_for_command, NULL);
  if (pid >= 0)
    spare.pid = (pid_t)pid;
  else
    discard();
}

void spare_prepare(int in) {
  if (spare.pid >= 0 && !in_memory()) discard();
  if (!wanted || spare.pid >= 0) return;
  int out[2] = {-1, -1}, err[2] = {-1, -1};
  if (pipe_take(out) != 0) return;
  if (pipe_take(err) == 0 && (!cgroup_available() || cgroup_take(0, wanted_pids, &spare.cgroup) == 0)) {
    spare.out = out[0];
    spare.err = err[0];
    make_spare(&(struct place){.in = in, .out = out[1], .err = err[1], .dies_with_agent = agent_may_end(), .shares_root = !root_is_final});
  } else {
    close(out[0]);
    if (err[0] >= 0) close(err[0]);
  }
  close(out[1]);
  if (err[1] >= 0) close(err[1]);
}

/* Whether it ran the plan, with any outcome. */
static bool go(const struct child_plan *plan) {
  order = plan;
  child_report_clear();
  __atomic_store_n(&state, GO, __ATOMIC_RELEASE);
  quiet_syscall(SYS_futex, (long)&state, KERNEL_FUTEX_WAKE_PRIVATE, 1, 0);
  return wait_until_gone() && __atomic_load_n(&state, __ATOMIC_ACQUIRE) == RUNNING;
}

bool spare_start(const struct child_plan *plan, uint64_t pids_max, struct spare *taken, struct child_report *report) {
  if (spare.pid < 0) return false;
  if (!in_memory() || (spare.cgroup != NULL && cgroup_limit_processes(spare.cgroup, pids_max) != 0) || !go(plan)) {
    discard();
    return false;
  }
  *taken = spare;
  spare = (struct spare){-1, NULL, -1, -1};
  *report = child_reported();
  return true;
}

void spare_root_moves(bool for_good) {
  if (spare.pid >= 0 && !place.shares_root) discard();
  if (for_good) root_is_final = true;
}

pid_t spare_pid(void) { return spare.pid; }

void spare_end(void) {
  wanted = false;
  if (spare.pid >= 0) discard();
}

#else

void spare_wanted(uint64_t pids_max) { (void)pids_max; }
void spare_prepare(int in) { (void)in; }
bool spare_start(const struct child_plan *plan, uint64_t pids_max, struct spare *taken, struct child_report *report) {
  (void)plan, (void)pids_max, (void)taken, (void)report;
  return false;
}
void spare_root_moves(bool for_good) { (void)for_good; }
pid_t spare_pid(void) { return -1; }
void spare_end(void) {}

#endif
