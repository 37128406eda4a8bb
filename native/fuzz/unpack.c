/* Fuzz target of pyro-unpack: any bytes as a zip or 7z archive. pyro-seed's parser must accept every complete stream. */
#include "../seed/tar.h"
#include "../unpack/unpack.h"

#include <archive.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BYTES = 4 * 1024 * 1024 };

static unsigned char stream[MOST_BYTES];
static size_t written, taken;

static la_ssize_t keep(struct archive *to, void *context, const void *bytes, size_t length) {
  (void)to;
  (void)context;
  if (length > MOST_BYTES - written) return -1;
  memcpy(stream + written, bytes, length);
  written += length;
  return (la_ssize_t)length;
}

static ssize_t read_stream(void *context, void *bytes, size_t length) {
  (void)context;
  if (length > written - taken) length = written - taken;
  memcpy(bytes, stream + taken, length);
  taken += length;
  return (ssize_t)length;
}

static void examine(void) {
  struct tar tar;
  struct tar_entry entry;
  int more;
  tar_start(&tar, read_stream, NULL, MOST_BYTES);
  while ((more = tar_next(&tar, &entry)) > 0)
    if (strchr("0123456", entry.type) == NULL || entry.sparse) abort();
  if (more < 0) abort();
  tar_end(&tar);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  char problem[1024] = "";
  struct archive *from = convert_reader(), *to = convert_writer();
  written = taken = 0;
  int is_open = from != NULL && to != NULL && archive_read_open_memory(from, bytes, length) == ARCHIVE_OK &&
                archive_write_open(to, NULL, NULL, keep, NULL) == ARCHIVE_OK;
  if (is_open && convert(from, to, problem, sizeof problem) == 0)
    examine();
  else if (is_open && problem[0] == '\0')
    abort();
  archive_read_free(from);
  archive_write_free(to);
  return 0;
}
