#include "decode.h"

#include <stdlib.h>
#include <string.h>

struct cursor cursor_over(const void *data, size_t size) {
  struct cursor cursor = {data, size, false};
  return cursor;
}

static const uint8_t *take(struct cursor *cursor, size_t size) {
  static const uint8_t nothing[8];
  if (cursor->bad || size > cursor->left) {
    cursor->bad = true;
    cursor->left = 0;
    return nothing;
  }
  const uint8_t *at = cursor->at;
  cursor->at += size;
  cursor->left -= size;
  return at;
}

uint8_t take_u8(struct cursor *cursor) { return take(cursor, 1)[0]; }

uint16_t take_u16(struct cursor *cursor) {
  const uint8_t *at = take(cursor, 2);
  return (uint16_t)(at[0] << 8 | at[1]);
}

uint32_t take_u32(struct cursor *cursor) {
  const uint8_t *at = take(cursor, 4);
  return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

uint64_t take_u64(struct cursor *cursor) {
  uint64_t high = take_u32(cursor);
  return high << 32 | take_u32(cursor);
}

struct bytes take_bytes(struct cursor *cursor) {
  size_t size = take_u32(cursor);
  const uint8_t *data = take(cursor, size);
  return cursor->bad ? (struct bytes){data, 0} : (struct bytes){data, size};
}

struct bytes take_str(struct cursor *cursor) {
  struct bytes str = take_bytes(cursor);
  if (str.size > 0 && memchr(str.data, 0, str.size) != NULL) cursor->bad = true;
  return str;
}

struct list take_list(struct cursor *cursor) {
  struct list list = {.count = take_u32(cursor)};
  /* Every string takes four bytes at least, so a false count ends here rather than in the loop. */
  if (list.count > cursor->left / 4) cursor->bad = true;
  list.items = *cursor;
  for (uint32_t i = 0; i < list.count && !cursor->bad; i++) take_str(cursor);
  if (cursor->bad) list = (struct list){.items = *cursor};
  return list;
}

struct bytes take_rest(struct cursor *cursor) {
  size_t size = cursor->left;
  return (struct bytes){take(cursor, size), size};
}

bool cursor_done(const struct cursor *cursor) { return !cursor->bad && cursor->left == 0; }

static void take_id(struct cursor *cursor, uint8_t id[ID_SIZE]) {
  struct bytes bytes = take_bytes(cursor);
  if (bytes.size != ID_SIZE) {
    cursor->bad = true;
    return;
  }
  memcpy(id, bytes.data, ID_SIZE);
}

/* The user of a request about files: a field only if the flags say so, because older agents know none. */
static struct bytes take_user(struct cursor *cursor, bool is_named) { return is_named ? take_str(cursor) : (struct bytes){cursor->at, 0}; }

bool decode_hello(struct cursor cursor, struct hello *out) {
  take_id(&cursor, out->nonce);
  out->version = take_u32(&cursor);
  out->flags = take_u8(&cursor);
  return cursor_done(&cursor);
}

bool decode_spawn(struct cursor cursor, struct spawn_request *out) {
  take_id(&cursor, out->id);
  out->window = take_u32(&cursor);
  out->flags = take_u8(&cursor);
  out->rows = take_u16(&cursor);
  out->cols = take_u16(&cursor);
  out->user = take_str(&cursor);
  out->cwd = take_str(&cursor);
  out->argv = take_list(&cursor);
  out->env = take_list(&cursor);
  out->memory_max = take_u64(&cursor);
  out->pids_max = take_u64(&cursor);
  return cursor_done(&cursor);
}

bool decode_read(struct cursor cursor, struct read_request *out) {
  take_id(&cursor, out->id);
  out->window = take_u32(&cursor);
  out->root = take_str(&cursor);
  out->path = take_str(&cursor);
  out->offset = take_u64(&cursor);
  out->limit = take_u64(&cursor);
  out->flags = take_u8(&cursor);
  out->user = take_user(&cursor, (out->flags & READ_AS_USER) != 0);
  return cursor_done(&cursor);
}

bool decode_write(struct cursor cursor, struct write_request *out) {
  take_id(&cursor, out->id);
  out->window = 0;
  out->root = take_str(&cursor);
  out->path = take_str(&cursor);
  out->mode = take_u32(&cursor);
  out->flags = take_u8(&cursor);
  out->expected = take_u64(&cursor);
  out->user = take_user(&cursor, (out->flags & WRITE_AS_USER) != 0);
  return cursor_done(&cursor);
}

bool decode_walk(struct cursor cursor, struct walk_request *out) {
  take_id(&cursor, out->id);
  out->window = take_u32(&cursor);
  out->root = take_str(&cursor);
  out->path = take_str(&cursor);
  out->max_depth = take_u32(&cursor);
  out->flags = take_u32(&cursor);
  out->user = take_user(&cursor, (out->flags & WALK_AS_USER) != 0);
  return cursor_done(&cursor);
}

bool decode_file(struct cursor cursor, struct file_request *out) {
  take_id(&cursor, out->id);
  out->window = take_u32(&cursor);
  out->op = take_u8(&cursor);
  out->root = take_str(&cursor);
  out->path = take_str(&cursor);
  out->target = take_str(&cursor);
  out->mode = take_u32(&cursor);
  out->flags = take_u32(&cursor);
  out->user = take_str(&cursor);
  return cursor_done(&cursor) && out->op >= FILE_STAT && out->op <= FILE_CHMOD;
}

bool decode_watch(struct cursor cursor, struct watch_request *out) {
  take_id(&cursor, out->id);
  out->window = take_u32(&cursor);
  out->root = take_str(&cursor);
  out->path = take_str(&cursor);
  out->flags = take_u32(&cursor);
  out->user = take_str(&cursor);
  return cursor_done(&cursor);
}

bool decode_compare(struct cursor cursor, struct compare_request *out) {
  take_id(&cursor, out->id);
  out->window = take_u32(&cursor);
  out->old_root = take_str(&cursor);
  out->old_path = take_str(&cursor);
  out->new_root = take_str(&cursor);
  out->new_path = take_str(&cursor);
  out->skip = take_str(&cursor);
  out->flags = take_u32(&cursor);
  return cursor_done(&cursor);
}

bool decode_read_many(struct cursor cursor, struct read_many_request *out) {
  take_id(&cursor, out->id);
  out->window = take_u32(&cursor);
  out->root = take_str(&cursor);
  out->limit = take_u64(&cursor);
  out->paths = take_list(&cursor);
  return cursor_done(&cursor);
}

bool decode_change(struct cursor cursor, struct change_request *out) {
  take_id(&cursor, out->id);
  out->window = 0;
  out->root = take_str(&cursor);
  return cursor_done(&cursor);
}

bool decode_connect(struct cursor cursor, struct connect_request *out) {
  take_id(&cursor, out->id);
  out->window = take_u32(&cursor);
  out->family = take_u8(&cursor);
  out->port = take_u16(&cursor);
  return cursor_done(&cursor) && (out->family == FAMILY_IPV4 || out->family == FAMILY_IPV6);
}

bool decode_accept(struct cursor cursor, struct accept_request *out) {
  take_id(&cursor, out->id);
  out->window = take_u32(&cursor);
  out->request = take_u32(&cursor);
  return cursor_done(&cursor);
}

bool decode_answer(struct cursor cursor, struct answer *out) {
  out->request = take_u32(&cursor);
  out->kind = take_u8(&cursor);
  out->count = take_u16(&cursor);
  out->records = take_bytes(&cursor);
  return cursor_done(&cursor) && out->kind >= ANSWER_REFUSED && out->kind <= ANSWER_RECORDS;
}

bool decode_data_in(struct cursor cursor, struct data_in *out) {
  out->offset = take_u64(&cursor);
  out->data = take_rest(&cursor);
  return cursor_done(&cursor);
}

bool decode_end_in(struct cursor cursor, uint64_t *offset) {
  *offset = take_u64(&cursor);
  return cursor_done(&cursor);
}

bool decode_ack(struct cursor cursor, struct ack *out) {
  out->output = take_u8(&cursor);
  out->offset = take_u64(&cursor);
  return cursor_done(&cursor);
}

bool decode_signal(struct cursor cursor, struct signal_request *out) {
  out->target = take_u8(&cursor);
  out->signal = take_u32(&cursor);
  return cursor_done(&cursor);
}

bool decode_resize(struct cursor cursor, struct resize *out) {
  out->rows = take_u16(&cursor);
  out->cols = take_u16(&cursor);
  return cursor_done(&cursor);
}

char *copy_str(struct bytes str) {
  char *copy = malloc(str.size + 1);
  if (copy == NULL) return NULL;
  memcpy(copy, str.data, str.size);
  copy[str.size] = '\0';
  return copy;
}
