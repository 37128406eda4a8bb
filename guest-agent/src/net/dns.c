#include "dns.h"

#include <string.h>

enum { HEADER = 12, LABEL_MAX = 63, WIRE_NAME_MAX = 255, OPT = 41, OPT_SIZE = 11, CLASS_IN = 1, UDP_MIN = 512 };
/* Flags of the second word. */
enum { RESPONSE = 0x8000, OPCODE = 0x7800, TRUNCATED = 0x0200, RECURSION_WANTED = 0x0100, RECURSION_DONE = 0x0080 };
/* Short enough that a program asks again soon; the address stays the name's all the same. */
enum { TTL_S = 60 };

static uint16_t get16(const uint8_t *at) { return (uint16_t)(at[0] << 8 | at[1]); }

static uint8_t *set16(uint8_t *at, size_t value) {
  at[0] = (uint8_t)(value >> 8);
  at[1] = (uint8_t)value;
  return at + 2;
}

/* A character of a host name, in lower case; 0 for any other one. */
static char host_character(uint8_t byte) {
  if (byte >= 'A' && byte <= 'Z') return (char)(byte + 'a' - 'A');
  if ((byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-' || byte == '_') return (char)byte;
  return '\0';
}

enum name_reading { NAME_GOOD, NAME_STRANGE, NAME_MALFORMED };

/* Reads the labels at `*at`; strange is a name that no host has. */
static enum name_reading read_name(const uint8_t *message, size_t size, size_t *at, char name[DNS_NAME_MAX + 1]) {
  size_t length = 0, start = *at;
  bool strange = false;
  while (*at < size && message[*at] != 0) {
    size_t label = message[(*at)++];
    /* A question has nothing that a pointer could point to. */
    if (label > LABEL_MAX || label >= size - *at || *at + label - start >= WIRE_NAME_MAX) return NAME_MALFORMED;
    if (length > 0) name[length++] = '.';
    for (size_t i = 0; i < label; i++) {
      char character = host_character(message[(*at)++]);
      strange = strange || character == '\0';
      name[length++] = character;
    }
  }
  if (*at >= size) return NAME_MALFORMED;
  (*at)++;
  name[length] = '\0';
  return strange ? NAME_STRANGE : NAME_GOOD;
}

/* The OPT record of a plain question, right after it. */
static void read_extension(const uint8_t *message, size_t size, size_t at, struct dns_question *question) {
  bool alone = get16(message + 6) == 0 && get16(message + 8) == 0 && get16(message + 10) == 1;
  if (!alone || size - at < OPT_SIZE || message[at] != 0 || get16(message + at + 1) != OPT) return;
  question->extended = true;
  size_t wanted = get16(message + at + 3);
  question->udp_max = wanted < UDP_MIN ? UDP_MIN : wanted > DNS_UDP_MAX ? DNS_UDP_MAX : wanted;
}

static enum dns_reading answer_now(enum dns_code *code, enum dns_code value) {
  *code = value;
  return DNS_ANSWER_NOW;
}

enum dns_reading dns_read(const uint8_t *message, size_t size, struct dns_question *question, enum dns_code *code) {
  if (size < HEADER || (get16(message + 2) & RESPONSE) != 0) return DNS_IGNORE;
  memset(question, 0, sizeof *question);
  question->id = get16(message);
  question->flags = get16(message + 2);
  question->udp_max = UDP_MIN;
  if ((question->flags & OPCODE) != 0) return answer_now(code, DNS_NOT_IMPLEMENTED);
  if (get16(message + 4) != 1) return answer_now(code, DNS_MALFORMED);
  size_t at = HEADER;
  enum name_reading reading = read_name(message, size, &at, question->name);
  if (reading == NAME_MALFORMED || size - at < 4) return answer_now(code, DNS_MALFORMED);
  question->type = get16(message + at);
  uint16_t question_class = get16(message + at + 2);
  at += 4;
  question->wire_size = at - HEADER;
  memcpy(question->wire, message + HEADER, question->wire_size);
  read_extension(message, size, at, question);
  if (question_class != CLASS_IN) return answer_now(code, DNS_REFUSED);
  if (reading == NAME_STRANGE) return answer_now(code, DNS_NO_SUCH_NAME);
  return question->name[0] == '\0' ? answer_now(code, DNS_OK) : DNS_ASK;
}

size_t dns_write(const struct dns_question *question, enum dns_code code, struct dns_records records, size_t limit, uint8_t *to) {
  size_t extension = question->extended ? OPT_SIZE : 0;
  bool fits = HEADER + question->wire_size + extension + records.size <= limit;
  if (!fits) records = (struct dns_records){.count = 0};
  uint16_t flags = (uint16_t)(RESPONSE | (question->flags & (OPCODE | RECURSION_WANTED)) | RECURSION_DONE | (fits ? 0 : TRUNCATED) | code);
  uint8_t *at = set16(to, question->id);
  at = set16(at, flags);
  at = set16(at, question->wire_size > 0 ? 1 : 0);
  at = set16(at, records.count);
  at = set16(at, 0);
  at = set16(at, extension > 0 ? 1 : 0);
  memcpy(at, question->wire, question->wire_size);
  at += question->wire_size;
  if (records.size > 0) memcpy(at, records.data, records.size);
  at += records.size;
  if (extension == 0) return (size_t)(at - to);
  memset(at, 0, OPT_SIZE);
  set16(set16(at + 1, OPT), DNS_UDP_MAX);
  return (size_t)(at + OPT_SIZE - to);
}

void dns_address_record(const uint8_t address[4], uint8_t to[DNS_ADDRESS_RECORD]) {
  enum { NAME_OF_QUESTION = 0xc000 | HEADER };
  uint8_t *at = set16(to, NAME_OF_QUESTION);
  at = set16(at, DNS_TYPE_A);
  at = set16(at, CLASS_IN);
  at = set16(at, 0);
  at = set16(at, TTL_S);
  at = set16(at, 4);
  memcpy(at, address, 4);
}
