#include "syn_filter.h"

#include <netinet/in.h>

#include "bpf.h"

/* Fields of struct __sk_buff (linux/bpf.h). */
enum { LENGTH = 0, MARK = 8, PROTOCOL = 16 };
enum { ETHERNET_IPV4 = 0x0800, TCP_FLAGS = 13, SYN = 0x02, ACK = 0x10, IPV4_HEADER = 20, IPV6_HEADER = 40, FROM_NETWORK_HEADER = 1 };
/* Places on the stack. */
enum { RECORD = -(int)sizeof(struct syn_record), PACKET = RECORD + 4, FLAGS = RECORD - 4 };
enum label { IPV4, PASS, DROP };

/* A socket filter returns how many bytes it keeps. */
enum { KEEP_NOTHING = 0, KEEP_EVERYTHING = -1 };

/* R7 becomes the size of the network header and the segment, for a SYN that fits in a record. */
static void measure(struct bpf_code *code) {
  bpf_read(code, R7, R6, LENGTH);
  bpf_add(code, R7, IPV4_HEADER);
  bpf_read(code, R1, R6, PROTOCOL);
  bpf_if_equal(code, R1, htons(ETHERNET_IPV4), IPV4);
  bpf_add(code, R7, IPV6_HEADER - IPV4_HEADER);
  bpf_label(code, IPV4);
  bpf_if_above(code, R7, SYN_PACKET_MAX, DROP);
  bpf_if_below(code, R7, IPV4_HEADER + 20, DROP);
}

static void tell(struct bpf_code *code, int ring) {
  bpf_write(code, R10, RECORD, R7);
  for (int i = 0; i < SYN_PACKET_MAX; i += 4) bpf_write_value(code, R10, PACKET + i, 0);
  bpf_move(code, R1, R6);
  bpf_set(code, R2, 0);
  bpf_stack(code, R3, PACKET);
  bpf_move(code, R4, R7);
  bpf_set(code, R5, FROM_NETWORK_HEADER);
  bpf_call(code, BPF_FUNC_SKB_LOAD_BYTES_RELATIVE);
  bpf_use_map(code, R1, ring);
  bpf_stack(code, R2, RECORD);
  bpf_set(code, R3, sizeof(struct syn_record));
  bpf_set(code, R4, 0);
  bpf_call(code, BPF_FUNC_RINGBUF_OUTPUT);
}

int syn_filter_load(int ring) {
  struct bpf_code code = {.count = 0};
  bpf_move(&code, R6, R1);
  bpf_read(&code, R1, R6, MARK);
  bpf_if_equal(&code, R1, SYN_MARK, PASS);
  bpf_write_value(&code, R10, FLAGS, 0);
  bpf_move(&code, R1, R6);
  bpf_set(&code, R2, TCP_FLAGS);
  bpf_stack(&code, R3, FLAGS);
  bpf_set(&code, R4, 1);
  bpf_call(&code, BPF_FUNC_SKB_LOAD_BYTES);
  bpf_read(&code, R1, R10, FLAGS);
  bpf_and(&code, R1, SYN | ACK);
  bpf_unless_equal(&code, R1, SYN, PASS);
  measure(&code);
  tell(&code, ring);
  bpf_label(&code, DROP);
  bpf_exit(&code, KEEP_NOTHING);
  bpf_label(&code, PASS);
  bpf_exit(&code, KEEP_EVERYTHING);
  bpf_finish(&code);
  return bpf_load(BPF_PROG_TYPE_SOCKET_FILTER, 0, &code);
}
