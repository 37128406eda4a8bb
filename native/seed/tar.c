#include "tar.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Longer names and pax headers than this have no use; the content would be read into memory. */
static const uint64_t most_extra = 1024 * 1024;

/* The ustar header, byte for byte (POSIX.1-2017, pax, "ustar Interchange Format"). */
struct header {
  char name[100];
  char mode[8];
  char uid[8];
  char gid[8];
  char size[12];
  char mtime[12];
  char checksum[8];
  char type;
  char link[100];
  char magic[8];
  char owner[32];
  char group[32];
  char major[8];
  char minor[8];
  char prefix[155];
  char rest[12];
};
_Static_assert(sizeof(struct header) == TAR_BLOCK, "a header is one block");

static int broken(struct tar *tar, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int broken(struct tar *tar, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(tar->problem, sizeof tar->problem, format, arguments);
  va_end(arguments);
  return -1;
}

void tar_start(struct tar *tar, ssize_t (*read)(void *, void *, size_t), void *context, uint64_t limit) {
  memset(tar, 0, sizeof *tar);
  tar->read = read;
  tar->context = context;
  tar->limit = limit;
  tar->buffer = malloc(TAR_BUFFER);
}

static void drop(struct tar_extra *extra) {
  free(extra->path.bytes);
  free(extra->link.bytes);
  memset(extra, 0, sizeof *extra);
}

void tar_end(struct tar *tar) {
  drop(&tar->once);
  drop(&tar->always);
  free(tar->path.bytes);
  free(tar->link.bytes);
  free(tar->buffer);
}

/* Takes up to `length` bytes: fewer only at the end of the stream. */
static ssize_t take(struct tar *tar, void *bytes, size_t length) {
  size_t taken = 0;
  if (tar->offset > tar->limit) return broken(tar, "it unpacks to more than %" PRIu64 " MiB", tar->limit >> 20);
  while (taken < length) {
    if (tar->start == tar->end) {
      ssize_t got = tar->buffer == NULL ? -1 : tar->read(tar->context, tar->buffer, TAR_BUFFER);
      if (got < 0) return broken(tar, "it cannot be read: %s", strerror(errno));
      if (got == 0) break;
      tar->start = 0;
      tar->end = (size_t)got;
    }
    size_t part = tar->end - tar->start;
    if (part > length - taken) part = length - taken;
    if (bytes != NULL) memcpy((char *)bytes + taken, tar->buffer + tar->start, part);
    tar->start += part;
    taken += part;
  }
  tar->offset += taken;
  return (ssize_t)taken;
}

/* The same, for a stream that must not end here. */
static int take_all(struct tar *tar, void *bytes, size_t length) {
  ssize_t got = take(tar, bytes, length);
  if (got >= 0 && (size_t)got < length) return broken(tar, "it ends in the middle of an entry, after %" PRIu64 " bytes", tar->offset);
  return got < 0 ? -1 : 0;
}

static int pass_over(struct tar *tar) {
  while (tar->left > 0) {
    size_t part = tar->left > TAR_BUFFER ? (size_t)TAR_BUFFER : (size_t)tar->left;
    if (take_all(tar, NULL, part) != 0) return -1;
    tar->left -= part;
  }
  int result = take_all(tar, NULL, tar->padding);
  tar->padding = 0;
  return result;
}

int tar_content(struct tar *tar, void *bytes, size_t length) {
  if (length > tar->left) return broken(tar, "an entry is shorter than its size");
  if (take_all(tar, bytes, length) != 0) return -1;
  tar->left -= length;
  return 0;
}

static void expect(struct tar *tar, uint64_t size) {
  tar->left = size;
  tar->padding = (size_t)((TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK);
}

/* Octal digits between blanks, or GNU's base 256: a set top bit and two's complement, big end first. */
static bool number(const char *field, size_t length, int64_t *value) {
  const unsigned char *bytes = (const unsigned char *)field;
  size_t i = 0;
  *value = 0;
  if ((bytes[0] & 0x80) != 0) {
    bool negative = (bytes[0] & 0x40) != 0;
    uint64_t sum = negative ? ~(uint64_t)0x3f | (bytes[0] & 0x3f) : bytes[0] & 0x3f;
    for (i = 1; i < length; i++) {
      if ((sum >> 55) != (negative ? 0x1ffu : 0)) return false;
      sum = sum << 8 | bytes[i];
    }
    *value = (int64_t)sum;
    return true;
  }
  while (i < length && bytes[i] == ' ') i++;
  for (; i < length && bytes[i] >= '0' && bytes[i] <= '7'; i++) {
    if (*value > INT64_MAX / 8 - 1) return false;
    *value = *value * 8 + (bytes[i] - '0');
  }
  return i == length || bytes[i] == ' ' || bytes[i] == '\0';
}

static bool checksum_fits(const struct header *header) {
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION /* a fuzzer would never get past it */
  if (header->type != 'C') return true;
#endif
  const unsigned char *bytes = (const unsigned char *)header;
  const size_t from = offsetof(struct header, checksum), to = from + sizeof header->checksum;
  int64_t wanted, sum = 0, signed_sum = 0; /* some old programs added signed characters */
  for (size_t i = 0; i < TAR_BLOCK; i++) {
    sum += i >= from && i < to ? ' ' : bytes[i];
    signed_sum += i >= from && i < to ? ' ' : (signed char)bytes[i];
  }
  return number(header->checksum, sizeof header->checksum, &wanted) && (wanted == sum || wanted == signed_sum);
}

static bool is_zero(const struct header *header) {
  const char *bytes = (const char *)header;
  return bytes[0] == '\0' && memcmp(bytes, bytes + 1, TAR_BLOCK - 1) == 0;
}

/* The content of a header about the next one: a long name or pax records. */
static int take_extra(struct tar *tar, char type, uint64_t size) {
  if (size > most_extra) return broken(tar, "a name or extended header of %" PRIu64 " bytes", size);
  char *bytes = malloc((size_t)size + 1);
  if (bytes == NULL) return broken(tar, "out of memory");
  int result = tar_content(tar, bytes, (size_t)size);
  bytes[size] = '\0';
  if (result == 0 && (type == 'L' || type == 'K')) {
    struct tar_text *text = type == 'L' ? &tar->once.path : &tar->once.link;
    if (!tar_text_set(text, bytes, strlen(bytes))) result = broken(tar, "out of memory");
  } else if (result == 0 && !pax_parse(type == 'g' ? &tar->always : &tar->once, bytes, (size_t)size)) {
    result = broken(tar, "an extended header is damaged, at byte %" PRIu64, tar->offset);
  }
  free(bytes);
  return result;
}

/* GNU's old sparse format has more blocks of its map between the header and the content. */
static int pass_sparse_map(struct tar *tar, const struct header *header) {
  unsigned char more[TAR_BLOCK];
  int extended = ((const unsigned char *)header)[482];
  while (extended) {
    if (take_all(tar, more, sizeof more) != 0) return -1;
    extended = more[504];
  }
  return 0;
}

static bool header_path(struct tar *tar, const struct header *header) {
  char path[sizeof header->prefix + 1 + sizeof header->name];
  size_t length = 0, name = strnlen(header->name, sizeof header->name);
  if (memcmp(header->magic, "ustar", 6) == 0) /* with its NUL: GNU's own format uses the prefix for other fields */
    length = strnlen(header->prefix, sizeof header->prefix);
  memcpy(path, header->prefix, length);
  if (length > 0) path[length++] = '/';
  memcpy(path + length, header->name, name);
  return tar_text_set(&tar->path, path, length + name) &&
         tar_text_set(&tar->link, header->link, strnlen(header->link, sizeof header->link));
}

static bool has_content(char type) { return strchr("123456", type) == NULL || type == '\0'; }

static int describe(struct tar *tar, const struct header *header, int64_t size, struct tar_entry *entry) {
  int64_t mode, mtime;
  if (!header_path(tar, header)) return broken(tar, "out of memory");
  if (!number(header->mode, sizeof header->mode, &mode)) mode = 0644;
  if (!number(header->mtime, sizeof header->mtime, &mtime)) mtime = 0;
  const struct tar_extra *once = &tar->once, *always = &tar->always;
  entry->path = once->path.set ? &once->path : always->path.set ? &always->path : &tar->path;
  entry->link = once->link.set ? &once->link : always->link.set ? &always->link : &tar->link;
  entry->size = once->size_set ? once->size : always->size_set ? always->size : (uint64_t)size;
  entry->mtime = once->mtime_set ? once->mtime : always->mtime_set ? always->mtime : mtime;
  entry->mtime_ns = once->mtime_set ? once->mtime_ns : always->mtime_set ? always->mtime_ns : 0;
  entry->mode = (uint32_t)(mode & 07777);
  entry->sparse = once->sparse || always->sparse || header->type == 'S';
  entry->attributes = once->attributes || always->attributes;
  entry->type = header->type == '\0' || header->type == '7' || header->type == 'S' ? '0' : header->type;
  if (!has_content(entry->type)) entry->size = 0;
  /* The format before ustar has no type for directories. The content of such an entry is skipped. */
  if (entry->type == '0' && entry->path->length > 0 && entry->path->bytes[entry->path->length - 1] == '/') entry->type = '5';
  if (entry->size > INT64_MAX) return broken(tar, "an entry of %" PRIu64 " bytes", entry->size);
  expect(tar, entry->size);
  tar->entries++;
  return header->type == 'S' ? pass_sparse_map(tar, header) : 0;
}

int tar_next(struct tar *tar, struct tar_entry *entry) {
  drop(&tar->once);
  for (;;) {
    struct header header;
    int64_t size;
    if (pass_over(tar) != 0) return -1;
    ssize_t got = take(tar, &header, sizeof header);
    if (got < 0) return -1;
    if (got == 0 && tar->offset > 0 && !tar->once.path.set && !tar->once.link.set) return 0; /* some writers leave the closing zeros out */
    if (got < TAR_BLOCK) return broken(tar, "it ends in the middle of a header, after %" PRIu64 " bytes", tar->offset);
    if (is_zero(&header)) return 0;
    if (!checksum_fits(&header))
      return broken(tar, tar->offset == TAR_BLOCK ? "it is no tar archive" : "the header before byte %" PRIu64 " is damaged", tar->offset);
    if (!number(header.size, sizeof header.size, &size) || size < 0)
      return broken(tar, "the header before byte %" PRIu64 " has no usable size", tar->offset);
    if (strchr("LKxXg", header.type) == NULL || header.type == '\0') return describe(tar, &header, size, entry) == 0 ? 1 : -1;
    expect(tar, (uint64_t)size);
    if (take_extra(tar, header.type, (uint64_t)size) != 0) return -1;
  }
}
