/* The ext4 image: laid out by libext2fs, written from front to back, without a name until it is complete. */
#ifndef PYRO_SEED_IMAGE_H
#define PYRO_SEED_IMAGE_H

#include "tree.h"

#include <ext2fs/ext2fs.h>

enum {
  BLOCK = 4096,
  LONGEST_PIECE = 32768 /* blocks of an initialised extent (ext4 on-disk format) */
};

struct image {
  ext2_filsys fs;
  int fd;
  int folder;         /* directory that the image is made in */
  char temporary[48]; /* its temporary name, else empty */
  uint64_t bytes;
  blk64_t next; /* free blocks that are handed out next: [next, run_end) */
  blk64_t run_end;
  unsigned char *buffer; /* bytes before `next` that are not written yet */
  size_t filled;
  blk64_t buffer_start;
};

/* Time of everything without one, in seconds since 1970: 2020-01-01, so that equal contents give equal images. */
static const int64_t seed_epoch = 1577836800;

void image_create(struct image *image, int folder, uint64_t bytes);

/* How many files fit at most. */
size_t image_file_limit(uint64_t bytes);

/* Ends with SEED_FULL or SEED_HOST_FULL, and both figures, when so much content will not fit. */
void image_need(const struct image *image, uint64_t bytes);

/*
 * Space for the next blocks of a file, contiguous in the image: between one block and `wanted` bytes rounded up. Ends with
 * SEED_FULL if there is none.
 */
unsigned char *image_room(struct image *image, size_t wanted, size_t *room);

/* Takes the first `bytes` of the room just given as the content of `file` from block `logical` on. */
void image_take(struct image *image, struct file *file, uint64_t logical, size_t bytes);

/* Gives back the blocks of a file that was replaced or could not be read to its end. */
void image_forget(struct image *image, struct file *file);

/* Blocks that the journal will take. */
uint32_t journal_blocks(const struct image *image);

/* seed/finish.c: writes inodes, directories, journal and superblocks of the tree; the digest names the image and seeds its ids. */
void image_finish(struct image *image, struct tree *tree, const unsigned char digest[DIGEST_BYTES]);

/*
 * Seals the image and names it in its folder; false if a sealed image of that name exists. The seal is its modification time, which
 * any later write would change: seed_epoch, and as nanoseconds the first seven hexadecimal digits of the digest xor those of the
 * host's boot id. After a crash of the host the file may lack content that was never written out. So an image of an earlier boot
 * does not count unless `sync` wrote it first.
 */
int image_publish(struct image *image, const char *hex, int sync);

/* Ends with the right error for a failed call of the host or of libext2fs. */
_Noreturn void image_failed(const char *what, long error);

/* One contiguous allocation for directories and other metadata; marks the blocks. */
blk64_t image_allocate(struct image *image, uint32_t count);
void image_write(const struct image *image, const void *bytes, size_t length, blk64_t block);

/* Part of every digest and fingerprint: to be raised when the same content would give another image. */
extern const char format_name[];

/* seed/digest.c: adds the owner, but nothing for root: images of that owner keep the digests that they always had. */
void digest_owner(struct blake2b *hash, struct owner owner);
/* seed/digest.c: equal digests are equal images. Reports how many files and bytes there are on the way. */
void digest_tree(const struct tree *tree, uint64_t bytes, unsigned char digest[DIGEST_BYTES]);

/* seed/directory.c: the blocks of one directory, with checksums; sets the file's pieces and size. */
void directory_write(struct image *image, struct file *directory, uint32_t parent_inode);

#endif
