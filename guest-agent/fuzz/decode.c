/* Every payload decoder: reads stay inside the payload, and accepted fields lie within it. */
#include <stdlib.h>

#include "../src/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t *payload;
static size_t payload_size;
static volatile uint8_t touched;

static void touch(struct bytes bytes) {
  if (bytes.size > 0 && (bytes.data < payload || bytes.data + bytes.size > payload + payload_size)) abort();
  for (size_t i = 0; i < bytes.size; i++) touched ^= bytes.data[i];
}

static void touch_list(struct list list) {
  for (uint32_t i = 0; i < list.count; i++) touch(take_str(&list.items));
  if (list.items.bad) abort();
}

static void decode_opener(uint8_t kind, struct cursor from) {
  struct spawn_request spawn;
  struct read_request read;
  struct write_request write;
  struct walk_request walk;
  struct file_request file;
  struct watch_request watch;
  struct compare_request compare;
  struct read_many_request many;
  struct change_request change;
  struct connect_request connect;
  struct accept_request accept;
  switch (kind) {
    case KIND_SPAWN:
      if (!decode_spawn(from, &spawn)) return;
      touch(spawn.user);
      touch(spawn.cwd);
      touch_list(spawn.argv);
      touch_list(spawn.env);
      return;
    case KIND_READ:
      if (!decode_read(from, &read)) return;
      touch(read.root);
      touch(read.path);
      touch(read.user);
      return;
    case KIND_WRITE:
      if (!decode_write(from, &write)) return;
      touch(write.root);
      touch(write.path);
      touch(write.user);
      return;
    case KIND_WALK:
      if (!decode_walk(from, &walk)) return;
      touch(walk.root);
      touch(walk.path);
      touch(walk.user);
      return;
    case KIND_FILE:
      if (!decode_file(from, &file)) return;
      touch(file.root);
      touch(file.path);
      touch(file.target);
      touch(file.user);
      return;
    case KIND_WATCH:
      if (!decode_watch(from, &watch)) return;
      touch(watch.root);
      touch(watch.path);
      touch(watch.user);
      return;
    case KIND_COMPARE:
      if (!decode_compare(from, &compare)) return;
      touch(compare.old_root);
      touch(compare.old_path);
      touch(compare.new_root);
      touch(compare.new_path);
      touch(compare.skip);
      return;
    case KIND_READ_MANY:
      if (!decode_read_many(from, &many)) return;
      touch(many.root);
      touch_list(many.paths);
      return;
    case KIND_CHANGE:
      if (decode_change(from, &change)) touch(change.root);
      return;
    case KIND_ACCEPT: decode_accept(from, &accept); return;
    default: decode_connect(from, &connect); return;
  }
}

static void decode_other(uint8_t kind, struct cursor from) {
  struct hello hello;
  struct data_in data;
  struct ack ack;
  struct signal_request signal;
  struct resize resize;
  struct answer answer;
  uint64_t offset = 0;
  switch (kind) {
    case KIND_HELLO: decode_hello(from, &hello); return;
    case KIND_DATA_IN:
      if (decode_data_in(from, &data)) touch(data.data);
      return;
    case KIND_END_IN: decode_end_in(from, &offset); return;
    case KIND_ACK: decode_ack(from, &ack); return;
    case KIND_SIGNAL: decode_signal(from, &signal); return;
    case KIND_RESIZE: decode_resize(from, &resize); return;
    case KIND_ANSWER:
      if (decode_answer(from, &answer)) touch(answer.records);
      return;
    default: /* the fields that CALLs are made of */
      take_u8(&from);
      touch(take_str(&from));
      touch(take_bytes(&from));
      take_u32(&from);
      take_u64(&from);
      touch(take_rest(&from));
      return;
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 1) return 0;
  uint8_t kind = data[0] % 19;
  payload = data + 1;
  payload_size = size - 1;
  struct cursor from = cursor_over(payload, payload_size);
  if (kind == KIND_SPAWN || (kind >= KIND_READ && kind <= KIND_ACCEPT))
    decode_opener(kind, from);
  else
    decode_other(kind, from);
  return 0;
}
