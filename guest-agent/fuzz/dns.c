/* The reader of DNS questions, and the answer to what it read. */
#include <stdlib.h>
#include <string.h>

#include "../src/net/dns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_name(const char *name) {
  size_t length = strlen(name);
  if (length < 1 || length > DNS_NAME_MAX) abort();
  for (size_t i = 0; i < length; i++) {
    char at = name[i];
    if (!((at >= 'a' && at <= 'z') || (at >= '0' && at <= '9') || at == '-' || at == '_' || at == '.')) abort();
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static uint8_t answer[DNS_ANSWER_OVERHEAD + 4096];
  struct dns_question question;
  enum dns_code code = DNS_OK;
  enum dns_reading reading = dns_read(data, size, &question, &code);
  if (reading == DNS_IGNORE) return 0;
  if (reading == DNS_ASK) check_name(question.name);
  if (question.udp_max < 512 || question.udp_max > DNS_UDP_MAX) abort();
  struct dns_records records = {data, size < 4096 ? size : 4096, 1};
  size_t written = dns_write(&question, code, records, question.udp_max, answer);
  if (written < 12 || written > question.udp_max) abort();
  /* The answer is no question. */
  if (dns_read(answer, written, &question, &code) != DNS_IGNORE) abort();
  return 0;
}
