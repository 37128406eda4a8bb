#include "spawn.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "announce.h"
#include "cgroup.h"
#include "child.h"
#include "clock.h"
#include "kernel.h"
#include "spare.h"
#include "deadline.h"
#include "pipes.h"
#include "pty.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* HOME, USER, LOGNAME, HOSTNAME */
enum { ENV_DEFAULTS = 4 };

/* Time in which a command has the guest's processor to itself, in ms. The agent prepares the next command after this time,
 * or after the end of the command. */
enum { HEAD_START_MS = 30 };

static int null_device = -1;
/* Start of the latest command; 0 after its end or its head start. */
static uint64_t latest_ns;

int spawn_init(void) {
  null_device = open("/dev/null", O_RDWR | O_CLOEXEC);
  return null_device < 0 ? errno : 0;
}

int spawn_prepare(void) {
  int left = latest_ns == 0 ? 0 : time_left_ms(latest_ns, HEAD_START_MS);
  if (left > 0) return left;
  latest_ns = 0;
  spare_prepare(null_device);
  pipes_prepare();
  cgroup_prepare();
  return -1;
}

static void on_reaped(struct stream *stream, const siginfo_t *info) {
  bool exited = info->si_code == CLD_EXITED;
  uint32_t code = (uint32_t)info->si_status;
  uint8_t how = exited ? HOW_EXITED : HOW_SIGNALED;
  if (stream->started_ns == latest_ns) latest_ns = 0;
  /* A shell exits with 137 after the kill of its child. */
  bool killed = exited ? code == 128 + SIGKILL : code == SIGKILL;
  if (stream->cgroup != NULL && (!exited || code != 0) && cgroup_ran_out_of_memory(stream->cgroup)) {
    if (killed) {
      how = HOW_OUT_OF_MEMORY;
      code = SIGKILL;
    } else {
      announce_event(EVENT_WARNING, "stream %u: a process of it was killed for want of memory", stream->number);
    }
  }
  stream_exited(stream, how, code);
}

/* A NULL-terminated array with `before` free slots in front and `after` behind; one allocation with its strings. */
static char **copy_list(struct list list, size_t before, size_t after) {
  size_t slots = before + list.count + after + 1;
  char **items = malloc(slots * sizeof *items + list.items.left + list.count);
  if (items == NULL) return NULL;
  char *text = (char *)(items + slots);
  for (size_t i = 0; i < slots; i++) items[i] = NULL;
  for (uint32_t i = 0; i < list.count; i++) {
    struct bytes str = take_str(&list.items);
    memcpy(text, str.data, str.size);
    text[str.size] = '\0';
    items[before + i] = text;
    text += str.size + 1;
  }
  return items;
}

static const char *variable(char *const *env, const char *name) {
  size_t length = strlen(name);
  for (; *env != NULL; env++)
    if (strncmp(*env, name, length) == 0 && (*env)[length] == '=') return *env + length + 1;
  return NULL;
}

struct variable {
  const char *name, *value;
};

/* Variables of a login, and Docker's HOSTNAME, unless the host has set them. */
static void add_defaults(char **env, size_t count, const struct user *user, char (*room)[HOME_MAX + 16]) {
  char host[HOST_NAME_MAX + 1] = "";
  gethostname(host, sizeof host - 1);
  const struct variable defaults[ENV_DEFAULTS] = {{"HOME", user->home}, {"USER", user->name}, {"LOGNAME", user->name}, {"HOSTNAME", host}};
  for (size_t i = 0; i < ENV_DEFAULTS; i++) {
    if (defaults[i].value[0] == '\0' || variable(env, defaults[i].name) != NULL) continue;
    snprintf(room[i], sizeof room[i], "%s=%s", defaults[i].name, defaults[i].value);
    env[count++] = room[i];
  }
}

static void close_pair(int ends[2]) {
  for (int i = 0; i < 2; i++)
    if (ends[i] >= 0) close(ends[i]);
}

/* The descriptors of both sides: [0] reads, [1] writes. */
struct pipes {
  int in[2], out[2], err[2];
};

static int open_pipes(struct pipes *pipes, bool with_input) {
  int error = pipe_take(pipes->out);
  if (error == 0) error = pipe_take(pipes->err);
  if (error != 0 || !with_input) return error;
  if (pipe2(pipes->in, O_CLOEXEC) < 0 || fcntl(pipes->in[1], F_SETFL, O_NONBLOCK) < 0) return errno;
  return 0;
}

static void watch_outputs(struct stream *stream, int out, int err) {
  output_open_pipe(&stream->outputs[0], out, stream->started_ns);
  output_open_pipe(&stream->outputs[1], err, stream->started_ns);
}

/* Gives the agent's ends to the stream, and closes the child's ends. */
static void take_pipes(struct stream *stream, struct pipes *pipes) {
  close(pipes->out[1]);
  close(pipes->err[1]);
  if (pipes->in[0] >= 0) close(pipes->in[0]);
  if (pipes->in[1] >= 0) input_open(&stream->input, pipes->in[1], false, false);
  watch_outputs(stream, pipes->out[0], pipes->err[0]);
}

/* Errors of clone3 if the guest's root removed the cgroup, gave it child cgroups, or made it threaded. */
static bool cgroup_unusable(int error) { return error == ENODEV || error == ENOENT || error == EBUSY || error == EOPNOTSUPP; }

static pid_t start_in_cgroup(struct stream *stream, const struct child_plan *plan, struct child_report *report) {
  if (stream->cgroup == NULL) return child_start(plan, -1, report);
  pid_t pid = child_start(plan, cgroup_descriptor(stream->cgroup), report);
  if (pid >= 0 || !cgroup_unusable(errno) || !cgroup_reused(stream->cgroup)) return pid;
  /* The guest's root changed the prepared cgroup. */
  int error = cgroup_replace(&stream->cgroup);
  if (error == 0) return child_start(plan, cgroup_descriptor(stream->cgroup), report);
  errno = error;
  return -1;
}

/* Handles the child's report: true when a command runs. */
static bool settle(struct stream *stream, const struct child_plan *plan, pid_t pid, const struct child_report *report) {
  if (report->error != 0) {
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) continue;
    const char *detail = report->step == STEP_CWD ? plan->cwd : report->step == STEP_USER ? plan->user->name : plan->argv[0];
    stream_fail(stream, report->error, report->step, detail);
    return false;
  }
  static const struct stream_events events = {.reaped = on_reaped};
  stream->on = &events;
  stream->pid = stream->leader = pid;
  stream->told_pid = (uint32_t)pid;
  stream->started_due = true;
  latest_ns = stream->started_ns;
  stream_changed(stream);
  return true;
}

/* Starts the child and handles its report; true when a command runs. */
static bool start(struct stream *stream, const struct child_plan *plan) {
  struct child_report report;
  pid_t pid = start_in_cgroup(stream, plan, &report);
  if (pid >= 0) return settle(stream, plan, pid, &report);
  stream_fail(stream, errno, stream->cgroup != NULL && cgroup_unusable(errno) ? STEP_CGROUP : STEP_EXEC, "clone");
  return false;
}

/* Runs the plan in the spare child; false if there is none, or if the request needs other resources. */
static bool run_spare(struct stream *stream, const struct child_plan *plan, const struct spawn_request *request) {
  struct spare spare;
  struct child_report report;
  if (request->memory_max != 0 || (request->flags & (SPAWN_PTY | SPAWN_STDIN)) != 0) return false;
  if (!spare_start(plan, request->pids_max, &spare, &report)) return false;
  stream->cgroup = spare.cgroup;
  if (settle(stream, plan, spare.pid, &report)) {
    watch_outputs(stream, spare.out, spare.err);
  } else {
    close(spare.out);
    close(spare.err);
  }
  return true;
}

static void run_with_pipes(struct stream *stream, struct child_plan *plan, bool with_input) {
  struct pipes pipes = {{-1, -1}, {-1, -1}, {-1, -1}};
  int error = open_pipes(&pipes, with_input);
  if (error != 0) {
    stream_fail(stream, error, STEP_EXEC, "pipe");
  } else {
    plan->in = with_input ? pipes.in[0] : null_device;
    plan->out = pipes.out[1];
    plan->err = pipes.err[1];
    if (start(stream, plan)) {
      take_pipes(stream, &pipes);
      return;
    }
  }
  close_pair(pipes.in);
  close_pair(pipes.out);
  close_pair(pipes.err);
}

static void run_with_terminal(struct stream *stream, struct child_plan *plan, const struct spawn_request *request) {
  struct pty pty;
  int error = pty_open(&pty, request->rows, request->cols, plan->user->uid);
  if (error != 0) {
    stream_fail(stream, error, STEP_PTY, "/dev/ptmx");
    return;
  }
  plan->in = plan->out = plan->err = pty.slave;
  plan->terminal = true;
  if (!start(stream, plan)) {
    pty_close(&pty);
    return;
  }
  stream->terminal = pty.slave;
  input_open(&stream->input, pty.input, true, false);
  if (output_open(&stream->outputs[0], pty.output, OUTPUT_PTY) < 0) stream_fail(stream, errno, STEP_IO, "epoll");
}

static void run(struct stream *stream, const struct spawn_request *request, const struct user *user, char **argv, char **env,
                const char *cwd) {
  const char *path = variable(env, "PATH");
  struct child_plan plan = {
      .argv = argv,
      .env = env,
      .path = path != NULL ? path : DEFAULT_PATH,
      .cwd = *cwd != '\0' ? cwd : "/",
      .user = user,
      .merged = (request->flags & SPAWN_MERGED) != 0,
  };
  stream->started_ns = clock_monotonic_ns();
  spare_wanted(request->pids_max);
  if (run_spare(stream, &plan, request)) return;
  if (cgroup_available()) {
    int error = cgroup_take(request->memory_max, request->pids_max, &stream->cgroup);
    if (error != 0) {
      stream_fail(stream, error, STEP_CGROUP, NULL);
      return;
    }
  }
  if (request->flags & SPAWN_PTY)
    run_with_terminal(stream, &plan, request);
  else
    run_with_pipes(stream, &plan, (request->flags & SPAWN_STDIN) != 0);
}

void spawn(struct stream *stream, const struct spawn_request *request) {
  static char defaults[ENV_DEFAULTS][HOME_MAX + 16];
  static struct user user;
  if (request->flags & SPAWN_PTY) stream->outputs[1].number = 0;
  if (request->argv.count == 0) {
    stream_fail(stream, EINVAL, STEP_EXEC, "argv is empty");
    return;
  }
  char *name = copy_str(request->user), *cwd = copy_str(request->cwd);
  char **argv = copy_list(request->argv, 1, 0), **env = copy_list(request->env, 0, ENV_DEFAULTS);
  if (name == NULL || cwd == NULL || argv == NULL || env == NULL) {
    stream_fail(stream, ENOMEM, STEP_EXEC, NULL);
  } else {
    int error = user_find(name, &user);
    if (error != 0) {
      stream_fail(stream, error, STEP_USER, name);
    } else {
      add_defaults(env, request->env.count, &user, defaults);
      run(stream, request, &user, argv + 1, env, cwd);
    }
  }
  free(name);
  free(cwd);
  free(argv);
  free(env);
}
