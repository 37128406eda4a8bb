/* Parts of pyro-ssh, which runs in a guest as the user of an SSH connection. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

/* Largest message of SFTP in either direction, its length not counted, as in OpenSSH. */
#define MESSAGE_MAX (256 * 1024)
/* Largest piece of a file in one message. */
#define PIECE_MAX (MESSAGE_MAX - 1024)

/* A request that is read field by field. After a field that is not there, all further ones are empty and `broken` is set. */
struct request {
  const uint8_t *at;
  size_t left;
  bool broken;
};

uint8_t take_u8(struct request *request);
uint32_t take_u32(struct request *request);
uint64_t take_u64(struct request *request);
/* Bytes of a string, within the request. */
const uint8_t *take_bytes(struct request *request, size_t *length);
/* A path in `path`, of PATH_MAX bytes with its end. An empty path is ".". Breaks the request if the path is too long or has a NUL. */
void take_path(struct request *request, char *path);

/* Attributes of a file, as SFTP has them. */
#define HAS_SIZE 0x1u
#define HAS_OWNER 0x2u
#define HAS_MODE 0x4u
#define HAS_TIMES 0x8u
#define HAS_EXTENDED 0x80000000u

struct attributes {
  uint32_t flags;
  uint64_t size;
  uint32_t uid, gid, mode, atime, mtime;
};

struct attributes take_attributes(struct request *request);
/* Sets attributes of an open file, or of a path if `fd` is negative. 0, or an errno. */
int set_attributes(const struct attributes *wanted, int fd, const char *path, bool follow);

/* The reply that is being made. What does not fit is a defect of this program. */
void put_u8(uint8_t value);
void put_u32(uint32_t value);
void put_u64(uint64_t value);
void put_bytes(const void *bytes, size_t length);
void put_text(const char *text);
void put_stat(const struct stat *stat);
/* Room for `length` bytes that the caller fills. */
uint8_t *put_room(size_t length);
/* Begins a reply of this type. */
void begin_reply(uint8_t type, uint32_t id);
/* Bytes of the reply so far. */
size_t reply_length(void);
/* Changes a number that was put at this position. */
void patch_u32(size_t position, uint32_t value);
/* Drops what was put from this position on. */
void cut_reply(size_t position);
/* Sends the reply. Ends the program if the reader is gone. */
void send_reply(void);

/* A directory entry as `ls -l` shows it. */
void long_name(char *line, size_t size, const char *name, const struct stat *stat);

/* Answers one request. */
void answer(uint8_t type, struct request request);

/* Connects standard input and output with a TCP port or a Unix socket. Prints "+" first. The exit status of the program. */
int connect_tcp(const char *host, const char *port);
int connect_unix(const char *path);
/* Lends an agent of the host on this socket to a user, until the end of standard input. */
int lend_agent(const char *path, const char *user);
