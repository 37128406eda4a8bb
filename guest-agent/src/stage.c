#include "stage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "beneath.h"
#include "change_plan.h"
#include "draft.h"
#include "kernel.h"

#define KERNEL_RENAME_NOREPLACE 1u
#define PREFIX ".pyro-"

enum { RANDOM_DIGITS = 16, NOTE_MAX = STAGED_NAME_MAX + 8, ATTEMPTS = 8 };

static void note_name(char name[NOTE_MAX], uint32_t number) {
  char staged[STAGED_NAME_MAX];
  change_staged_name(staged, number);
  snprintf(name, NOTE_MAX, "%s.path", staged);
}

static bool is_stage_name(const char *name) {
  size_t prefix = sizeof PREFIX - 1;
  return strncmp(name, PREFIX, prefix) == 0 && strspn(name + prefix, "0123456789abcdef") == RANDOM_DIGITS &&
         name[prefix + RANDOM_DIGITS] == '\0';
}

/* Another's search for stages may remove this one before it is locked: ESTALE then. */
static int try_open(int root, struct stage *stage) {
  struct stat status;
  int error = draft_name(stage->name, false);
  if (error != 0) return error;
  if (mkdirat(root, stage->name, 0700) < 0) return errno;
  stage->fd = open_beneath(root, stage->name, O_RDONLY | O_DIRECTORY, 0, false);
  if (stage->fd < 0) return errno == ENOENT ? ESTALE : errno;
  if (flock(stage->fd, LOCK_EX | LOCK_NB) == 0 && fstat(stage->fd, &status) == 0 && status.st_nlink > 0) return 0;
  close(stage->fd);
  return ESTALE;
}

int stage_open(int root, struct stage *stage) {
  int error = ESTALE;
  for (int attempt = 0; error == ESTALE && attempt < ATTEMPTS; attempt++) error = try_open(root, stage);
  return error;
}

int stage_note(const struct stage *stage, uint32_t number, const char *path) {
  char note[NOTE_MAX];
  note_name(note, number);
  return symlinkat(path, stage->fd, note) < 0 ? errno : 0;
}

void stage_remove(int root, const struct stage *stage, uint32_t count) {
  for (uint32_t number = 1; number <= count + 1; number++) {
    char staged[STAGED_NAME_MAX], note[NOTE_MAX];
    change_staged_name(staged, number);
    note_name(note, number);
    (void)unlinkat(stage->fd, staged, 0);
    (void)unlinkat(stage->fd, note, 0);
  }
  (void)unlinkat(root, stage->name, AT_REMOVEDIR);
  close(stage->fd);
}

static void put_back(int root, int stage, uint32_t number) {
  char staged[STAGED_NAME_MAX], note[NOTE_MAX], path[PATH_MAX];
  change_staged_name(staged, number);
  note_name(note, number);
  ssize_t size = readlinkat(stage, note, path, sizeof path - 1);
  if (size < 0) return;
  path[size] = '\0';
  const char *name = NULL;
  /* The directories above may have gone with the last that was in them. */
  int parent = open_parent_beneath(root, path, true, &name);
  if (parent < 0) return;
  (void)syscall(SYS_renameat2, stage, staged, parent, name, KERNEL_RENAME_NOREPLACE);
  close(parent);
}

/* Takes ownership of `fd`. Removes only the remains of a change from a directory, whatever process made them. */
static void recover(int root, const char *name, int fd) {
  struct stage stage = {.fd = fd};
  memcpy(stage.name, name, sizeof PREFIX + RANDOM_DIGITS);
  int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *directory = copy < 0 ? NULL : fdopendir(copy);
  if (directory == NULL) {
    if (copy >= 0) close(copy);
    close(fd);
    return;
  }
  uint32_t most = 0;
  const struct dirent *entry;
  while ((entry = readdir(directory)) != NULL) {
    char *end = NULL;
    unsigned long number = strtoul(entry->d_name, &end, 10);
    if (end == entry->d_name || number == 0 || number > CHANGES_MAX) continue;
    if (number > most) most = (uint32_t)number;
    if (strcmp(end, ".path") == 0) put_back(root, fd, (uint32_t)number);
  }
  closedir(directory);
  stage_remove(root, &stage, most);
}

void stages_recover(int root) {
  int base = open_beneath(root, ".", O_RDONLY | O_DIRECTORY, 0, false);
  DIR *directory = base < 0 ? NULL : fdopendir(base);
  if (directory == NULL) {
    if (base >= 0) close(base);
    return;
  }
  const struct dirent *entry;
  while ((entry = readdir(directory)) != NULL) {
    if (!is_stage_name(entry->d_name)) continue;
    int fd = open_beneath(root, entry->d_name, O_RDONLY | O_DIRECTORY, 0, false);
    if (fd < 0) continue;
    struct stat status;
    bool ours = fstat(fd, &status) == 0 && status.st_uid == geteuid() && (status.st_mode & 07777) == 0700;
    if (ours && flock(fd, LOCK_EX | LOCK_NB) == 0)
      recover(root, entry->d_name, fd);
    else
      close(fd);
  }
  closedir(directory);
}
