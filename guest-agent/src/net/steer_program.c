#include "steer_program.h"

#include <netinet/in.h>

#include "bpf.h"

/* Fields of struct bpf_sk_lookup (linux/bpf.h). */
enum { FAMILY = 8, PROTOCOL = 12, ADDRESS4 = 40, ADDRESS6 = 44, PORT = 60 };
/* Places on the stack: the key of an own address (prefix length, 16 bytes), and the key of a socket. */
enum { KEY = -24, KEY_ADDRESS = KEY + 4, SOCKET = -28 };
enum { DNS_PORT = 53 };
enum label { IPV4, LOOK_UP, FOREIGN, FAMILY_IS_LEFT, CHOSEN, PASS };

static void put_key(struct bpf_code *code) {
  bpf_write_value(code, R10, KEY, 128);
  bpf_if_equal(code, R7, AF_INET, IPV4);
  for (int i = 0; i < 16; i += 4) {
    bpf_read(code, R0, R6, ADDRESS6 + i);
    bpf_write(code, R10, KEY_ADDRESS + i, R0);
  }
  bpf_jump(code, LOOK_UP);
  bpf_label(code, IPV4); /* as ::ffff:a.b.c.d */
  bpf_write_value(code, R10, KEY_ADDRESS, 0);
  bpf_write_value(code, R10, KEY_ADDRESS + 4, 0);
  bpf_write_value(code, R10, KEY_ADDRESS + 8, (int32_t)htonl(0xffff));
  bpf_read(code, R0, R6, ADDRESS4);
  bpf_write(code, R10, KEY_ADDRESS + 12, R0);
  bpf_label(code, LOOK_UP);
}

/* R8 becomes the key of the socket. */
static void choose_socket(struct bpf_code *code) {
  bpf_set(code, R8, STEERED_TCP4);
  bpf_read(code, R1, R6, PROTOCOL);
  bpf_if_equal(code, R1, IPPROTO_TCP, FAMILY_IS_LEFT);
  bpf_set(code, R8, STEERED_DNS4);
  bpf_read(code, R1, R6, PORT);
  bpf_if_equal(code, R1, DNS_PORT, FAMILY_IS_LEFT);
  bpf_set(code, R8, STEERED_UDP4);
  bpf_label(code, FAMILY_IS_LEFT);
  bpf_if_equal(code, R7, AF_INET, CHOSEN);
  bpf_add(code, R8, 1); /* the family's other socket follows */
  bpf_label(code, CHOSEN);
  bpf_write(code, R10, SOCKET, R8);
}

static void assign_socket(struct bpf_code *code, int sockets) {
  bpf_use_map(code, R1, sockets);
  bpf_stack(code, R2, SOCKET);
  bpf_call(code, BPF_FUNC_MAP_LOOKUP_ELEM);
  bpf_if_equal(code, R0, 0, PASS);
  bpf_move(code, R7, R0);
  bpf_move(code, R1, R6);
  bpf_move(code, R2, R7);
  bpf_set(code, R3, 0);
  bpf_call(code, BPF_FUNC_SK_ASSIGN);
  bpf_move(code, R1, R7);
  bpf_call(code, BPF_FUNC_SK_RELEASE);
}

int steer_program_load(int own_addresses, int sockets) {
  struct bpf_code code = {.count = 0};
  bpf_move(&code, R6, R1);
  bpf_read(&code, R7, R6, FAMILY);
  put_key(&code);
  bpf_use_map(&code, R1, own_addresses);
  bpf_stack(&code, R2, KEY);
  bpf_call(&code, BPF_FUNC_MAP_LOOKUP_ELEM);
  bpf_if_equal(&code, R0, 0, FOREIGN);
  bpf_exit(&code, SK_PASS);
  bpf_label(&code, FOREIGN);
  choose_socket(&code);
  assign_socket(&code, sockets);
  bpf_label(&code, PASS);
  bpf_exit(&code, SK_PASS);
  bpf_finish(&code);
  return bpf_load(BPF_PROG_TYPE_SK_LOOKUP, BPF_ATTACH_SK_LOOKUP, &code);
}
