#include "dns_tcp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../clock.h"
#include "../list.h"
#include "../loop.h"
#include "../deadline.h"
#include "resolve.h"

enum {
  CLIENTS_MAX = 32,
  IDLE_MS = 10000,
  LENGTH_SIZE = 2,
  /* A question with every extension in use is far shorter. */
  QUESTION_MAX = 1024,
};

struct dns_client {
  struct link all;
  struct dns_asker asker;
  struct source source;
  int fd;
  bool asking;  /* the next question waits for the answer */
  bool reading; /* in `ask`, which goes on with the next question itself */
  bool broken;
  bool ended;              /* the client asks nothing more */
  size_t held, start, end; /* received bytes; range of `answer` to send */
  uint64_t active_ns;
  uint8_t *answer;
  uint8_t question[LENGTH_SIZE + QUESTION_MAX];
};

static struct link all = {&all, &all};
static unsigned count;

bool dns_tcp_fits(void) { return count < CLIENTS_MAX; }

static void end(struct dns_client *client) {
  resolve_leave(&client->asker);
  list_remove(&client->all);
  count--;
  loop_close(client->fd);
  client->fd = -1;
  free(client->answer);
  client->answer = NULL;
  loop_free_later(client);
}

/* False when the connection is gone. */
static bool send_answer(struct dns_client *client) {
  while (client->start < client->end) {
    ssize_t sent = send(client->fd, client->answer + client->start, client->end - client->start, MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN;
    client->start += (size_t)sent;
  }
  free(client->answer);
  client->answer = NULL;
  return true;
}

/* Asks the host for the first whole question; false for one that is too long. */
static bool ask(struct dns_client *client) {
  while (!client->asking && client->answer == NULL && client->held >= LENGTH_SIZE) {
    size_t size = (size_t)client->question[0] << 8 | client->question[1], whole = LENGTH_SIZE + size;
    if (size > QUESTION_MAX) return false;
    if (client->held < whole) return true;
    client->asking = true;
    uint8_t question[QUESTION_MAX];
    memcpy(question, client->question + LENGTH_SIZE, size);
    memmove(client->question, client->question + whole, client->held - whole);
    client->held -= whole;
    client->reading = true;
    bool asked = resolve_ask(question, size, NULL, &client->asker);
    client->reading = false;
    if (!asked || client->broken) return false;
  }
  return true;
}

/* False when the connection is over: a client that has ended its side still gets its answer. */
static bool receive(struct dns_client *client) {
  for (;;) {
    if (!ask(client)) return false;
    if (client->ended) return client->asking || client->answer != NULL;
    size_t room = sizeof client->question - client->held;
    if (room == 0) return true; /* a question waits, and the next ones stay in the socket */
    ssize_t size = recv(client->fd, client->question + client->held, room, 0);
    if (size < 0) return errno == EAGAIN;
    client->ended = size == 0;
    client->held += (size_t)size;
    client->active_ns = clock_monotonic_ns();
  }
}

static void on_ready(struct source *source, uint32_t events) {
  struct dns_client *client = container_of(source, struct dns_client, source);
  if (client->fd < 0) return;
  (void)events;
  if (!send_answer(client) || !receive(client)) end(client);
}

/* Sends the answer to the client's question; it may ask the next one. */
static void reply(struct dns_asker *asker, const uint8_t *message, size_t size) {
  struct dns_client *client = container_of(asker, struct dns_client, asker);
  client->asking = false;
  client->active_ns = clock_monotonic_ns();
  client->answer = malloc(LENGTH_SIZE + size);
  if (client->answer == NULL) return; /* the client asks again, or ends by its idle time */
  client->answer[0] = (uint8_t)(size >> 8);
  client->answer[1] = (uint8_t)size;
  memcpy(client->answer + LENGTH_SIZE, message, size);
  client->start = 0;
  client->end = LENGTH_SIZE + size;
  client->broken = !send_answer(client);
  if (client->reading) return;
  if (client->broken || !receive(client)) end(client);
}

void dns_tcp_take(int fd) {
  struct dns_client *client = dns_tcp_fits() ? calloc(1, sizeof *client) : NULL;
  if (client == NULL) {
    close(fd);
    return;
  }
  client->fd = fd;
  client->asker.reply = reply;
  client->source.ready = on_ready;
  client->active_ns = clock_monotonic_ns();
  list_append(&all, &client->all);
  count++;
  if (loop_watch(fd, EPOLLIN | EPOLLOUT, &client->source) < 0) end(client);
}

void dns_tcp_close_all(void) {
  while (!list_empty(&all)) end(container_of(all.next, struct dns_client, all));
}

int dns_tcp_delay_ms(void) {
  return list_empty(&all) ? -1 : time_left_ms(container_of(all.next, struct dns_client, all)->active_ns, IDLE_MS) + 1;
}

void dns_tcp_expire(void) {
  struct link *next = NULL;
  for (struct link *at = all.next; at != &all; at = next) {
    struct dns_client *client = container_of(at, struct dns_client, all);
    next = at->next;
    if (!client->asking && time_left_ms(client->active_ns, IDLE_MS) == 0) end(client);
  }
}
