#include "call.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "encode.h"
#include "entropy.h"
#include "machine.h"
#include "mount.h"
#include "port.h"
#include "small_file.h"

enum { DETAIL_MAX_BYTES = 256, PENDING = -1 };

/* One call on its way: its fields, the result to be filled, and what failed where. */
struct call {
  struct cursor fields;
  struct writer *result;
  char detail[DETAIL_MAX_BYTES];
};

static bool local;
static uint8_t fail_next;
static struct {
  bool open, broken;
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

bool call_chain_broken(void) { return chain.open && chain.broken; }

/* Notes what the errno is about. */
static void about(struct call *call, const char *what) {
  size_t length = strnlen(what, DETAIL_MAX_BYTES - 1);
  memcpy(call->detail, what, length);
  call->detail[length] = '\0';
}

/* The next str field as a C string, to be freed; NULL with *error set. The first one names the call in its detail. */
static char *take_path(struct call *call, int *error) {
  char *path = copy_str(take_str(&call->fields));
  if (path == NULL) *error = ENOMEM;
  if (path != NULL && call->detail[0] == '\0') about(call, path);
  return path;
}

static int done(const struct call *call) { return cursor_done(&call->fields) ? 0 : EBADMSG; }

static int ping(struct call *call) {
  struct bytes bytes = take_bytes(&call->fields);
  int error = done(call);
  if (error == 0) put_bytes(call->result, bytes.data, bytes.size);
  return error;
}

static int reseed(struct call *call) {
  struct bytes bytes = take_bytes(&call->fields);
  int error = done(call);
  return error != 0 ? error : entropy_mix(bytes);
}

static int clock_set(struct call *call) {
  uint64_t ns = take_u64(&call->fields), before = clock_realtime_ns();
  int error = done(call);
  if (error == 0) error = clock_set_realtime(ns);
  if (error == 0) put_u64(call->result, before);
  return error;
}

static int clock_get(struct call *call) {
  int error = done(call);
  if (error != 0) return error;
  put_u64(call->result, clock_realtime_ns());
  put_u64(call->result, clock_monotonic_ns());
  return 0;
}

static int mount_call(struct call *call) {
  int error = 0;
  char *source = copy_str(take_str(&call->fields)), *target = take_path(call, &error), *type = copy_str(take_str(&call->fields));
  uint64_t flags = take_u64(&call->fields);
  char *data = copy_str(take_str(&call->fields));
  if (source == NULL || type == NULL || data == NULL) error = ENOMEM;
  if (error == 0) error = done(call);
  if (error == 0) error = mount_at(source, target, type, (unsigned long)flags, data);
  free(source);
  free(target);
  free(type);
  free(data);
  return error;
}

static int umount_call(struct call *call) {
  int error = 0;
  char *target = take_path(call, &error);
  uint32_t flags = take_u32(&call->fields);
  if (error == 0) error = done(call);
  if (error == 0) error = unmount_at(target, (int)flags);
  free(target);
  return error;
}

static int mkdir_call(struct call *call) {
  int error = 0;
  char *path = take_path(call, &error);
  uint32_t mode = take_u32(&call->fields);
  if (error == 0) error = done(call);
  if (error == 0) error = make_directories(path, mode);
  free(path);
  return error;
}

static int symlink_call(struct call *call) {
  int error = 0;
  char *target = copy_str(take_str(&call->fields)), *path = take_path(call, &error);
  if (target == NULL) error = ENOMEM;
  if (error == 0) error = done(call);
  if (error == 0 && symlink(target, path) < 0) error = errno;
  free(target);
  free(path);
  return error;
}

static int write_small(struct call *call) {
  int error = 0;
  char *path = take_path(call, &error);
  uint32_t mode = take_u32(&call->fields);
  struct bytes content = take_bytes(&call->fields);
  if (error == 0) error = done(call);
  if (error == 0) error = write_small_file(path, mode, content);
  free(path);
  return error;
}

static int hostname(struct call *call) {
  struct bytes name = take_str(&call->fields);
  about(call, "hostname");
  int error = done(call);
  if (error == 0 && sethostname((const char *)name.data, name.size) < 0) error = errno;
  return error;
}

static int switch_root_call(struct call *call) {
  int error = 0;
  char *path = take_path(call, &error);
  if (error == 0) error = done(call);
  if (error == 0) error = switch_root(path, call->detail, sizeof call->detail);
  free(path);
  return error;
}

/* In a child: it can take seconds, and no stream is to wait for it. */
static int sync_call(struct call *call) {
  uint8_t drop_caches = take_u8(&call->fields);
  int error = done(call);
  if (error != 0) return error;
  pid_t pid = fork();
  if (pid < 0) return errno;
  if (pid == 0) _exit(sync_disks(drop_caches != 0 && !local));
  pending.pid = pid;
  pending.reaped = false;
  return PENDING;
}

static int link_up_call(struct call *call) {
  int error = 0;
  char *name = take_path(call, &error);
  if (error == 0) error = done(call);
  if (error == 0) error = link_up(name);
  free(name);
  return error;
}

static int fail_next_call(struct call *call) {
  uint8_t op = take_u8(&call->fields);
  int error = done(call);
  if (error == 0) fail_next = op;
  return error;
}

static int file_system_size(struct call *call) {
  int error = 0;
  uint64_t total = 0, free_bytes = 0;
  char *path = take_path(call, &error);
  if (error == 0) error = done(call);
  if (error == 0) error = statfs_at(path, &total, &free_bytes);
  free(path);
  if (error != 0) return error;
  put_u64(call->result, total);
  put_u64(call->result, free_bytes);
  return 0;
}

static int block_size_call(struct call *call) {
  int error = 0;
  uint64_t size = 0;
  char *device = take_path(call, &error);
  if (error == 0) error = done(call);
  if (error == 0) error = block_size(device, &size);
  free(device);
  if (error == 0) put_u64(call->result, size);
  return error;
}

static int chain_call(struct call *call) {
  uint8_t on = take_u8(&call->fields);
  int error = done(call);
  if (error != 0) return error;
  chain.open = on != 0;
  chain.broken = false;
  return 0;
}

static const struct operation {
  int (*run)(struct call *call); /* errno, 0 or PENDING */
  bool machine;                  /* changes the machine: not as a local process */
} operations[] = {
    [OP_PING] = {ping, false},
    [OP_RESEED] = {reseed, true},
    [OP_CLOCK_SET] = {clock_set, true},
    [OP_CLOCK_GET] = {clock_get, false},
    [OP_MOUNT] = {mount_call, true},
    [OP_UMOUNT] = {umount_call, true},
    [OP_MKDIR] = {mkdir_call, false},
    [OP_SYMLINK] = {symlink_call, false},
    [OP_WRITE_SMALL] = {write_small, false},
    [OP_HOSTNAME] = {hostname, true},
    [OP_SWITCH_ROOT] = {switch_root_call, true},
    [OP_SYNC] = {sync_call, false},
    [OP_LINK_UP] = {link_up_call, true},
    [OP_FAIL_NEXT] = {fail_next_call, false},
    [OP_STATFS] = {file_system_size, false},
    [OP_BLOCK_SIZE] = {block_size_call, false},
    [OP_CHAIN] = {chain_call, false},
};

static int run_operation(uint8_t op, struct call *call) {
  if (op >= sizeof operations / sizeof *operations || operations[op].run == NULL) return ENOSYS;
  if (chain.open && chain.broken && op != OP_CHAIN) return ECANCELED;
  if (fail_next != 0 && fail_next == op) {
    fail_next = 0;
    about(call, "FAIL_NEXT");
    return EIO;
  }
  if (local && operations[op].machine) return EOPNOTSUPP;
  return operations[op].run(call);
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

void call_run(const struct frame *frame) {
  struct writer result = begin_result(frame->stream, 0, "");
  struct call call = {.fields = cursor_over(frame->payload, frame->length), .result = &result};
  uint8_t op = take_u8(&call.fields);
  int error = call.fields.bad ? EBADMSG : run_operation(op, &call);
  if (error == PENDING) {
    pending.id = frame->stream;
    pending.active = true;
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
