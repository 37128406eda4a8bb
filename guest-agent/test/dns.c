/* DNS questions and answers as bytes. */
#include "../src/net/dns.h"

#include <string.h>

#include "check.h"

static struct dns_question question;
static enum dns_code code;

static enum dns_reading read_bytes(const char *bytes, size_t size) {
  code = DNS_OK;
  return dns_read((const uint8_t *)bytes, size, &question, &code);
}

#define READ(text) read_bytes(text, sizeof(text) - 1)
#define HEAD "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
#define EXTENDED "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x01"
#define EXAMPLE "\7eXample\3COM\0"
#define A_IN "\0\x01\0\x01"

static void test_names(void) {
  test_begin("a DNS question gives its name in lower case");
  CHECK(READ(HEAD EXAMPLE A_IN) == DNS_ASK);
  CHECK(strcmp(question.name, "example.com") == 0 && question.type == 1 && question.id == 0x1234);
  test_begin("a name that no host has gets no such name");
  CHECK(READ(HEAD "\3a\nb\0" A_IN) == DNS_ANSWER_NOW && code == DNS_NO_SUCH_NAME);
  CHECK(READ(HEAD "\3a\0b\0" A_IN) == DNS_ANSWER_NOW && code == DNS_NO_SUCH_NAME);
  CHECK(READ(HEAD "\3a.b\0" A_IN) == DNS_ANSWER_NOW && code == DNS_NO_SUCH_NAME);
  test_begin("a pointer, a cut name and a cut type are malformed");
  CHECK(READ(HEAD "\xc0\x0c" A_IN) == DNS_ANSWER_NOW && code == DNS_MALFORMED && question.wire_size == 0);
  CHECK(READ(HEAD "\7exam") == DNS_ANSWER_NOW && code == DNS_MALFORMED);
  CHECK(READ(HEAD EXAMPLE "\0\x01\0") == DNS_ANSWER_NOW && code == DNS_MALFORMED);
  test_begin("an answer, a short datagram, another operation and another class are told apart");
  CHECK(READ("\x12\x34\x81\x80\0\x01\0\0\0\0\0\0" EXAMPLE A_IN) == DNS_IGNORE);
  CHECK(READ("GET / HTTP") == DNS_IGNORE);
  CHECK(READ("\x12\x34\x28\x00\0\x01\0\0\0\0\0\0" EXAMPLE A_IN) == DNS_ANSWER_NOW && code == DNS_NOT_IMPLEMENTED);
  CHECK(READ(HEAD EXAMPLE "\0\x10\0\x03") == DNS_ANSWER_NOW && code == DNS_REFUSED);
  CHECK(READ(HEAD "\0" A_IN) == DNS_ANSWER_NOW && code == DNS_OK);
}

/* Labels of 63, 63, 63 and `last` characters. */
static size_t long_question(char *to, size_t last) {
  memcpy(to, HEAD, 12);
  char *at = to + 12;
  for (int i = 0; i < 4; i++) {
    size_t size = i < 3 ? 63 : last;
    *at++ = (char)size;
    memset(at, 'a', size);
    at += size;
  }
  memcpy(at, "\0\0\x01\0\x01", 5);
  return (size_t)(at + 5 - to);
}

static void test_lengths(void) {
  char bytes[400];
  test_begin("a name of 253 characters is the longest");
  CHECK(read_bytes(bytes, long_question(bytes, 61)) == DNS_ASK);
  CHECK(strlen(question.name) == DNS_NAME_MAX && question.wire_size == DNS_QUESTION_MAX);
  CHECK(read_bytes(bytes, long_question(bytes, 62)) == DNS_ANSWER_NOW && code == DNS_MALFORMED);
}

static void test_answers(void) {
  uint8_t answer[600], record[DNS_ADDRESS_RECORD];
  dns_address_record((const uint8_t[]){198, 18, 1, 2}, record);
  test_begin("an answer repeats the question and its case");
  READ(HEAD EXAMPLE A_IN);
  size_t size = dns_write(&question, DNS_OK, (struct dns_records){record, sizeof record, 1}, 512, answer);
  CHECK(size == 12 + 17 + sizeof record && memcmp(answer, "\x12\x34\x81\x80\0\x01\0\x01\0\0\0\0", 12) == 0);
  CHECK(memcmp(answer + 12, EXAMPLE, 12) == 0 && memcmp(answer + size - 4, "\xc6\x12\x01\x02", 4) == 0);
  test_begin("a question with OPT gets an answer with OPT");
  READ(EXTENDED EXAMPLE A_IN "\0\0\x29\x10\x00\0\0\0\0\0\0");
  CHECK(question.extended && question.udp_max == DNS_UDP_MAX);
  size = dns_write(&question, DNS_NO_SUCH_NAME, (struct dns_records){.count = 0}, 512, answer);
  CHECK(size == 12 + 17 + 11 && answer[3] == 0x83 && answer[11] == 1 && answer[size - 9] == 0x29);
  test_begin("records that do not fit are left out of an answer that says so");
  READ(HEAD EXAMPLE A_IN);
  static const uint8_t many[600];
  size = dns_write(&question, DNS_OK, (struct dns_records){many, sizeof many, 9}, 512, answer);
  CHECK(size == 12 + 17 && (answer[2] & 0x02) != 0 && answer[7] == 0);
}

void test_dns(void) {
  test_names();
  test_lengths();
  test_answers();
}
