/* Digest that names an image, over everything that decides its content and layout. */
#include "image.h"

#include "seed.h"

#include <string.h>

const char format_name[] = "pyro seed image 2";

void digest_owner(struct blake2b *hash, struct owner owner) {
  static const char word[] = "owner";
  if (owner.uid == 0 && owner.gid == 0) return;
  blake2b_add(hash, word, sizeof word);
  blake2b_add_number(hash, owner.uid);
  blake2b_add_number(hash, owner.gid);
}

void digest_tree(const struct tree *tree, uint64_t bytes, unsigned char digest[DIGEST_BYTES]) {
  struct blake2b hash;
  uint64_t counts[4] = {0}; /* files, directories, symlinks, bytes */
  uint32_t numbered = 0;
  blake2b_start(&hash);
  blake2b_add(&hash, format_name, strlen(format_name) + 1);
  blake2b_add_number(&hash, bytes);
  for (size_t d = 0; d < tree->directory_count; d++) {
    const struct file *directory = tree->directories[d];
    const uint64_t own[] = {directory->mode, (uint64_t)directory->mtime, directory->mtime_ns, directory->child_count};
    blake2b_add(&hash, own, sizeof own);
    counts[1]++;
    for (uint32_t c = 0; c < directory->child_count; c++) {
      const struct entry *entry = directory->children[c];
      struct file *file = entry->file;
      if (file->gone) continue;
      blake2b_add(&hash, entry->name, entry->length + 1u);
      int first = file->inode == 0;
      if (first) file->inode = ++numbered; /* for now: number of the file so far, so that hard links count */
      const uint64_t facts[] = {file->kind, file->inode, file->mode, (uint64_t)file->mtime, file->mtime_ns, file->size};
      blake2b_add(&hash, facts, sizeof facts);
      if (!first) continue;
      if (file->kind == KIND_SYMLINK) blake2b_add(&hash, file->target, strlen(file->target) + 1);
      if (file->kind == KIND_REGULAR) blake2b_add(&hash, file->digest, DIGEST_BYTES);
      for (uint32_t p = 0; p < file->piece_count; p++) blake2b_add(&hash, &file->pieces[p], sizeof file->pieces[p]);
      counts[0] += file->kind == KIND_REGULAR;
      counts[2] += file->kind == KIND_SYMLINK;
      counts[3] += file->kind == KIND_REGULAR ? file->size : 0;
    }
  }
  digest_owner(&hash, tree->owner);
  blake2b_end(&hash, digest);
  for (size_t d = 0; d < tree->directory_count; d++)
    for (uint32_t c = 0; c < tree->directories[d]->child_count; c++) tree->directories[d]->children[c]->file->inode = 0;
  report_number("files", counts[0]);
  report_number("directories", counts[1] - 1);
  report_number("symlinks", counts[2]);
  report_number("bytes", counts[3]);
  report_number("skipped", report_skips());
  report_losses();
}
