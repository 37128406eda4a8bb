#include "activate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "announce.h"
#include "cgroup.h"
#include "child.h"
#include "kernel.h"
#include "list.h"
#include "loop.h"
#include "small_file.h"
#include "socket_list.h"

#define LIST "/etc/pyro/sockets"

enum { SOCKETS_MAX = 8, LIST_MAX = 4096, BACKLOG = 128 };

struct activated {
  struct source source;
  struct cgroup *cgroup; /* of the running program; NULL without cgroups */
  int listener;
  pid_t pid; /* 0: none runs */
  struct socket_line line;
};

static struct activated sockets[SOCKETS_MAX];
static size_t count;

static void wait_for_client(struct activated *one) {
  if (loop_watch_level(one->listener, EPOLLIN, &one->source) < 0) announce_event(EVENT_WARNING, "%s: %s", one->line.path, strerror(errno));
}

/* A program that cannot start would otherwise start again and again for the same clients. */
static void turn_clients_away(const struct activated *one) {
  for (int client; (client = accept4(one->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0;) close(client);
}

static void end_group(struct activated *one) {
  if (one->cgroup == NULL) return;
  cgroup_kill(one->cgroup);
  cgroup_release(one->cgroup);
  one->cgroup = NULL;
}

static int start_program(struct activated *one) {
  static char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", home[] = "HOME=/root", lang[] = "LANG=C.UTF-8";
  static const struct user root;
  char *variables[] = {path, home, lang, NULL}, *arguments[] = {NULL, one->line.program, NULL};
  int null_device = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null_device < 0) return errno;
  struct child_plan plan = {
      .argv = arguments + 1,
      .env = variables,
      .path = "",
      .cwd = "/",
      .user = &root,
      .in = one->listener,
      .out = null_device,
      .err = null_device,
  };
  struct child_report report = {.error = 0};
  int error = cgroup_available() ? cgroup_take(0, 0, &one->cgroup) : 0;
  pid_t pid = error != 0 ? -1 : child_start(&plan, one->cgroup == NULL ? -1 : cgroup_descriptor(one->cgroup), &report);
  if (error == 0 && pid < 0) error = errno;
  close(null_device);
  if (error == 0 && report.error != 0) {
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) continue;
    error = report.error;
  }
  if (error == 0) one->pid = pid;
  return error;
}

static void on_client(struct source *source, uint32_t events) {
  (void)events;
  struct activated *one = container_of(source, struct activated, source);
  if (one->pid != 0) return;
  int error = start_program(one);
  if (error == 0) {
    loop_unwatch(one->listener); /* the program accepts */
    return;
  }
  announce_event(EVENT_WARNING, "%s: %s", one->line.program, strerror(error));
  end_group(one);
  turn_clients_away(one);
}

bool activate_reaped(const siginfo_t *info) {
  for (size_t i = 0; i < count; i++) {
    struct activated *one = &sockets[i];
    if (one->pid == 0 || one->pid != info->si_pid) continue;
    one->pid = 0;
    end_group(one);
    if (info->si_code != CLD_EXITED || info->si_status != 0) {
      announce_event(EVENT_WARNING, "%s ended with %d", one->line.program, info->si_status);
      turn_clients_away(one);
    }
    wait_for_client(one);
    return true;
  }
  return false;
}

static int make_listener(const struct socket_line *line) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  memcpy(address.sun_path, line->path, strlen(line->path) + 1);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  struct stat left; /* by an earlier boot, on the disk */
  if (lstat(line->path, &left) == 0 && S_ISSOCK(left.st_mode)) unlink(line->path);
  mode_t before = umask(0777 & ~line->mode);
  bool bound = bind(fd, (const struct sockaddr *)&address, sizeof address) == 0;
  umask(before);
  if (bound && lchown(line->path, 0, line->group) == 0 && listen(fd, BACKLOG) == 0) return fd;
  int error = errno;
  close(fd);
  errno = error;
  return -1;
}

static void add(const struct socket_line *line) {
  int fd = make_listener(line);
  if (fd < 0) {
    announce_event(EVENT_WARNING, "%s: %s", line->path, strerror(errno));
    return;
  }
  struct activated *one = &sockets[count++];
  *one = (struct activated){.source = {on_client}, .listener = fd, .line = *line};
  wait_for_client(one);
}

void activate_sockets(void) {
  static char text[LIST_MAX];
  int fd = open(LIST, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
  if (fd < 0) return;
  ssize_t size = read(fd, text, sizeof text);
  close(fd);
  for (ssize_t at = 0; at < size && count < SOCKETS_MAX;) {
    const char *end = memchr(text + at, '\n', (size_t)(size - at));
    if (end == NULL) end = text + size;
    struct socket_line line;
    if (socket_line_read((struct bytes){(const uint8_t *)text + at, (size_t)(end - (text + at))}, &line)) add(&line);
    at = end - text + 1;
  }
}
