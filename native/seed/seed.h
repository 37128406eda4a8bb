/*
 * Shared parts of pyro-seed, a one-shot program. Memory comes from an arena that ends with the process. A fatal error ends in
 * die(), which leaves nothing behind, because the image has no name until it is complete.
 */
#ifndef PYRO_SEED_H
#define PYRO_SEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Exit statuses; the error record on stdout carries the same word. */
enum outcome {
  SEED_DONE = 0,
  SEED_FAILED = 1, /* the host failed in a way that has no better word */
  SEED_USAGE = 2,
  SEED_FULL = 3,         /* the content does not fit the virtual size */
  SEED_HOST_FULL = 4,    /* the file system that holds the image is full */
  SEED_REJECTED = 5,     /* the given source is unusable */
  SEED_TOOL_MISSING = 6, /* no program to decompress the archive; the detail is its name */
};

/* Maximum path within /workspace and maximum name, as in the guest's kernel. */
enum { PATH_LIMIT = 4095, NAME_LIMIT = 255 };

/* Memory that lives as long as the process. Never NULL. */
void *arena(size_t bytes);
char *arena_text(const char *text, size_t length);

/*
 * Reads arguments from stdin, for a process that was started before they were known: their size in bytes, u32 and big-endian, then
 * each NUL-terminated. The list of --list follows. Ends the program if stdin ends before.
 */
int await_arguments(char ***arguments);

/*
 * All output of pyro-seed goes to stdout as records of three NUL-terminated fields: kind, subject, text. Names in them are raw
 * bytes. The callers document each kind; main.c has the list.
 */
void report(const char *kind, const char *subject, const char *text);
void report_number(const char *subject, uint64_t number);

/* Reports a skipped path with the reason. After SKIPS_TOLD of them they are only counted. */
enum { SKIPS_TOLD = 1000 };
void report_skip(const char *path, const char *reason);
uint64_t report_skips(void);

/* Counts a property of a file that the image lacks. The report names the first file of each. */
enum loss { LOSS_SET_ID, LOSS_ATTRIBUTES, LOSSES };
void report_loss(enum loss loss, const char *path);
void report_losses(void);

/* seed/attributes.c: whether a file has extended attributes that a copy for another machine would keep. */
bool attributes_on(int fd);
/* Reports the losses of the NUL-terminated paths of stdin below a directory. */
void attributes_of_list(const char *directory);

/* Reports an error record, flushes and ends the process. */
_Noreturn void die(enum outcome outcome, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
