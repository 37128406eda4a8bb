/* DNS messages as bytes: reads a question, writes its answer (RFC 1035, RFC 6891). */
#ifndef PYRO_DNS_H
#define PYRO_DNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  DNS_NAME_MAX = 253,                               /* characters of a name */
  DNS_QUESTION_MAX = 259,                           /* a name on the wire, type and class */
  DNS_UDP_MAX = 1232,                               /* answers beyond it go over TCP */
  DNS_ANSWER_OVERHEAD = 12 + DNS_QUESTION_MAX + 11, /* header, question, OPT */
};
enum { DNS_TYPE_A = 1 };
enum dns_code { DNS_OK = 0, DNS_MALFORMED = 1, DNS_SERVER_FAILURE = 2, DNS_NO_SUCH_NAME = 3, DNS_NOT_IMPLEMENTED = 4, DNS_REFUSED = 5 };

struct dns_question {
  uint16_t id, flags, type;
  bool extended;  /* with an OPT record, so the answer has one */
  size_t udp_max; /* bytes that the client takes over UDP */
  uint8_t wire[DNS_QUESTION_MAX];
  size_t wire_size;            /* 0 in the answer to a malformed question */
  char name[DNS_NAME_MAX + 1]; /* lower case, no final dot */
};

enum dns_reading {
  DNS_IGNORE,     /* no question: nothing is answered */
  DNS_ASK,        /* the host has to answer */
  DNS_ANSWER_NOW, /* with *code and without records */
};
enum dns_reading dns_read(const uint8_t *message, size_t size, struct dns_question *question, enum dns_code *code);

struct dns_records {
  const uint8_t *data;
  size_t size;
  uint16_t count;
};
/* Writes an answer of `limit` bytes at most; records that do not fit are left out, and the answer says so. Its size. The
 * caller's room is DNS_ANSWER_OVERHEAD at least. */
size_t dns_write(const struct dns_question *question, enum dns_code code, struct dns_records records, size_t limit, uint8_t *to);

enum { DNS_ADDRESS_RECORD = 16 };
/* The record of the question's name and an IPv4 address, compressed. */
void dns_address_record(const uint8_t address[4], uint8_t to[DNS_ADDRESS_RECORD]);

#endif
