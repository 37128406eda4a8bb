/* Fuzz target of the archive parser: any bytes as a tar stream into a tree, without an image. */
#include "../seed/source.h"
#include "../seed/tar.h"
#include "../seed/seed.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_CHUNKS = 1 << 16, FILES = 2000 };

struct stream {
  const unsigned char *bytes;
  size_t left;
};

static jmp_buf died;
static struct tar tar;
static void *chunks[MOST_CHUNKS];
static size_t chunk_count;

void report(const char *kind, const char *subject, const char *text) {
  (void)kind;
  if (strlen(subject) + strlen(text) == 0) abort();
}

void report_skip(const char *path, const char *reason) { report("skip", path, reason); }

void report_loss(enum loss loss, const char *path) { report(loss == LOSS_SET_ID ? "set-ids" : "attributes", path, "1"); }

void die(enum outcome outcome, const char *format, ...) {
  (void)outcome;
  (void)format;
  longjmp(died, 1);
}

void *arena(size_t bytes) {
  void *chunk = chunk_count < MOST_CHUNKS ? calloc(1, bytes) : NULL;
  if (chunk == NULL) die(SEED_FAILED, "out of memory");
  return chunks[chunk_count++] = chunk;
}

char *arena_text(const char *text, size_t length) {
  char *copy = arena(length + 1);
  memcpy(copy, text, length);
  return copy;
}

static ssize_t read_stream(void *context, void *bytes, size_t length) {
  struct stream *stream = context;
  if (length > stream->left) length = stream->left;
  if (length > 700) /* several reads for one block and several blocks for one read */
    length = 700;
  memcpy(bytes, stream->bytes, length);
  stream->bytes += length;
  stream->left -= length;
  return (ssize_t)length;
}

static void content(void *context, struct file *file, struct tar *from) {
  char bytes[4096];
  (void)context;
  for (uint64_t at = 0; at < file->size;) {
    size_t part = file->size - at > sizeof bytes ? sizeof bytes : (size_t)(file->size - at);
    if (tar_content(from, bytes, part) != 0) return;
    at += part;
  }
}

static void forget(void *context, struct file *file) {
  (void)context;
  if (file->kind != KIND_REGULAR || file->links != 0) abort();
}

/* Invariants of every tree. */
static void examine(struct tree *tree) {
  tree_order(tree);
  for (size_t d = 0; d < tree->directory_count; d++) {
    const struct file *directory = tree->directories[d];
    for (uint32_t c = 0; c < directory->child_count; c++) {
      const struct entry *entry = directory->children[c];
      size_t length = entry->length;
      if (length == 0 || memchr(entry->name, '/', length) != NULL || strlen(entry->name) != length || strcmp(entry->name, ".") == 0 ||
          strcmp(entry->name, "..") == 0 || strlen(tree_path(entry)) > PATH_LIMIT || entry->file->links == 0 || entry->parent != directory)
        abort();
    }
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  struct stream stream = {bytes, length};
  const struct sink sink = {NULL, content, forget};
  struct tree tree;
  tar_start(&tar, read_stream, &stream, 1 << 20);
  if (setjmp(died) == 0) {
    tree_start(&tree, FILES, 0);
    if (archive_read(&tar, &tree, &sink) == NULL) examine(&tree);
  }
  tar_end(&tar);
  while (chunk_count > 0) free(chunks[--chunk_count]);
  return 0;
}
