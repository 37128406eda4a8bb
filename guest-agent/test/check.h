/* Checks of the C tests: a failed check prints its place, and the program ends with status 1 after all checks. */
#ifndef PYRO_CHECK_H
#define PYRO_CHECK_H

#include <stdbool.h>

/* The test at hand, for the messages. */
void test_begin(const char *sentence);
void check_at(bool holds, const char *what, const char *file, int line);
#define CHECK(condition) check_at((condition), #condition, __FILE__, __LINE__)

void test_frames(const char *directory);
void test_reader(void);
void test_users(void);
void test_socket_list(void);
void test_ids(void);
void test_dns(void);
void test_packets(void);
void test_freezer(void);

#endif
