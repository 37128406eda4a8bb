#include "reap.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "activate.h"
#include "call.h"
#include "loop.h"
#include "stream.h"

static struct source source;
static int signals = -1;
static bool children_changed, asked_to_end;

static void on_signal(struct source *unused, uint32_t events) {
  (void)unused;
  (void)events;
  struct signalfd_siginfo infos[4];
  ssize_t size = read(signals, infos, sizeof infos);
  for (ssize_t i = 0; i < size / (ssize_t)sizeof *infos; i++) {
    if (infos[i].ssi_signo == SIGCHLD) children_changed = true;
    if (infos[i].ssi_signo == SIGTERM || infos[i].ssi_signo == SIGINT) asked_to_end = true;
  }
}

/* A fault of the agent's own: never blocked, and a sanitizer's to handle. */
static bool is_fault(int signal) {
  return signal == SIGSEGV || signal == SIGBUS || signal == SIGFPE || signal == SIGILL || signal == SIGABRT;
}

int reap_init(void) {
  sigset_t all, watched;
  sigfillset(&all);
  for (int signal = 1; signal < NSIG; signal++) {
    struct sigaction action = {.sa_handler = SIG_DFL};
    if (is_fault(signal))
      sigdelset(&all, signal);
    else
      sigaction(signal, &action, NULL);
  }
  if (sigprocmask(SIG_SETMASK, &all, NULL) < 0) return -1;
  sigemptyset(&watched);
  sigaddset(&watched, SIGCHLD);
  if (getpid() != 1) {
    sigaddset(&watched, SIGTERM);
    sigaddset(&watched, SIGINT);
  }
  signals = signalfd(-1, &watched, SFD_NONBLOCK | SFD_CLOEXEC);
  if (signals < 0) return -1;
  source.ready = on_signal;
  return loop_watch_level(signals, EPOLLIN, &source);
}

void reap_children(void) {
  if (!children_changed) return;
  children_changed = false;
  for (;;) {
    siginfo_t info = {.si_pid = 0};
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG) < 0 || info.si_pid == 0) return;
    struct stream *stream = stream_of_pid(info.si_pid);
    if (stream != NULL)
      stream_reaped(stream, &info);
    else if (!activate_reaped(&info))
      call_reaped(info.si_pid, &info);
  }
}

int reap_asked_to_end(void) { return asked_to_end; }
