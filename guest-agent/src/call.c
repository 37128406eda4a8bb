#include "call.h"

#include <errno.h>

#include "operations.h"
#include "port.h"

static bool local;
static uint8_t fail_next;
static struct {
  bool open;
  bool broken; /* an earlier step failed */
} chain;
/* The call whose answer a child process will bring. */
static struct {
  bool active, reaped;
  pid_t pid;
  uint32_t id;
  int error;
} pending;

void call_init(bool is_local) { local = is_local; }
bool call_busy(void) { return pending.active; }

void call_reset(void) {
  chain.open = chain.broken = false;
  /* Its answer belongs to the host that asked; the child is reaped like an orphan. */
  pending.active = false;
}

void call_chain_break(void) {
  if (chain.open) chain.broken = true;
}

bool call_chain_open(void) { return chain.open; }
bool call_chain_broken(void) { return chain.open && chain.broken; }

static int fail_next_call(struct call *call) {
  uint8_t op = take_u8(&call->fields);
  int error = call_done(call);
  if (error == 0) fail_next = op;
  return error;
}

static int chain_call(struct call *call) {
  uint8_t on = take_u8(&call->fields);
  int error = call_done(call);
  if (error != 0) return error;
  chain.open = on != 0;
  chain.broken = false;
  return 0;
}

static int run_operation(uint8_t op, struct call *call) {
  if (op == OP_CHAIN) return chain_call(call);
  const struct operation *operation = operation_find(op);
  if (operation == NULL && op != OP_FAIL_NEXT) return ENOSYS;
  if (call_chain_broken()) return ECANCELED;
  if (fail_next != 0 && fail_next == op) {
    fail_next = 0;
    call_about(call, "FAIL_NEXT");
    return EIO;
  }
  if (op == OP_FAIL_NEXT) return fail_next_call(call);
  return local && operation->machine ? EOPNOTSUPP : operation->run(call);
}

static struct writer begin_result(uint32_t id, int error, const char *detail) {
  struct writer writer = frame_begin(port_room(FRAME_MAX), FRAME_MAX, id, KIND_RESULT);
  put_u32(&writer, (uint32_t)error);
  put_str(&writer, detail);
  return writer;
}

static void answer_error(uint32_t id, int error, const char *detail) {
  call_chain_break();
  struct writer writer = begin_result(id, error, detail);
  port_commit(frame_finish(&writer));
}

bool call_begins_chain(const struct frame *frame) {
  struct cursor fields = cursor_over(frame->payload, frame->length);
  return frame->kind == KIND_CALL && take_u8(&fields) == OP_CHAIN && take_u8(&fields) != 0 && !fields.bad;
}

void call_run(const struct frame *frame) {
  struct writer result = begin_result(frame->stream, 0, "");
  struct call call = {.fields = cursor_over(frame->payload, frame->length), .result = &result, .local = local};
  uint8_t op = take_u8(&call.fields);
  int error = call.fields.bad ? EBADMSG : run_operation(op, &call);
  if (error == OPERATION_PENDING) {
    pending.id = frame->stream;
    pending.pid = call.child;
    pending.active = true;
    pending.reaped = false;
    return;
  }
  if (error == 0 && result.full) error = EMSGSIZE;
  if (error != 0)
    answer_error(frame->stream, error, call.detail);
  else
    port_commit(frame_finish(&result));
}

void call_reaped(pid_t pid, const siginfo_t *info) {
  if (!pending.active || pid != pending.pid) return;
  pending.reaped = true;
  pending.error = info->si_code == CLD_EXITED ? info->si_status : EINTR;
}

void call_answer_pending(void) {
  if (!pending.active || !pending.reaped) return;
  pending.active = false;
  if (pending.error != 0) {
    answer_error(pending.id, pending.error, "sync");
    return;
  }
  struct writer writer = begin_result(pending.id, 0, "");
  port_commit(frame_finish(&writer));
}
