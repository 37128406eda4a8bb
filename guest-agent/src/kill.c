#include "spawn.h"

#include <signal.h>

#include "announce.h"
#include "pty.h"

enum { SIGNAL_MAX = 64 };

static void kill_group(const struct stream *stream, int signal) {
  pid_t group = stream->input.pty && stream->outputs[0].fd >= 0 ? pty_foreground(stream->outputs[0].fd) : stream->leader;
  if (group > 1) kill(-group, signal);
}

void kill_target(struct stream *stream, uint8_t target, uint32_t signal) {
  if (target == SIGNAL_EVERYTHING) {
    stream_kill(stream);
    return;
  }
  if (signal < 1 || signal > SIGNAL_MAX || target > SIGNAL_COMMAND) {
    announce_event(EVENT_WARNING, "stream %u: no signal %u to target %u", stream->number, signal, target);
    return;
  }
  /* Once the main process is reaped its number may be another's. */
  if (stream->pid <= 0) return;
  if (target == SIGNAL_MAIN)
    kill(stream->pid, (int)signal);
  else if (target == SIGNAL_COMMAND && signal == SIGKILL)
    stream_kill(stream); /* misses no process that starts meanwhile */
  else if (target == SIGNAL_COMMAND)
    stream_signal(stream, (int)signal);
  else if (stream->opener == KIND_SPAWN)
    kill_group(stream, (int)signal);
}
