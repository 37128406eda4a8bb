/*
 * pyro-seed: writes a new ext4 image with upper/, work/ and workspace/, the latter filled from a directory or an archive.
 *
 *   pyro-seed --into FOLDER --virtual-bytes N [--known FOLDER] [--probe] [--sync] [--salt TEXT] [--owner UID:GID]
 *             [--graft AT PATH]... [--no-links] --empty | --directory PATH [--list] | --archive PATH
 *   pyro-seed --attributes PATH
 *   pyro-seed --await
 *
 * The image appears in the --into folder as DIGEST.ext4, read-only, when it is complete; before, it has no name. With
 * --known, nothing is read if that folder has a FINGERPRINT.json of the source's present state. --list reads the
 * NUL-terminated paths to seed from stdin. With --probe the program ends after the check of the state. --graft adds a
 * directory at a place that the source does not have. Its content is no part of the fingerprint; --salt represents it. --owner
 * gives workspace/ and its content to a user, by default root. --no-links refuses a source with a symbolic link on its path.
 * --attributes only reports the extended attributes of the NUL-terminated paths of stdin.
 * --await reads all arguments from stdin, ahead of the list: see seed/await.c.
 *
 * Records on stdout (kind, subject, text, each ended by a NUL):
 *   fingerprint HEX settled|fresh   of the source; fresh: the source may still change under the same fingerprint
 *   known HEX ""                    the --known folder has the state: nothing was written
 *   skip PATH REASON                left out of the image; beyond SKIPS_TOLD they are only counted
 *   count WHAT NUMBER               files, directories, symlinks, bytes, skipped; neededBytes and freeBytes before an error
 *   set-ids PATH COUNT              files whose set-user-ID or set-group-ID bit the image lacks; PATH is the first
 *   attributes PATH COUNT           files and directories whose extended attributes the image lacks
 *   image HEX new|existing          its digest, and whether the folder had an image of that name already
 *   error OUTCOME DETAIL            one of enum outcome, as the exit status
 */
#include "image.h"
#include "source.h"
#include "tar.h"
#include "seed.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MIB = 1024 * 1024, LEAST_MIB = 16, MOST_MIB = 16 * 1024 * 1024, MOST_GRAFTS = 256 };

struct options {
  const char *into;
  const char *known;
  const char *directory;
  const char *archive;
  uint64_t bytes;
  const char *salt;
  struct owner owner;
  const char *graft_at[MOST_GRAFTS];
  const char *graft_path[MOST_GRAFTS];
  unsigned grafts;
  int empty;
  int list;
  int probe;
  int sync;
  int no_links;
};

static _Noreturn void usage(const char *problem) {
  die(SEED_USAGE,
      "%s (usage: pyro-seed --into FOLDER --virtual-bytes N [--known FOLDER] [--probe] [--sync] "
      "[--salt TEXT] [--owner UID:GID] [--graft AT PATH]... [--no-links] "
      "--empty | --directory PATH [--list] | --archive PATH)",
      problem);
}

static uint64_t parse_bytes(const char *text) {
  char *end;
  errno = 0;
  unsigned long long bytes = strtoull(text, &end, 10);
  if (errno != 0 || *end != '\0' || end == text || bytes % MIB != 0 || bytes / MIB < LEAST_MIB || bytes / MIB > MOST_MIB)
    usage("--virtual-bytes must be whole MiB from 16 MiB to 16 TiB");
  return bytes;
}

/* Ids of the kernel: 2^32 - 1 is none. */
static const char *parse_id(const char *text, uint32_t *id) {
  char *end;
  errno = 0;
  unsigned long long value = strtoull(text, &end, 10);
  if (errno != 0 || *text < '0' || *text > '9' || value >= UINT32_MAX) usage("--owner must be UID:GID");
  *id = (uint32_t)value;
  return end;
}

static struct owner parse_owner(const char *text) {
  struct owner owner;
  const char *rest = parse_id(text, &owner.uid);
  if (*rest != ':' || *parse_id(rest + 1, &owner.gid) != '\0') usage("--owner must be UID:GID");
  return owner;
}

/* Takes the first of its two values; returns the place of the second one. */
static const char **graft_flag(struct options *options, int argc, char **argv, int *at) {
  if (options->grafts == MOST_GRAFTS) usage("too many --graft");
  if (++*at == argc) usage("an option lacks its value");
  options->graft_at[options->grafts] = argv[*at];
  return &options->graft_path[options->grafts++];
}

static struct options parse(int argc, char **argv) {
  struct options options = {0};
  for (int i = 0; i < argc; i++) {
    const char *flag = argv[i], **value = NULL, *bytes = NULL, *owner = NULL;
    if (strcmp(flag, "--empty") == 0)
      options.empty = 1;
    else if (strcmp(flag, "--list") == 0)
      options.list = 1;
    else if (strcmp(flag, "--probe") == 0)
      options.probe = 1;
    else if (strcmp(flag, "--sync") == 0)
      options.sync = 1;
    else if (strcmp(flag, "--no-links") == 0)
      options.no_links = 1;
    else if (strcmp(flag, "--salt") == 0)
      value = &options.salt;
    else if (strcmp(flag, "--owner") == 0)
      value = &owner;
    else if (strcmp(flag, "--graft") == 0)
      value = graft_flag(&options, argc, argv, &i);
    else if (strcmp(flag, "--into") == 0)
      value = &options.into;
    else if (strcmp(flag, "--known") == 0)
      value = &options.known;
    else if (strcmp(flag, "--directory") == 0)
      value = &options.directory;
    else if (strcmp(flag, "--archive") == 0)
      value = &options.archive;
    else if (strcmp(flag, "--virtual-bytes") == 0)
      value = &bytes;
    else
      usage("unknown option");
    if (value == NULL) continue;
    if (++i == argc) usage("an option lacks its value");
    *value = argv[i];
    if (bytes != NULL) options.bytes = parse_bytes(bytes);
    if (owner != NULL) options.owner = parse_owner(owner);
  }
  if (options.into == NULL || options.bytes == 0) usage("--into and --virtual-bytes are needed");
  if (options.empty + (options.directory != NULL) + (options.archive != NULL) != 1)
    usage("one of --empty, --directory and --archive is needed");
  return options;
}

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int open_folder(const char *path) {
  int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) die(SEED_FAILED, "cannot open %s: %s", path, strerror(errno));
  return fd;
}

/*
 * Reports the source's state. A file can change twice within one tick of the file system's clock, which its change time does not
 * show. So only a source without changes for a second is settled. Ends the program if the state is known.
 */
static void look_up(const struct options *options, struct blake2b *source, int64_t newest_ns, int64_t started_ns) {
  unsigned char digest[DIGEST_BYTES];
  char hex[2 * DIGEST_BYTES + 1], name[sizeof hex + 5];
  blake2b_add(source, format_name, strlen(format_name) + 1);
  blake2b_add_number(source, options->bytes);
  if (options->salt != NULL) blake2b_add(source, options->salt, strlen(options->salt) + 1);
  digest_owner(source, options->owner);
  blake2b_end(source, digest);
  digest_to_hex(digest, hex);
  report("fingerprint", hex, newest_ns < started_ns - 1000000000 ? "settled" : "fresh");
  snprintf(name, sizeof name, "%s.json", hex);
  int folder = options->known == NULL ? -1 : open(options->known, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (folder >= 0 && faccessat(folder, name, R_OK, 0) == 0) {
    report("known", hex, "");
    fflush(stdout);
    exit(SEED_DONE);
  }
  if (folder >= 0) close(folder);
  if (options->probe) {
    fflush(stdout);
    exit(SEED_DONE);
  }
}

static void walk_grafts(const struct options *options, struct tree *tree, struct image *image, struct source *grafts) {
  for (unsigned g = 0; g < options->grafts; g++) {
    graft_walk(&grafts[g], tree, options->graft_at[g], options->graft_path[g], g + 1);
    image_need(image, grafts[g].bytes);
  }
  tree_order(tree);
}

static void read_grafts(const struct options *options, struct image *image, const struct source *grafts) {
  for (unsigned g = 0; g < options->grafts; g++) source_read(&grafts[g], image);
}

static void seed_directory(const struct options *options, struct tree *tree, struct image *image, int into) {
  struct source source, grafts[MOST_GRAFTS];
  int64_t started_ns = now_ns();
  source_open(&source, options->directory, tree, !options->no_links);
  if (options->list)
    source_list(&source);
  else
    source_walk(&source);
  look_up(options, &source.fingerprint, source.newest_ns, started_ns);
  image_create(image, into, options->bytes);
  image_need(image, source.bytes);
  walk_grafts(options, tree, image, grafts);
  source_read(&source, image);
  read_grafts(options, image, grafts);
}

static ssize_t read_stream(void *context, void *bytes, size_t length) {
  ssize_t got;
  do got = read(*(const int *)context, bytes, length);
  while (got < 0 && errno == EINTR);
  return got;
}

static void content_into_image(void *context, struct file *file, struct tar *tar) {
  struct image *image = context;
  struct blake2b hash;
  image_need(image, file->size);
  blake2b_start(&hash);
  if (file->size > 0) blake2b_add_number(&hash, 0);
  for (uint64_t at = 0; at < file->size;) {
    size_t room;
    unsigned char *bytes = image_room(image, file->size - at > SIZE_MAX ? SIZE_MAX : (size_t)(file->size - at), &room);
    if (room > file->size - at) room = (size_t)(file->size - at);
    if (tar_content(tar, bytes, room) != 0) return;
    blake2b_add(&hash, bytes, room);
    image_take(image, file, at / BLOCK, room);
    at += room;
  }
  blake2b_end(&hash, file->digest);
}

static void forget_in_image(void *context, struct file *file) { image_forget(context, file); }

static void seed_archive(const struct options *options, struct tree *tree, struct image *image, int into) {
  struct archive archive;
  struct source grafts[MOST_GRAFTS];
  struct tar tar;
  int64_t started_ns = now_ns();
  archive_open(&archive, options->archive, !options->no_links);
  look_up(options, &archive.fingerprint, archive.newest_ns, started_ns);
  image_create(image, into, options->bytes);
  archive_start(&archive, options->bytes);
  const struct sink sink = {image, content_into_image, forget_in_image};
  /* A larger archive never fits, whatever its entries are. */
  tar_start(&tar, read_stream, &archive.stream, 4 * options->bytes);
  const char *problem = archive_read(&tar, tree, &sink);
  archive_close(&archive, problem);
  tar_end(&tar);
  walk_grafts(options, tree, image, grafts);
  read_grafts(options, image, grafts);
}

int main(int argc, char **argv) {
  struct tree tree;
  struct image image;
  unsigned char digest[DIGEST_BYTES];
  char hex[2 * DIGEST_BYTES + 1];
  signal(SIGPIPE, SIG_IGN);
  prctl(PR_SET_PDEATHSIG, SIGKILL); /* the parent was killed, so no process waits for the image */
  umask(0077);
  argv++;
  argc--;
  if (argc == 1 && strcmp(argv[0], "--await") == 0) argc = await_arguments(&argv);
  if (argc == 2 && strcmp(argv[0], "--attributes") == 0) {
    attributes_of_list(argv[1]);
    report_losses();
    return fflush(stdout) == 0 ? SEED_DONE : SEED_FAILED;
  }
  struct options options = parse(argc, argv);
  int into = open_folder(options.into);
  tree_start(&tree, image_file_limit(options.bytes), seed_epoch);
  if (options.directory != NULL) {
    seed_directory(&options, &tree, &image, into);
  } else if (options.archive != NULL) {
    seed_archive(&options, &tree, &image, into);
  } else {
    image_create(&image, into, options.bytes);
    tree_order(&tree);
  }
  tree.owner = options.owner;
  digest_tree(&tree, options.bytes, digest);
  image_finish(&image, &tree, digest);
  digest_to_hex(digest, hex);
  int fresh = image_publish(&image, hex, options.sync);
  report("image", hex, fresh ? "new" : "existing");
  return fflush(stdout) == 0 ? SEED_DONE : SEED_FAILED;
}
