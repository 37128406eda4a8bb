#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* More descendants than a test starts. Others survive one pass and end in the next. */
enum { TREE_MAX = 4096 };

struct tree {
  pid_t pids[TREE_MAX];
  size_t count;
};

/* Adds the children of every thread of a process. */
static void add_children(struct tree *tree, pid_t pid) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  static char text[65536];
  ssize_t size = read(fd, text, sizeof text - 1);
  close(fd);
  if (size <= 0) return;
  text[size] = '\0';
  char *at = text, *end = NULL;
  for (;;) {
    long child = strtol(at, &end, 10);
    if (end == at || tree->count == TREE_MAX) return;
    tree->pids[tree->count++] = (pid_t)child;
    at = end;
  }
}

/* Everything beneath `top`, in breadth. */
static void gather(struct tree *tree, pid_t top) {
  size_t next = tree->count;
  add_children(tree, top);
  while (next < tree->count) add_children(tree, tree->pids[next++]);
}

static void kill_gathered(const struct tree *tree, pid_t session) {
  for (size_t i = 0; i < tree->count; i++)
    if (session == 0 || getsid(tree->pids[i]) == session) kill(tree->pids[i], SIGKILL);
}

void tree_kill(pid_t leader, bool alive) {
  static struct tree tree;
  tree.count = 0;
  if (alive) {
    gather(&tree, leader);
    /* The leader first: a shell that notices its child's kill would exit with its own status. */
    kill(leader, SIGKILL);
    kill_gathered(&tree, 0);
  }
  kill(-leader, SIGKILL);
  /* The agent inherits orphans (PR_SET_CHILD_SUBREAPER); the session still names their command. */
  tree.count = 0;
  gather(&tree, getpid());
  kill_gathered(&tree, leader);
}

static bool has(const struct tree *tree, pid_t pid) {
  for (size_t i = 0; i < tree->count; i++)
    if (tree->pids[i] == pid) return true;
  return false;
}

void tree_signal(pid_t leader, int signal) {
  static struct tree own, others;
  own.count = others.count = 0;
  gather(&own, leader);
  gather(&others, getpid());
  kill(leader, signal);
  for (size_t i = 0; i < own.count; i++) kill(own.pids[i], signal);
  for (size_t i = 0; i < others.count; i++)
    if (others.pids[i] != leader && getsid(others.pids[i]) == leader && !has(&own, others.pids[i])) kill(others.pids[i], signal);
}

void tree_kill_all(void) {
  static struct tree tree;
  do {
    tree.count = 0;
    gather(&tree, getpid());
    kill_gathered(&tree, 0);
  } while (waitpid(-1, NULL, 0) > 0 || errno == EINTR);
}
