/* The channel's numbers (docs/channel.md). All integers on the wire are big endian. */
#ifndef PYRO_WIRE_H
#define PYRO_WIRE_H

#include <stddef.h>
#include <stdint.h>

enum {
  PROTOCOL_VERSION = 1,
  FRAME_MARK = 0x50,
  FRAME_END = 0xA5,
  FRAME_HEADER = 9,    /* mark, u24 length, u32 stream, u8 kind */
  FRAME_OVERHEAD = 10, /* header and end byte */
  FRAME_MAX = 65536,   /* the whole frame */
  PAYLOAD_MAX = FRAME_MAX - FRAME_OVERHEAD,
  HUNT_ZEROS = 65536, /* zero bytes in a row that end a hunt */
  ID_SIZE = 16,
  INPUT_CREDIT = 65536,     /* input bytes the host may send ahead of ACK_IN */
  CONTENT_CREDIT = 1048576, /* the same for WRITE and CHANGE, told in STARTED */
  CONNECT_CREDIT = 262144,  /* the same for a connection to a port of the guest, told in STARTED */
  NETWORK_CREDIT = 1048576, /* the same for a connection to the outside: 64 KiB would halve the speed of a download */
};

/* Calls are numbered from here up, streams below. */
#define FIRST_CALL 0x80000000u

enum kind {
  KIND_HELLO = 0x01,
  KIND_CALL = 0x02,
  KIND_SPAWN = 0x03,
  KIND_DATA_IN = 0x04,
  KIND_END_IN = 0x05,
  KIND_ACK = 0x06,
  KIND_SIGNAL = 0x07,
  KIND_RESIZE = 0x08,
  KIND_RELEASE = 0x09,
  KIND_READ = 0x0A,
  KIND_WRITE = 0x0B,
  KIND_WALK = 0x0C,
  KIND_CONNECT = 0x0D,
  KIND_COMPARE = 0x0E,
  KIND_READ_MANY = 0x0F,
  KIND_CHANGE = 0x10,
  KIND_ACCEPT = 0x11,
  KIND_ANSWER = 0x12,
  KIND_FILE = 0x13,
  KIND_WATCH = 0x14,

  KIND_HELLO_BACK = 0x81,
  KIND_RESULT = 0x82,
  KIND_STARTED = 0x83,
  KIND_FAILED = 0x84,
  KIND_DATA_OUT = 0x85,
  KIND_END_OUT = 0x86,
  KIND_EXITED = 0x87,
  KIND_ACK_IN = 0x88,
  KIND_STATE = 0x89,
  KIND_EVENT = 0x8A,
  KIND_REQUEST = 0x8B,
  KIND_WITHDRAW = 0x8C,
  KIND_TAKEN = 0x8D,
};

enum op {
  OP_PING = 1,
  OP_RESEED = 2,
  OP_CLOCK_SET = 3,
  OP_CLOCK_GET = 4,
  OP_MOUNT = 5,
  OP_UMOUNT = 6,
  OP_MKDIR = 7,
  OP_WRITE_SMALL = 9,
  OP_HOSTNAME = 10,
  OP_SWITCH_ROOT = 11,
  OP_SYNC = 13,
  OP_FAIL_NEXT = 15,
  OP_CHAIN = 19,
  OP_BASELINE = 20,
  OP_VISIT_ROOT = 21,
  OP_NETWORK = 22,
  OP_FREE_SPACE = 23,
  OP_GROW = 24,
  OP_CLEAR = 25,
  OP_LAYER = 26,
  OP_CHECKPOINT = 27,
  OP_PROGRAMS = 28,
  OP_RUNTIME_FILES = 29,
};

enum step {
  STEP_NONE = 0,
  STEP_USER = 1,
  STEP_CWD = 2,
  STEP_EXEC = 3,
  STEP_CGROUP = 4,
  STEP_PTY = 5,
  STEP_OPEN = 6,
  STEP_IO = 7,
  STEP_LIMIT = 8,
  STEP_MALFORMED = 9,
};

enum { HELLO_FORGET = 1, HELLO_TAKEN = 2 };
enum { SPAWN_PTY = 1, SPAWN_STDIN = 2, SPAWN_MERGED = 4 };
enum { READ_TELL = 1, READ_DEVICE = 2, READ_IN_ROOT = 4, READ_AS_USER = 8 };
enum {
  WRITE_PARENTS = 1,
  WRITE_EXCLUSIVE = 2,
  WRITE_APPEND = 4,
  WRITE_FOLLOW = 8,
  WRITE_TELL = 16,
  WRITE_IN_ROOT = 32,
  WRITE_AS_USER = 64,
  WRITE_AT_TIME = 128
};
enum { WALK_ONE_FILE_SYSTEM = 1, WALK_ATTRIBUTES = 2, WALK_IN_ROOT = 4, WALK_AS_USER = 8 };
enum file_op { FILE_STAT = 1, FILE_MKDIR = 2, FILE_REMOVE = 3, FILE_RENAME = 4, FILE_COPY = 5, FILE_CHMOD = 6 };
enum { FILE_IN_ROOT = 1, FILE_PARENTS = 2, FILE_RECURSIVE = 4, FILE_REPLACE = 8, FILE_FOLLOW = 16 };
enum { WATCH_IN_ROOT = 1, WATCH_RECURSIVE = 2 };
/* What a record of a watch says. */
enum watch_record {
  WATCH_READY = 0,
  WATCH_CREATED = 1,
  WATCH_MODIFIED = 2,
  WATCH_REMOVED = 3,
  WATCH_RENAMED = 4,
  WATCH_LOSS = 5,
  WATCH_UNWATCHED = 6,
};
/* In the mode of a walked entry, with WALK_ATTRIBUTES: the file has extended attributes of its own. */
enum { MODE_ATTRIBUTES = 1 << 16 };
enum { COMPARE_CONTENT = 1 };
enum { SIGNAL_MAIN = 0, SIGNAL_GROUP = 1, SIGNAL_EVERYTHING = 2, SIGNAL_COMMAND = 3 };
enum { PHASE_RUNNING = 1, PHASE_ENDED = 2 };
enum { HOW_EXITED = 0, HOW_SIGNALED = 1, HOW_OUT_OF_MEMORY = 2 };
enum { FAMILY_IPV4 = 4, FAMILY_IPV6 = 6 };
enum { NETWORK_PREPARE = 0, NETWORK_ON = 1, NETWORK_OFF = 2, NETWORK_ON_CLAIMED = 3 };
enum request_kind { REQUEST_CONNECT = 1, REQUEST_RESOLVE = 2, REQUEST_DATAGRAMS = 3 };
enum answer_kind {
  ANSWER_REFUSED = 1,
  ANSWER_ADDRESS = 2,
  ANSWER_NO_DATA = 3,
  ANSWER_NO_SUCH_NAME = 4,
  ANSWER_SERVER_FAILURE = 5,
  ANSWER_RECORDS = 6,
};

#endif
