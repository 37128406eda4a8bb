/* Golden frames: each is cut out of its bytes, decoded field by field, and encoded again to the same bytes. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../src/decode.h"
#include "../src/encode.h"
#include "../src/frame.h"
#include "check.h"

enum { FRAMES_MIN = 60 };

static void put_id(struct writer *to, const uint8_t id[ID_SIZE]) { put_bytes(to, id, ID_SIZE); }
static void put_text(struct writer *to, struct bytes text) { put_bytes(to, text.data, text.size); }

static void put_list(struct writer *to, struct list list) {
  put_u32(to, list.count);
  for (uint32_t i = 0; i < list.count; i++) put_text(to, take_str(&list.items));
}

/* The agent's own decoders read the host's frames. */
static bool host_hello(struct cursor from, struct writer *to) {
  struct hello it;
  if (!decode_hello(from, &it)) return false;
  put_id(to, it.nonce);
  put_u32(to, it.version);
  put_u8(to, it.flags);
  return true;
}

static bool host_spawn(struct cursor from, struct writer *to) {
  struct spawn_request it;
  if (!decode_spawn(from, &it)) return false;
  put_id(to, it.id);
  put_u32(to, it.window);
  put_u8(to, it.flags);
  put_u16(to, it.rows);
  put_u16(to, it.cols);
  put_text(to, it.user);
  put_text(to, it.cwd);
  put_list(to, it.argv);
  put_list(to, it.env);
  put_u64(to, it.memory_max);
  put_u64(to, it.pids_max);
  return true;
}

static bool host_data_in(struct cursor from, struct writer *to) {
  struct data_in it;
  if (!decode_data_in(from, &it)) return false;
  put_u64(to, it.offset);
  put_raw(to, it.data.data, it.data.size);
  return true;
}

static bool host_end_in(struct cursor from, struct writer *to) {
  uint64_t offset = 0;
  if (!decode_end_in(from, &offset)) return false;
  put_u64(to, offset);
  return true;
}

static bool host_ack(struct cursor from, struct writer *to) {
  struct ack it;
  if (!decode_ack(from, &it)) return false;
  put_u8(to, it.output);
  put_u64(to, it.offset);
  return true;
}

static bool host_signal(struct cursor from, struct writer *to) {
  struct signal_request it;
  if (!decode_signal(from, &it)) return false;
  put_u8(to, it.target);
  put_u32(to, it.signal);
  return true;
}

static bool host_resize(struct cursor from, struct writer *to) {
  struct resize it;
  if (!decode_resize(from, &it)) return false;
  put_u16(to, it.rows);
  put_u16(to, it.cols);
  return true;
}

static bool host_release(struct cursor from, struct writer *to) {
  (void)to;
  return cursor_done(&from);
}

static bool host_read(struct cursor from, struct writer *to) {
  struct read_request it;
  if (!decode_read(from, &it)) return false;
  put_id(to, it.id);
  put_u32(to, it.window);
  put_text(to, it.root);
  put_text(to, it.path);
  put_u64(to, it.offset);
  put_u64(to, it.limit);
  put_u8(to, it.flags);
  if (it.user.size > 0) put_text(to, it.user);
  return true;
}

static bool host_write(struct cursor from, struct writer *to) {
  struct write_request it;
  if (!decode_write(from, &it)) return false;
  put_id(to, it.id);
  put_text(to, it.root);
  put_text(to, it.path);
  put_u32(to, it.mode);
  put_u8(to, it.flags);
  put_u64(to, it.expected);
  if (it.user.size > 0) put_text(to, it.user);
  return true;
}

static bool host_walk(struct cursor from, struct writer *to) {
  struct walk_request it;
  if (!decode_walk(from, &it)) return false;
  put_id(to, it.id);
  put_u32(to, it.window);
  put_text(to, it.root);
  put_text(to, it.path);
  put_u32(to, it.max_depth);
  put_u32(to, it.flags);
  if (it.user.size > 0) put_text(to, it.user);
  return true;
}

static bool host_file(struct cursor from, struct writer *to) {
  struct file_request it;
  if (!decode_file(from, &it)) return false;
  put_id(to, it.id);
  put_u32(to, it.window);
  put_u8(to, it.op);
  put_text(to, it.root);
  put_text(to, it.path);
  put_text(to, it.target);
  put_u32(to, it.mode);
  put_u32(to, it.flags);
  put_text(to, it.user);
  return true;
}

static bool host_watch(struct cursor from, struct writer *to) {
  struct watch_request it;
  if (!decode_watch(from, &it)) return false;
  put_id(to, it.id);
  put_u32(to, it.window);
  put_text(to, it.root);
  put_text(to, it.path);
  put_u32(to, it.flags);
  put_text(to, it.user);
  return true;
}

static bool host_compare(struct cursor from, struct writer *to) {
  struct compare_request it;
  if (!decode_compare(from, &it)) return false;
  put_id(to, it.id);
  put_u32(to, it.window);
  put_text(to, it.old_root);
  put_text(to, it.old_path);
  put_text(to, it.new_root);
  put_text(to, it.new_path);
  put_text(to, it.skip);
  put_u32(to, it.flags);
  return true;
}

static bool host_read_many(struct cursor from, struct writer *to) {
  struct read_many_request it;
  if (!decode_read_many(from, &it)) return false;
  put_id(to, it.id);
  put_u32(to, it.window);
  put_text(to, it.root);
  put_u64(to, it.limit);
  put_list(to, it.paths);
  return true;
}

static bool host_change(struct cursor from, struct writer *to) {
  struct change_request it;
  if (!decode_change(from, &it)) return false;
  put_id(to, it.id);
  put_text(to, it.root);
  return true;
}

static bool host_connect(struct cursor from, struct writer *to) {
  struct connect_request it;
  if (!decode_connect(from, &it)) return false;
  put_id(to, it.id);
  put_u32(to, it.window);
  put_u8(to, it.family);
  put_u16(to, it.port);
  return true;
}

static bool host_accept(struct cursor from, struct writer *to) {
  struct accept_request it;
  if (!decode_accept(from, &it)) return false;
  put_id(to, it.id);
  put_u32(to, it.window);
  put_u32(to, it.request);
  return true;
}

static bool host_answer(struct cursor from, struct writer *to) {
  struct answer it;
  if (!decode_answer(from, &it)) return false;
  put_u32(to, it.request);
  put_u8(to, it.kind);
  put_u16(to, it.count);
  put_text(to, it.records);
  return true;
}

/* Fields by letter: 1 2 4 8 = integers of so many bytes, i = id, s = str, b = bytes, r = the rest. */
static bool by_shape(struct cursor from, struct writer *to, const char *shape) {
  for (; *shape != '\0'; shape++) {
    struct bytes bytes;
    switch (*shape) {
      case '1': put_u8(to, take_u8(&from)); break;
      case '2': put_u16(to, take_u16(&from)); break;
      case '4': put_u32(to, take_u32(&from)); break;
      case '8': put_u64(to, take_u64(&from)); break;
      case 's': put_text(to, take_str(&from)); break;
      case 'b': put_text(to, take_bytes(&from)); break;
      case 'i':
        bytes = take_bytes(&from);
        if (bytes.size != ID_SIZE) return false;
        put_text(to, bytes);
        break;
      case 'r':
        bytes = take_rest(&from);
        put_raw(to, bytes.data, bytes.size);
        break;
      default: return false;
    }
  }
  return cursor_done(&from);
}

static const char *call_shape(struct cursor from) {
  static const char *const shapes[] = {
      [OP_PING] = "1b",       [OP_RESEED] = "1b",       [OP_CLOCK_SET] = "18",      [OP_CLOCK_GET] = "1", [OP_MOUNT] = "1sss8s",
      [OP_UMOUNT] = "1s4",    [OP_MKDIR] = "1s4",       [OP_WRITE_SMALL] = "1s4b",  [OP_HOSTNAME] = "1s", [OP_SWITCH_ROOT] = "1s",
      [OP_SYNC] = "11",       [OP_FAIL_NEXT] = "11",    [OP_CHAIN] = "11",          [OP_BASELINE] = "1s", [OP_VISIT_ROOT] = "1s",
      [OP_NETWORK] = "11",    [OP_FREE_SPACE] = "1s88", [OP_GROW] = "1ss",          [OP_CLEAR] = "1s",    [OP_LAYER] = "1ss8",
      [OP_CHECKPOINT] = "1s", [OP_PROGRAMS] = "1",      [OP_RUNTIME_FILES] = "1ss",
  };
  uint8_t op = take_u8(&from);
  return op < sizeof shapes / sizeof *shapes && shapes[op] != NULL ? shapes[op] : "?";
}

/* A RESULT does not name its call; the fixture's name does. */
static const char *result_shape(const char *name) {
  if (strcmp(name, "result-ping") == 0) return "4sb";
  if (strcmp(name, "result-clock-set") == 0) return "4s8";
  if (strcmp(name, "result-clock-get") == 0) return "4s88";
  if (strcmp(name, "result-free-space") == 0) return "4s8b";
  if (strcmp(name, "result-programs") == 0) return "4s1";
  return "4s";
}

static const char *agent_shape(const char *name, uint8_t kind, size_t length) {
  /* STATE without and with how the stream ended */
  enum { STATE_RUNNING = 4 + ID_SIZE + 1 + 1 + 4 + 4 + 8 + 8 + 8 };
  switch (kind) {
    case KIND_HELLO_BACK: return "i4s44";
    case KIND_RESULT: return result_shape(name);
    case KIND_STARTED: return "4";
    case KIND_FAILED: return "41s";
    case KIND_DATA_OUT: return "18r";
    case KIND_END_OUT: return "18";
    case KIND_EXITED: return "148";
    case KIND_ACK_IN: return "8";
    case KIND_STATE: return length == STATE_RUNNING ? "i1144888" : "i11448881b";
    case KIND_EVENT: return "1s";
    case KIND_REQUEST: return "41b2s";
    case KIND_WITHDRAW: return "4";
    case KIND_TAKEN: return "8";
    default: return "?";
  }
}

/* Decodes a payload and encodes it again. */
static bool recode(const char *name, uint8_t kind, struct cursor from, struct writer *to) {
  switch (kind) {
    case KIND_HELLO: return host_hello(from, to);
    case KIND_CALL: return by_shape(from, to, call_shape(from));
    case KIND_SPAWN: return host_spawn(from, to);
    case KIND_DATA_IN: return host_data_in(from, to);
    case KIND_END_IN: return host_end_in(from, to);
    case KIND_ACK: return host_ack(from, to);
    case KIND_SIGNAL: return host_signal(from, to);
    case KIND_RESIZE: return host_resize(from, to);
    case KIND_RELEASE: return host_release(from, to);
    case KIND_READ: return host_read(from, to);
    case KIND_WRITE: return host_write(from, to);
    case KIND_WALK: return host_walk(from, to);
    case KIND_FILE: return host_file(from, to);
    case KIND_WATCH: return host_watch(from, to);
    case KIND_COMPARE: return host_compare(from, to);
    case KIND_READ_MANY: return host_read_many(from, to);
    case KIND_CHANGE: return host_change(from, to);
    case KIND_CONNECT: return host_connect(from, to);
    case KIND_ACCEPT: return host_accept(from, to);
    case KIND_ANSWER: return host_answer(from, to);
    default: return by_shape(from, to, agent_shape(name, kind, from.left));
  }
}

static bool ends_open(uint8_t kind) { return kind == KIND_DATA_IN || kind == KIND_DATA_OUT; }

/* A payload without its last bytes, or with one too many, is malformed. */
static void check_lengths(const char *name, const struct frame *frame) {
  static uint8_t scratch[FRAME_MAX], longer[PAYLOAD_MAX + 1];
  if (ends_open(frame->kind) || frame->kind == KIND_STATE) return;
  for (size_t length = 0; length < frame->length; length++) {
    struct writer to = frame_begin(scratch, sizeof scratch, 0, 0);
    CHECK(!recode(name, frame->kind, cursor_over(frame->payload, length), &to));
  }
  memcpy(longer, frame->payload, frame->length);
  longer[frame->length] = 0;
  struct writer to = frame_begin(scratch, sizeof scratch, 0, 0);
  CHECK(!recode(name, frame->kind, cursor_over(longer, frame->length + 1), &to));
}

static size_t read_file(const char *path, uint8_t *to, size_t room) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) return 0;
  size_t size = fread(to, 1, room, file);
  fclose(file);
  return size;
}

static void check_fixture(const char *directory, const char *file) {
  static struct frame_reader reader;
  static uint8_t raw[FRAME_MAX + 1], again[FRAME_MAX];
  char path[1024], name[256];
  snprintf(path, sizeof path, "%s/%s", directory, file);
  snprintf(name, sizeof name, "%.*s", (int)(strlen(file) - 4), file);
  test_begin(strdup(name));
  size_t size = read_file(path, raw, sizeof raw), room = 0;
  memset(&reader, 0, sizeof reader);
  uint8_t *to = frame_space(&reader, &room);
  memcpy(to, raw, size);
  frame_received(&reader, size);
  struct frame frame;
  bool whole = frame_peek(&reader, &frame);
  CHECK(whole);
  if (!whole) return;
  CHECK(frame.length + FRAME_OVERHEAD == size);
  struct writer writer = frame_begin(again, sizeof again, frame.stream, frame.kind);
  CHECK(recode(name, frame.kind, cursor_over(frame.payload, frame.length), &writer));
  CHECK(frame_finish(&writer) == size && memcmp(raw, again, size) == 0);
  check_lengths(name, &frame);
}

void test_frames(const char *directory) {
  DIR *entries = opendir(directory);
  unsigned count = 0;
  bool kinds_from_host = false;
  for (const struct dirent *entry; entries != NULL && (entry = readdir(entries)) != NULL;) {
    size_t length = strlen(entry->d_name);
    if (length < 5 || strcmp(entry->d_name + length - 4, ".bin") != 0) continue;
    check_fixture(directory, entry->d_name);
    kinds_from_host = kinds_from_host || strcmp(entry->d_name, "spawn.bin") == 0;
    count++;
  }
  if (entries != NULL) closedir(entries);
  test_begin("the golden frames are there");
  CHECK(count >= FRAMES_MIN && kinds_from_host);
}
