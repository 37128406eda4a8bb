/*
 * Opens an archive. Its first bytes choose the program that makes a tar stream of it: the host's own decompressor, or pyro-unpack
 * for zip and 7z.
 */
#include "source.h"

#include "seed.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOT_FOUND = 127, PIPE_BYTES = 1024 * 1024, MAGIC = 6, TAR_TRAILER = 64 * 1024 };

/* Processor time of a decompressor: a start, and a second for each so many bytes. The slowest one, bzip2, unpacks ten times as many. */
enum { LEAST_SECONDS = 60, BYTES_PER_SECOND = 1024 * 1024 };

static const char unpacker[] = "pyro-unpack";

/* Memory limit of a decompressor: xz and zstd allocate as much as the archive's header asks for. */
static const rlim_t most_memory = (rlim_t)2 << 30;

static const struct format {
  const char *magic;
  size_t length;
  const char *const argv[4];
} formats[] = {
    {"\x1f\x8b", 2, {"gzip", "-dc", NULL}},
    {"\x28\xb5\x2f\xfd", 4, {"zstd", "-dcq", NULL}},
    {"\xfd\x37zXZ\0", 6, {"xz", "-dcq", "--memlimit-decompress=1GiB", NULL}},
    {"BZh", 3, {"bzip2", "-dcq", NULL}},
    {"\x04\x22\x4d\x18", 4, {"lz4", "-dcq", NULL}},
    {"PK\x03\x04", 4, {unpacker, NULL}},
    {"7z\xbc\xaf\x27\x1c", 6, {unpacker, NULL}},
};

void archive_open(struct archive *archive, const char *path, int linked) {
  struct stat stat;
  memset(archive, 0, sizeof *archive);
  blake2b_start(&archive->fingerprint);
  archive->stream = open_source(path, 0, linked);
  if (archive->stream < 0 || fstat(archive->stream, &stat) != 0) die(SEED_REJECTED, "the archive cannot be read: %s", strerror(errno));
  if (!S_ISREG(stat.st_mode)) die(SEED_REJECTED, "it is neither a directory nor a regular file");
  const uint64_t facts[] = {stat.st_dev,
                            stat.st_ino,
                            (uint64_t)stat.st_size,
                            (uint64_t)stat.st_mtim.tv_sec,
                            (uint64_t)stat.st_mtim.tv_nsec,
                            (uint64_t)stat.st_ctim.tv_sec,
                            (uint64_t)stat.st_ctim.tv_nsec};
  blake2b_add(&archive->fingerprint, facts, sizeof facts);
  archive->newest_ns = (int64_t)stat.st_ctim.tv_sec * 1000000000 + stat.st_ctim.tv_nsec;
}

/* Starts the program beside this one, without an environment. The dynamic linker also returns NOT_FOUND, for a missing library. */
static void start_unpacker(char *const *argv) {
  char path[PATH_LIMIT + sizeof unpacker + 1], *const environment[] = {NULL};
  ssize_t length = readlink("/proc/self/exe", path, PATH_LIMIT);
  path[length < 0 ? 0 : length] = '\0';
  char *name = strrchr(path, '/');
  if (name == NULL) return;
  strcpy(name + 1, unpacker);
  execve(path, argv, environment);
}

static _Noreturn void decompress(const struct format *format, int from, int to, rlim_t seconds) {
  const struct rlimit memory = {most_memory, most_memory}, time = {seconds, seconds + 1};
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  setrlimit(RLIMIT_AS, &memory);
  setrlimit(RLIMIT_CPU, &time);
  if (dup2(from, STDIN_FILENO) < 0 || dup2(to, STDOUT_FILENO) < 0) _exit(1);
  if (format->argv[0] == unpacker)
    start_unpacker((char *const *)format->argv);
  else
    execvp(format->argv[0], (char *const *)format->argv);
  _exit(errno == ENOENT ? NOT_FOUND : 1);
}

void archive_start(struct archive *archive, uint64_t bytes) {
  char magic[MAGIC] = {0};
  int ends[2];
  const struct format *format = NULL;
  ssize_t got = pread(archive->stream, magic, sizeof magic, 0);
  if (got < 0) die(SEED_REJECTED, "the archive cannot be read: %s", strerror(errno));
  for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
    if (memcmp(magic, formats[i].magic, formats[i].length) == 0) format = &formats[i];
  if (format == NULL) return;
  if (pipe2(ends, O_CLOEXEC) != 0) die(SEED_FAILED, "cannot make a pipe: %s", strerror(errno));
  fcntl(ends[0], F_SETPIPE_SZ, PIPE_BYTES);
  archive->tool = format->argv[0];
  archive->child = fork();
  if (archive->child < 0) die(SEED_FAILED, "cannot start %s: %s", archive->tool, strerror(errno));
  if (archive->child == 0) decompress(format, archive->stream, ends[1], LEAST_SECONDS + (rlim_t)(bytes / BYTES_PER_SECOND));
  close(ends[1]);
  close(archive->stream);
  archive->stream = ends[0];
}

/* Reads the bytes after the end of the archive, so that the decompressor can finish and check; false if there are too many. */
static int drain(int stream) {
  char rest[TAR_TRAILER];
  for (size_t total = 0; total < (size_t)16 * TAR_TRAILER;) {
    ssize_t got = read(stream, rest, sizeof rest);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return 1;
    total += (size_t)got;
  }
  return 0;
}

void archive_close(struct archive *archive, const char *problem) {
  int status = 0;
  if (archive->child == 0) {
    close(archive->stream);
    if (problem != NULL) die(SEED_REJECTED, "%s", problem);
    return;
  }
  int finished = drain(archive->stream);
  close(archive->stream);
  if (!finished) kill(archive->child, SIGKILL);
  while (waitpid(archive->child, &status, 0) < 0 && errno == EINTR) continue;
  if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_FOUND)
    die(SEED_TOOL_MISSING, "%s", archive->tool == unpacker ? "libarchive" : archive->tool);
  /* gzip returns 2 for a warning, such as zeros after its data */
  int warned = strcmp(archive->tool, "gzip") == 0 && WIFEXITED(status) && WEXITSTATUS(status) == 2;
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
    die(SEED_REJECTED, "%s needs too much processor time for what the disk can hold", archive->tool);
  if (finished && status != 0 && !warned) die(SEED_REJECTED, "%s cannot unpack it: it is damaged or cut short", archive->tool);
  if (problem != NULL) die(SEED_REJECTED, "%s", problem);
}
