/*
 * pyro-apply: changes files beneath a directory from known old contents to new ones, all or none.
 *
 *   pyro-apply [--check] [--within ROOT] DIR
 *
 * stdin has the list of changes (apply/changes.h), then the old and the new content of each in order. Everything is written into a
 * staging folder in DIR first. A file of the host must be the old one, byte by byte, or the new one already; what is to be added must
 * not be there. "ready" says that all are. After a byte `c`, renames give each file its place. Each file that a rename displaced is
 * compared once more: a file that changed in between takes everything back. No symbolic link beneath DIR is followed, and DIR itself has
 * none. An early end of the input leaves everything unchanged, for any end of its writer, so the signals that end a whole session are
 * ignored. With --within, DIR is relative to ROOT. With --check, nothing is written in DIR, and "done" follows the comparison.
 *
 * Records on stdout (kind, subject, text, each ended by a NUL); paths are those of the list:
 *   ready                           all files are as expected
 *   conflict PATH REASON            a file that is not as expected; the first 20
 *   there PATH                      the new file is there already
 *   count WHAT NUMBER               neededBytes and freeBytes, before an error
 *   done                            everything is in its place
 *   error OUTCOME DETAIL            one of enum apply_outcome, as the exit status
 */
#include "apply.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static int open_root(struct apply *apply, const char *within, const char *directory) {
  int above = -1;
  if (within != NULL && (above = without_links(within)) < 0) apply_fail(apply, errno, "cannot open", within);
  int root = within == NULL ? without_links(directory) : beneath(above, directory, strlen(directory));
  if (root < 0) apply_fail(apply, errno, "cannot open", directory);
  if (above >= 0) close(above);
  return root;
}

static void allow_descriptors(void) {
  struct rlimit limit; /* a look into a tree takes one for each level */
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
}

int main(int argc, char **argv) {
  static struct apply apply = {.input = {.read = input_stdin}, .root = -1, .stage_home = -1, .stage = -1};
  const char *within = NULL, *problem;
  int at = 1, is_check = 0, ended;
  uint64_t commit;
  for (int signals[] = {SIGPIPE, SIGINT, SIGHUP, SIGTERM}, i = 0; i < 4; i++) signal(signals[i], SIG_IGN);
  umask(0); /* the list has the mode of each */
  allow_descriptors();
  for (; at < argc && strncmp(argv[at], "--", 2) == 0; at++) {
    if (strcmp(argv[at], "--check") == 0)
      is_check = 1;
    else if (strcmp(argv[at], "--within") == 0 && at + 1 < argc)
      within = argv[++at];
    else
      apply_end(&apply, APPLY_USAGE, "unknown option");
  }
  if (argc != at + 1) apply_end(&apply, APPLY_USAGE, "usage: pyro-apply [--check] [--within ROOT] DIR");
  apply.root = open_root(&apply, within, argv[at]);
  problem = changes_read(&apply.changes, &apply.input, &ended);
  if (problem != NULL) apply_end(&apply, ended ? APPLY_WITHDRAWN : APPLY_MALFORMED, "%s", problem);
  stage_open(&apply, is_check);
  stage_fill(&apply);
  look(&apply);
  for (size_t i = 0; i < apply.changes.count; i++) {
    if (apply.changes.list[i].state == CHANGE_THERE) put_report("there", apply.changes.list[i].path, "");
  }
  put_report("ready", "", "");
  fflush(stdout);
  if (!is_check) {
    if (input_number(&apply.input, 1, &commit) != 0) apply_end(&apply, APPLY_WITHDRAWN, "the input ended");
    if (commit != 'c') apply_end(&apply, APPLY_MALFORMED, "there is more content than changes");
    place(&apply);
  }
  close(apply.stage);
  remove_tree(apply.stage_home, apply.stage_name);
  put_report("done", "", "");
  changes_free(&apply.changes);
  free(apply.steps);
  return fflush(stdout) == 0 ? APPLY_DONE : APPLY_FAILED;
}
