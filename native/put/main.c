/*
 * pyro-put: writes a stream of entries as NAME in the folder PARENT, beneath PARENT only, all or none.
 *
 *   pyro-put [--within ROOT] [--overwrite] PARENT NAME
 *
 * stdin has the list of entries (put/plan.h). "ready" says that no path is taken and the space suffices. The content of each
 * file then follows in the order of the list (put/stage.c), and a byte `c`. Everything is written into a staging folder
 * first, on the same file system. Renames that do not replace then move it into place; with --overwrite, files and links are
 * exchanged for the present ones. No symbolic link beneath PARENT is followed, also none that appears meanwhile. An early end
 * of the input leaves everything unchanged, for any end of its writer, so the signals that end a whole session are
 * ignored. With --within, PARENT is relative to ROOT, and neither path may have a link.
 *
 * Records on stdout (kind, subject, text, each ended by a NUL); paths are those of the list:
 *   ready                           the list is accepted
 *   conflict PATH REASON            a path is taken; the first 20
 *   replaced PATH, there PATH       a replaced file, an existing folder that stays
 *   count WHAT NUMBER               neededBytes and freeBytes, before an error
 *   done                            everything is in its place
 *   error OUTCOME DETAIL            one of enum put_outcome, as the exit status
 */
#include "put.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* The folder of the root entry. */
static int open_base(struct put *put, const char *within, const char *parent) {
  int root = -1;
  if (within != NULL && (root = without_links(within)) < 0) put_fail(put, errno, "cannot open", within);
  int base = within == NULL ? open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC) : beneath(root, parent, strlen(parent));
  if (base < 0) put_fail(put, errno, "cannot open", parent);
  if (root >= 0) close(root);
  return base;
}

static int usable_name(const char *name) {
  return *name != '\0' && strlen(name) <= PUT_NAME_MOST && strchr(name, '/') == NULL && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/* Whether the root entry is an existing folder: files staged in it are on its file system for certain. */
static int is_there(const struct put *put) {
  struct stat there;
  return put->plan.entries[0].type == 'd' && fstatat(put->base, put->name, &there, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(there.st_mode);
}

static void allow_descriptors(void) {
  struct rlimit limit; /* removal of a tree takes one for each level */
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
}

int main(int argc, char **argv) {
  static struct put put = {.input = {.read = input_stdin}, .base = -1, .stage_home = -1, .stage = -1};
  const char *within = NULL, *problem;
  int at = 1, ended;
  for (int signals[] = {SIGPIPE, SIGINT, SIGHUP, SIGTERM}, i = 0; i < 4; i++) signal(signals[i], SIG_IGN);
  umask(0); /* the list has the mode of each */
  allow_descriptors();
  for (; at < argc && strncmp(argv[at], "--", 2) == 0; at++) {
    if (strcmp(argv[at], "--overwrite") == 0)
      put.overwrite = 1;
    else if (strcmp(argv[at], "--within") == 0 && at + 1 < argc)
      within = argv[++at];
    else
      put_end(&put, PUT_USAGE, "unknown option");
  }
  if (argc != at + 2 || !usable_name(argv[at + 1])) put_end(&put, PUT_USAGE, "usage: pyro-put [--within ROOT] [--overwrite] PARENT NAME");
  put.name = argv[at + 1];
  put.base = open_base(&put, within, argv[at]);
  problem = plan_read(&put.plan, &put.input, &ended);
  if (problem != NULL) put_end(&put, ended ? PUT_WITHDRAWN : PUT_MALFORMED, "%s", problem);
  place_check(&put);
  put.stage_home = is_there(&put) ? beneath(put.base, put.name, strlen(put.name)) : put.base;
  if (put.stage_home < 0) put_fail(&put, errno, "cannot open", put.name);
  stage_open(&put);
  put_report("ready", "", "");
  fflush(stdout);
  stage_fill(&put);
  place_all(&put);
  close(put.stage);
  remove_tree(put.stage_home, put.stage_name);
  put_report("done", "", "");
  plan_free(&put.plan);
  return fflush(stdout) == 0 ? PUT_DONE : PUT_FAILED;
}
