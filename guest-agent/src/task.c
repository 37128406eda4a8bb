#include "task.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include "baseline.h"
#include "draft.h"
#include "kernel.h"

int task_failed(struct task_report *report, int error, enum step step, const char *detail) {
  report->error = (uint32_t)error;
  report->step = (uint8_t)step;
  strncpy(report->detail, detail, DETAIL_MAX - 1);
  return error;
}

/* A file that helpers lock. A record lock belongs to a process, so none outlives its helper. In a helper the file is
 * descriptor HELPER_LOCK. */
enum { HELPER_LOCK = 3 };
static int lock_file = -1;

static int open_lock(void) {
  if (lock_file < 0) lock_file = memfd_create("pyro-writers", MFD_CLOEXEC);
  return lock_file < 0 ? errno : 0;
}

int task_alone(void) {
  struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  while (fcntl(HELPER_LOCK, F_SETLKW, &whole) < 0)
    if (errno != EINTR) return errno;
  return 0;
}

__attribute__((noreturn)) static void help(task_body *body, const void *request, struct task_report *report, int in, int out) {
  /* Nothing else of the agent's may stay open here: an inherited end of another stream's pipe would hide its end. */
  if ((in >= 0 && dup2(in, 0) < 0) || (out >= 0 && dup2(out, 1) < 0)) _exit(1);
  if (in >= 0 && dup2(lock_file, HELPER_LOCK) < 0) _exit(1);
  close_from((unsigned)(in >= 0 ? HELPER_LOCK + 1 : baseline_keep(HELPER_LOCK)));
  signal(SIGPIPE, SIG_IGN);
  body(request, report);
  _exit(0);
}

static int open_pipes(int in[2], int out[2], bool with_input) {
  if (pipe2(out, O_CLOEXEC) < 0 || fcntl(out[0], F_SETFL, O_NONBLOCK) < 0) return errno;
  if (!with_input) return 0;
  if (pipe2(in, O_CLOEXEC) < 0 || fcntl(in[1], F_SETFL, O_NONBLOCK) < 0) return errno;
  return open_lock();
}

static void close_all(const int fds[2]) {
  for (int i = 0; i < 2; i++)
    if (fds[i] >= 0) close(fds[i]);
}

static struct task_report *map_report(void) {
  void *page = mmap(NULL, sizeof(struct task_report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return page == MAP_FAILED ? NULL : page;
}

static void unmap_report(struct stream *stream) {
  static const struct stream_events none;
  munmap(stream->report, sizeof *stream->report);
  stream->report = NULL;
  stream->on = &none;
}

static void on_reaped(struct stream *stream, const siginfo_t *info) {
  const struct task_report *report = stream->report;
  bool exited = info->si_code == CLD_EXITED;
  if (report->error != 0)
    stream_fail_drained(stream, (int)report->error, report->step, report->detail);
  else if (!exited || info->si_status != 0)
    stream_fail_drained(stream, exited ? EIO : EINTR, STEP_IO, "the helper was killed");
  else
    stream_exited(stream, HOW_EXITED, 0);
  unmap_report(stream);
}

static void on_input_complete(struct stream *stream) { stream->report->go_on = true; }

/* A running helper ends by itself (WRITE, CHANGE: without a word to go on, it removes its temporary files; FILE: a copy looks for the
 * signal, and removes what it made) or is killed. */
static void on_released(struct stream *stream) {
  if (stream->pid > 0 && stream->opener != KIND_WRITE && stream->opener != KIND_CHANGE)
    kill(stream->pid, stream->opener == KIND_FILE ? SIGTERM : SIGKILL);
  unmap_report(stream);
}

static const struct stream_events events = {.input_complete = on_input_complete, .reaped = on_reaped, .released = on_released};

void task_start(struct stream *stream, task_body *body, const void *request, bool with_input) {
  int in[2] = {-1, -1}, out[2] = {-1, -1};
  draft_prepare();
  stream->report = map_report();
  int error = stream->report != NULL ? open_pipes(in, out, with_input) : ENOMEM;
  pid_t pid = error == 0 ? fork() : -1;
  if (pid == 0) help(body, request, stream->report, in[0], out[1]);
  if (pid < 0) {
    if (error == 0) error = errno;
    close_all(in);
    close_all(out);
    if (stream->report != NULL) unmap_report(stream);
    stream_fail(stream, error, STEP_LIMIT, "helper");
    return;
  }
  stream->pid = pid;
  stream->on = &events;
  stream->started_due = true;
  if (with_input) {
    close(in[0]);
    input_open(&stream->input, in[1], false, false);
    stream->told_pid = stream->input.credit;
  }
  close(out[1]);
  if (output_open(&stream->outputs[0], out[0], OUTPUT_HELPER) < 0) stream_fail(stream, errno, STEP_IO, "epoll");
  stream_changed(stream);
}
