#include "unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdio.h>

enum { WRITE_BLOCK = 64 * 1024, COPY_BUFFER = 256 * 1024 };

struct archive *convert_reader(void) {
  struct archive *from = archive_read_new();
  if (from == NULL) return NULL;
  /* No others: some of libarchive's formats name files of the host, and some of its filters start programs. */
  archive_read_support_format_zip_seekable(from);
  archive_read_support_format_7zip(from);
  return from;
}

struct archive *convert_writer(void) {
  struct archive *to = archive_write_new();
  if (to == NULL) return NULL;
  /* Names are bytes in this format: no name is converted, and none is refused. */
  archive_write_set_format_gnutar(to);
  archive_write_set_bytes_per_block(to, WRITE_BLOCK);
  archive_write_set_bytes_in_last_block(to, 1);
  return to;
}

static int failed(char *problem, size_t room, const char *name, const char *reason) {
  snprintf(problem, room, "%s%s%s", name == NULL ? "" : name, name == NULL ? "" : " ", reason);
  return -1;
}

static const char *reason_of(struct archive *archive) {
  const char *reason = archive_error_string(archive);
  return reason == NULL ? "it is damaged" : reason;
}

/* Bytes of the archive, or UTF-8 for a name outside the locale. */
static const char *name_of(struct archive_entry *entry) {
  const char *name = archive_entry_pathname(entry);
  return name != NULL ? name : archive_entry_pathname_utf8(entry);
}

static const char *target_of(struct archive_entry *entry) {
  const char *target = archive_entry_symlink(entry);
  return target != NULL ? target : archive_entry_symlink_utf8(entry);
}

/* The entry for the stream: without users, access control lists and flags, which a workspace does not keep. */
static struct archive_entry *described(struct archive_entry *entry, const char *name) {
  struct archive_entry *plain = archive_entry_new();
  if (plain == NULL) return NULL;
  archive_entry_copy_pathname(plain, name);
  archive_entry_set_mode(plain, archive_entry_mode(entry));
  /* The stream has no type for sockets. pyro-seed leaves both out. */
  if (archive_entry_filetype(entry) == AE_IFSOCK) archive_entry_set_filetype(plain, AE_IFIFO);
  archive_entry_set_size(plain, archive_entry_filetype(entry) == AE_IFREG ? archive_entry_size(entry) : 0);
  if (archive_entry_mtime_is_set(entry)) archive_entry_set_mtime(plain, archive_entry_mtime(entry), 0);
  if (archive_entry_filetype(entry) == AE_IFLNK && target_of(entry) != NULL) archive_entry_copy_symlink(plain, target_of(entry));
  return plain;
}

/* The content must have the entry's size, because the stream's header is written. NULL, or the problem. */
static const char *copy_content(struct archive *from, struct archive *to, la_int64_t size) {
  static char buffer[COPY_BUFFER];
  for (;;) {
    la_ssize_t got = archive_read_data(from, buffer, sizeof buffer);
    if (got < 0) return reason_of(from);
    if (got == 0) return size == 0 ? NULL : "is shorter than it says";
    if (got > size) return "is longer than it says";
    if (archive_write_data(to, buffer, (size_t)got) != got) return reason_of(to);
    size -= got;
  }
}

int convert(struct archive *from, struct archive *to, char *problem, size_t room) {
  struct archive_entry *entry;
  int result;
  while ((result = archive_read_next_header(from, &entry)) != ARCHIVE_EOF) {
    const char *name = result == ARCHIVE_FATAL ? NULL : name_of(entry);
    if (result != ARCHIVE_OK && result != ARCHIVE_WARN) return failed(problem, room, NULL, reason_of(from));
    if (name == NULL) return failed(problem, room, NULL, "the name of an entry is not the Unicode that the archive says it is");
    if (archive_entry_is_encrypted(entry)) return failed(problem, room, name, "is encrypted");
    struct archive_entry *plain = described(entry, name);
    if (plain == NULL) return failed(problem, room, NULL, "out of memory");
    la_int64_t size = archive_entry_size(plain);
    int is_file = archive_entry_filetype(plain) == AE_IFREG;
    result = size < 0 ? ARCHIVE_FAILED : archive_write_header(to, plain);
    archive_entry_free(plain);
    if (result != ARCHIVE_OK && result != ARCHIVE_WARN) return failed(problem, room, name, size < 0 ? "has no usable size" : reason_of(to));
    const char *wrong = is_file ? copy_content(from, to, size) : NULL;
    if (wrong != NULL) return failed(problem, room, name, wrong);
  }
  return archive_write_close(to) == ARCHIVE_OK ? 0 : failed(problem, room, NULL, reason_of(to));
}
