/* Records of a pax extended header: "LENGTH KEY=VALUE\n", where LENGTH counts the whole record. */
#include "pax.h"

#include <stdlib.h>
#include <string.h>

bool tar_text_set(struct tar_text *text, const char *bytes, size_t length) {
  if (length + 1 > text->room) {
    char *more = realloc(text->bytes, length + 1);
    if (more == NULL) return false;
    text->bytes = more;
    text->room = length + 1;
  }
  memcpy(text->bytes, bytes, length);
  text->bytes[length] = '\0';
  text->length = length;
  text->set = true;
  return true;
}

static bool digits(const char **at, const char *end, uint64_t *value) {
  const char *start = *at;
  *value = 0;
  for (; *at < end && **at >= '0' && **at <= '9'; (*at)++) {
    if (*value > (UINT64_MAX - 9) / 10) return false;
    *value = *value * 10 + (uint64_t)(**at - '0');
  }
  return *at > start;
}

/* Seconds with an optional fraction, of which nanoseconds are kept. */
static bool set_mtime(struct tar_extra *extra, const char *at, const char *end) {
  bool negative = at < end && *at == '-';
  uint64_t seconds, nanoseconds = 0;
  at += negative;
  if (!digits(&at, end, &seconds) || seconds > INT64_MAX / 2) return false;
  if (at < end && *at == '.') {
    uint32_t place = 100000000;
    for (at++; at < end && *at >= '0' && *at <= '9'; at++, place /= 10) nanoseconds += (uint64_t)(*at - '0') * place;
  }
  if (at != end) return false;
  extra->mtime = negative ? -(int64_t)seconds : (int64_t)seconds;
  if (negative && nanoseconds > 0) {
    extra->mtime--;
    nanoseconds = 1000000000 - nanoseconds;
  }
  extra->mtime_ns = (uint32_t)nanoseconds;
  return extra->mtime_set = true;
}

static bool is(const char *key, size_t length, const char *wanted) { return length == strlen(wanted) && memcmp(key, wanted, length) == 0; }

bool attribute_counts(const char *name, size_t length) {
  static const char *const prefixes[] = {"user.", "system.posix_acl_", "security.capability"};
  for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
    if (length >= strlen(prefixes[i]) && memcmp(name, prefixes[i], strlen(prefixes[i])) == 0) return true;
  return false;
}

/* Attributes in the records of star and GNU tar, and of libarchive. */
static bool is_attribute(const char *key, size_t length) {
  static const char *const prefixes[] = {"SCHILY.xattr.", "LIBARCHIVE.xattr."};
  static const char list[] = "SCHILY.acl.";
  for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
    size_t before = strlen(prefixes[i]);
    if (length > before && memcmp(key, prefixes[i], before) == 0) return attribute_counts(key + before, length - before);
  }
  return length >= sizeof list && memcmp(key, list, sizeof list - 1) == 0;
}

static bool set(struct tar_extra *extra, const char *key, size_t key_length, const char *value, const char *end) {
  if (is(key, key_length, "path") && !extra->sparse) return tar_text_set(&extra->path, value, (size_t)(end - value));
  if (is(key, key_length, "linkpath")) return tar_text_set(&extra->link, value, (size_t)(end - value));
  if (is(key, key_length, "size")) {
    const char *at = value;
    return extra->size_set = digits(&at, end, &extra->size) && at == end;
  }
  if (is(key, key_length, "mtime")) return set_mtime(extra, value, end);
  if (is_attribute(key, key_length)) extra->attributes = true;
  if (key_length > 11 && memcmp(key, "GNU.sparse.", 11) == 0) {
    extra->sparse = true;
    if (is(key, key_length, "GNU.sparse.name")) return tar_text_set(&extra->path, value, (size_t)(end - value));
  }
  return true;
}

bool pax_parse(struct tar_extra *extra, const char *bytes, size_t length) {
  const char *at = bytes, *end = bytes + length;
  while (at < end) {
    const char *start = at, *equals;
    uint64_t record;
    if (!digits(&at, end, &record) || record > (uint64_t)(end - start) || record < (uint64_t)(at - start) + 4 || *at++ != ' ') return false;
    const char *stop = start + record - 1;
    equals = memchr(at, '=', (size_t)(stop - at));
    if (*stop != '\n' || equals == NULL || !set(extra, at, (size_t)(equals - at), equals + 1, stop)) return false;
    at = stop + 1;
  }
  return true;
}
