/* Openers about files and trees of the guest. Each runs in a helper (task.h). */
#ifndef PYRO_FILES_H
#define PYRO_FILES_H

#include "stream.h"

/* READ: a file's content, from an offset on. */
void read_file(struct stream *stream, const struct read_request *request);
/* READ_MANY: the contents of many small files, one after the other. */
void read_many(struct stream *stream, const struct read_many_request *request);
/* WRITE: input becomes a file, whole or not at all. */
void write_file(struct stream *stream, const struct write_request *request);
/* CHANGE: takes files away, puts files in place and moves files, all or none. */
void change_files(struct stream *stream, const struct change_request *request);
/* WALK: one record for every file beneath a directory. */
void walk(struct stream *stream, const struct walk_request *request);
/* FILE: looks at one file, or makes, removes, renames, copies or changes it. */
void file_work(struct stream *stream, const struct file_request *request);
/* WATCH: changes beneath a directory, or of a file, until its release. */
void watch_files(struct stream *stream, const struct watch_request *request);
/* COMPARE: differences of two trees. */
void compare(struct stream *stream, const struct compare_request *request);

#endif
