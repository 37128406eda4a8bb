/* Open files and directories of the client. */
#pragma once

#include "ssh.h"

#include <dirent.h>

struct handle {
  int fd;
  /* Of an open directory. */
  DIR *directory;
  bool is_append;
  bool is_open;
};

/* A free place for a handle. NULL if the client has too many. */
struct handle *new_handle(void);
/* The place of a handle, as the reply has it. */
uint32_t number_of(const struct handle *handle);
/* The open handle that a request names. NULL if there is none. */
struct handle *take_handle(struct request *request);
/* 0, or an errno. */
int close_handle(struct handle *handle);
