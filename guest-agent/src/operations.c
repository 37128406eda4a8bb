#include "operations.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "activate.h"
#include "baseline.h"
#include "clock.h"
#include "entropy.h"
#include "free_space.h"
#include "freezer.h"
#include "layer.h"
#include "machine.h"
#include "mount.h"
#include "net/network.h"
#include "programs.h"
#include "runtime_files.h"
#include "spare.h"
#include "small_file.h"

void call_about(struct call *call, const char *what) {
  size_t length = strnlen(what, CALL_DETAIL_MAX - 1);
  memcpy(call->detail, what, length);
  call->detail[length] = '\0';
}

/* The next str field as a C string, to be freed; NULL with *error set. The first one names the call in its detail. */
static char *take_path(struct call *call, int *error) {
  char *path = copy_str(take_str(&call->fields));
  if (path == NULL) *error = ENOMEM;
  if (path != NULL && call->detail[0] == '\0') call_about(call, path);
  return path;
}

int call_done(const struct call *call) { return cursor_done(&call->fields) ? 0 : EBADMSG; }

static int ping(struct call *call) {
  struct bytes bytes = take_bytes(&call->fields);
  int error = call_done(call);
  if (error == 0) put_bytes(call->result, bytes.data, bytes.size);
  return error;
}

static int reseed(struct call *call) {
  struct bytes bytes = take_bytes(&call->fields);
  int error = call_done(call);
  return error != 0 ? error : entropy_mix(bytes);
}

static int clock_set(struct call *call) {
  uint64_t ns = take_u64(&call->fields), before = clock_realtime_ns();
  int error = call_done(call);
  if (error == 0) error = clock_set_realtime(ns);
  if (error == 0) put_u64(call->result, before);
  return error;
}

static int clock_get(struct call *call) {
  int error = call_done(call);
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
  if (error == 0) error = call_done(call);
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
  if (error == 0) error = call_done(call);
  if (error == 0) error = unmount_at(target, (int)flags);
  free(target);
  return error;
}

static int mkdir_call(struct call *call) {
  int error = 0;
  char *path = take_path(call, &error);
  uint32_t mode = take_u32(&call->fields);
  if (error == 0) error = call_done(call);
  if (error == 0) error = make_directories(path, mode);
  free(path);
  return error;
}

static int write_small(struct call *call) {
  int error = 0;
  char *path = take_path(call, &error);
  uint32_t mode = take_u32(&call->fields);
  struct bytes content = take_bytes(&call->fields);
  if (error == 0) error = call_done(call);
  if (error == 0) error = write_small_file(path, mode, content);
  if (error == 0) freezer_follow(path, content);
  free(path);
  return error;
}

static int hostname(struct call *call) {
  struct bytes name = take_str(&call->fields);
  call_about(call, "hostname");
  int error = call_done(call);
  if (error == 0 && sethostname((const char *)name.data, name.size) < 0) error = errno;
  return error;
}

static int switch_root_call(struct call *call) {
  int error = 0;
  char *path = take_path(call, &error);
  if (error == 0) error = call_done(call);
  if (error == 0) spare_root_moves(true);
  if (error == 0) error = switch_root(path, call->detail, sizeof call->detail);
  if (error == 0) activate_sockets();
  free(path);
  return error;
}

static int visit_root_call(struct call *call) {
  int error = 0;
  char *path = take_path(call, &error);
  if (error == 0) error = call_done(call);
  if (error == 0) spare_root_moves(false);
  if (error == 0) error = visit_root(path, call->detail, sizeof call->detail);
  free(path);
  return error;
}

/* In a child: it can take seconds, and no stream may wait for it. */
static int sync_call(struct call *call) {
  uint8_t drop_caches = take_u8(&call->fields);
  int error = call_done(call);
  if (error != 0) return error;
  pid_t pid = fork();
  if (pid < 0) return errno;
  if (pid == 0) _exit(sync_disks(drop_caches != 0 && !call->local));
  call->child = pid;
  return OPERATION_PENDING;
}

static int baseline_call(struct call *call) {
  int error = 0;
  char *device = take_path(call, &error);
  if (error == 0) error = call_done(call);
  if (error == 0) error = baseline_use(device, call->local);
  free(device);
  return error;
}

static int network_call(struct call *call) {
  uint8_t mode = take_u8(&call->fields);
  const char *what = "";
  int error = call_done(call);
  if (error != 0 || mode > NETWORK_ON_CLAIMED) return EBADMSG;
  if (call->local && !network_allowed_local()) return EOPNOTSUPP;
  switch (mode) {
    case NETWORK_PREPARE: network_prepare(); break;
    case NETWORK_OFF: error = network_off(&what); break;
    default: error = network_on(mode == NETWORK_ON_CLAIMED, &what);
  }
  if (error != 0) call_about(call, what);
  return error;
}

/* Work of seconds on a path, in a child: no stream waits for the work. */
static int in_child(struct call *call, int (*work)(const char *path, const char *device), const char *path, const char *device) {
  pid_t pid = fork();
  if (pid < 0) return errno;
  if (pid == 0) _exit(work(path, device));
  call->child = pid;
  return OPERATION_PENDING;
}

static int checkpoint_work(const char *path, const char *device) {
  (void)device;
  file_system_checkpoint(path);
  return 0;
}

static int checkpoint_call(struct call *call) {
  int error = 0;
  char *path = take_path(call, &error);
  if (error == 0) error = call_done(call);
  if (error == 0) error = in_child(call, checkpoint_work, path, NULL);
  free(path);
  return error;
}

static int programs_call(struct call *call) {
  int error = call_done(call);
  if (error == 0) put_u8(call->result, (uint8_t)programs_run());
  return error;
}

static int clear_work(const char *path, const char *device) {
  (void)device;
  return path_clear(path);
}

static int free_space_call(struct call *call) {
  int error = 0;
  char *path = take_path(call, &error);
  uint64_t start = take_u64(&call->fields), length = take_u64(&call->fields);
  struct free_space *found = malloc(sizeof *found);
  if (found == NULL) error = ENOMEM;
  if (error == 0) error = call_done(call);
  if (error == 0) error = free_space_find(path, start, length, found);
  if (error == 0) {
    put_u64(call->result, found->end);
    put_u32(call->result, (uint32_t)(found->count * 16));
    for (size_t i = 0; i < found->count; i++) {
      put_u64(call->result, found->ranges[i].start);
      put_u64(call->result, found->ranges[i].length);
    }
  }
  free(found);
  free(path);
  return error;
}

static int grow_call(struct call *call) {
  int error = 0;
  char *path = take_path(call, &error), *device = copy_str(take_str(&call->fields));
  if (device == NULL) error = ENOMEM;
  if (error == 0) error = call_done(call);
  if (error == 0) error = in_child(call, file_system_grow, path, device);
  free(path);
  free(device);
  return error;
}

static int clear_call(struct call *call) {
  int error = 0;
  char *path = take_path(call, &error);
  if (error == 0) error = call_done(call);
  if (error == 0) error = in_child(call, clear_work, path, NULL);
  free(path);
  return error;
}

/* Bytes 0: ends the mapping. */
static int layer_call(struct call *call) {
  int error = 0;
  char *seed = take_path(call, &error), *store = copy_str(take_str(&call->fields));
  uint64_t bytes = take_u64(&call->fields);
  if (store == NULL) error = ENOMEM;
  if (error == 0) error = call_done(call);
  if (error == 0) error = bytes == 0 ? layer_unmap() : layer_map(seed, store, bytes);
  free(seed);
  free(store);
  return error;
}

static int runtime_files_call(struct call *call) {
  int error = 0;
  char *from = take_path(call, &error), *to = copy_str(take_str(&call->fields));
  if (to == NULL) error = ENOMEM;
  if (error == 0) error = call_done(call);
  if (error == 0) runtime_files_copy(from, to);
  free(from);
  free(to);
  return error;
}

static const struct operation operations[] = {
    [OP_PING] = {ping, false},
    [OP_RESEED] = {reseed, true},
    [OP_CLOCK_SET] = {clock_set, true},
    [OP_CLOCK_GET] = {clock_get, false},
    [OP_MOUNT] = {mount_call, true},
    [OP_UMOUNT] = {umount_call, true},
    [OP_MKDIR] = {mkdir_call, false},
    [OP_WRITE_SMALL] = {write_small, false},
    [OP_HOSTNAME] = {hostname, true},
    [OP_SWITCH_ROOT] = {switch_root_call, true},
    [OP_SYNC] = {sync_call, false},
    [OP_BASELINE] = {baseline_call, false},
    [OP_VISIT_ROOT] = {visit_root_call, true},
    [OP_NETWORK] = {network_call, false},
    [OP_FREE_SPACE] = {free_space_call, true},
    [OP_GROW] = {grow_call, true},
    [OP_CLEAR] = {clear_call, false},
    [OP_LAYER] = {layer_call, true},
    [OP_CHECKPOINT] = {checkpoint_call, true},
    [OP_PROGRAMS] = {programs_call, false},
    [OP_RUNTIME_FILES] = {runtime_files_call, false},
};

const struct operation *operation_find(uint8_t op) {
  if (op >= sizeof operations / sizeof *operations || operations[op].run == NULL) return NULL;
  return &operations[op];
}
