/* Reads the positional fields of a payload, and checks every count against the remaining bytes. */
#ifndef PYRO_DECODE_H
#define PYRO_DECODE_H

#include <stdbool.h>

#include "wire.h"

struct bytes {
  const uint8_t *data;
  size_t size;
};

/* The first field that does not fit sets `bad`, and every further field reads as zero or empty. */
struct cursor {
  const uint8_t *at;
  size_t left;
  bool bad;
};

/* `count` strings, each checked; walk them with take_str on a copy of `items`. */
struct list {
  struct cursor items;
  uint32_t count;
};

struct cursor cursor_over(const void *data, size_t size);
uint8_t take_u8(struct cursor *cursor);
uint16_t take_u16(struct cursor *cursor);
uint32_t take_u32(struct cursor *cursor);
uint64_t take_u64(struct cursor *cursor);
struct bytes take_bytes(struct cursor *cursor);
/* bytes without a NUL */
struct bytes take_str(struct cursor *cursor);
struct list take_list(struct cursor *cursor);
struct bytes take_rest(struct cursor *cursor);
/* Whether every field fitted without remaining bytes. */
bool cursor_done(const struct cursor *cursor);

struct hello {
  uint8_t nonce[ID_SIZE];
  uint32_t version;
  uint8_t flags;
};

/* Every request of a stream begins like this. */
struct request_head {
  uint8_t id[ID_SIZE];
  uint32_t window; /* bytes per output; 0 = none of the host's choice */
};

struct spawn_request {
  uint8_t id[ID_SIZE];
  uint32_t window; /* bytes per output */
  uint8_t flags;
  uint16_t rows, cols;
  struct bytes user, cwd;
  struct list argv, env;
  uint64_t memory_max, pids_max; /* 0 = no limit */
};

struct read_request {
  uint8_t id[ID_SIZE];
  uint32_t window;
  struct bytes root, path;
  uint64_t offset, limit; /* limit 0 = to the end */
  uint8_t flags;
  struct bytes user; /* with the flag AS_USER; "" = root */
};

struct write_request {
  uint8_t id[ID_SIZE];
  uint32_t window; /* 0: the payload has none */
  struct bytes root, path;
  uint32_t mode; /* 0 = as the present file, else 0644 */
  uint8_t flags;
  uint64_t expected; /* expected version of the present file; 0 = any. With AT_TIME: time of the last modification, in ns */
  struct bytes user; /* with the flag AS_USER; "" = root */
};

struct walk_request {
  uint8_t id[ID_SIZE];
  uint32_t window;
  struct bytes root, path;
  uint32_t max_depth; /* 0 = no limit */
  uint32_t flags;
  struct bytes user; /* with the flag AS_USER; "" = root */
};

struct file_request {
  uint8_t id[ID_SIZE];
  uint32_t window;
  uint8_t op;                      /* enum file_op */
  struct bytes root, path, target; /* target: of a rename or copy */
  uint32_t mode;                   /* 0 = the usual one */
  uint32_t flags;
  struct bytes user; /* "" = root */
};

struct watch_request {
  uint8_t id[ID_SIZE];
  uint32_t window;
  struct bytes root, path;
  uint32_t flags;
  struct bytes user; /* "" = root */
};

struct compare_request {
  uint8_t id[ID_SIZE];
  uint32_t window;
  struct bytes old_root, old_path, new_root, new_path;
  struct bytes skip; /* name to skip on both sides, upper or lower case; "" = none */
  uint32_t flags;
};

struct read_many_request {
  uint8_t id[ID_SIZE];
  uint32_t window;
  struct bytes root;
  uint64_t limit; /* bytes of each */
  struct list paths;
};

struct change_request {
  uint8_t id[ID_SIZE];
  uint32_t window; /* 0: the payload has none */
  struct bytes root;
};

struct connect_request {
  uint8_t id[ID_SIZE];
  uint32_t window;
  uint8_t family;
  uint16_t port;
};

struct accept_request {
  uint8_t id[ID_SIZE];
  uint32_t window;
  uint32_t request; /* number of the agent's own REQUEST */
};

struct answer {
  uint32_t request;
  uint8_t kind;   /* enum answer_kind */
  uint16_t count; /* resource records in `records` */
  struct bytes records;
};

struct data_in {
  uint64_t offset;
  struct bytes data;
};

struct ack {
  uint8_t output;
  uint64_t offset;
};

struct signal_request {
  uint8_t target;
  uint32_t signal;
};

struct resize {
  uint16_t rows, cols;
};

/* Each returns false for a payload that is not exactly its fields. */
bool decode_hello(struct cursor cursor, struct hello *out);
bool decode_spawn(struct cursor cursor, struct spawn_request *out);
bool decode_read(struct cursor cursor, struct read_request *out);
bool decode_write(struct cursor cursor, struct write_request *out);
bool decode_walk(struct cursor cursor, struct walk_request *out);
bool decode_file(struct cursor cursor, struct file_request *out);
bool decode_watch(struct cursor cursor, struct watch_request *out);
bool decode_compare(struct cursor cursor, struct compare_request *out);
bool decode_read_many(struct cursor cursor, struct read_many_request *out);
bool decode_change(struct cursor cursor, struct change_request *out);
bool decode_connect(struct cursor cursor, struct connect_request *out);
bool decode_accept(struct cursor cursor, struct accept_request *out);
bool decode_answer(struct cursor cursor, struct answer *out);
bool decode_data_in(struct cursor cursor, struct data_in *out);
bool decode_end_in(struct cursor cursor, uint64_t *offset);
bool decode_ack(struct cursor cursor, struct ack *out);
bool decode_signal(struct cursor cursor, struct signal_request *out);
bool decode_resize(struct cursor cursor, struct resize *out);

/* A NUL-terminated copy, to be freed; NULL when memory is out. */
char *copy_str(struct bytes str);

#endif
