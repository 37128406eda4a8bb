#include "bpf_code.h"

/* linux/bpf_common.h and linux/bpf.h: a class in the low three bits, then the operation or the size and mode. */
enum { LOAD = 0x00, LOAD_FROM = 0x01, STORE_VALUE = 0x02, STORE_FROM = 0x03, JUMP = 0x05, ARITHMETIC = 0x07 };
enum { WORD = 0x00, DOUBLE = 0x18, IMMEDIATE = 0x00, MEMORY = 0x60 };
enum { ADD = 0x00, AND = 0x50, MOVE = 0xb0 };
enum { ALWAYS = 0x00, EQUAL = 0x10, ABOVE = 0x20, UNEQUAL = 0x50, CALL = 0x80, EXIT = 0x90, BELOW = 0xa0 };
enum { VALUE = 0x00, REGISTER = 0x08 };
enum { MAP_DESCRIPTOR = 1 /* as source register of a wide load */ };

static void emit(struct bpf_code *code, int operation, int to, int from, int offset, int32_t value) {
  if (code->count == BPF_INSTRUCTIONS_MAX) {
    code->wrong = true;
    return;
  }
  code->instructions[code->count++] = (struct bpf_instruction){
      .code = (uint8_t)operation, .registers = (uint8_t)(to | from << 4), .offset = (int16_t)offset, .immediate = value};
}

void bpf_move(struct bpf_code *code, enum bpf_register to, enum bpf_register from) {
  emit(code, ARITHMETIC | MOVE | REGISTER, to, from, 0, 0);
}
void bpf_set(struct bpf_code *code, enum bpf_register to, int32_t value) { emit(code, ARITHMETIC | MOVE | VALUE, to, 0, 0, value); }
void bpf_add(struct bpf_code *code, enum bpf_register to, int32_t value) { emit(code, ARITHMETIC | ADD | VALUE, to, 0, 0, value); }
void bpf_and(struct bpf_code *code, enum bpf_register to, int32_t value) { emit(code, ARITHMETIC | AND | VALUE, to, 0, 0, value); }

void bpf_read(struct bpf_code *code, enum bpf_register to, enum bpf_register from, int offset) {
  emit(code, LOAD_FROM | MEMORY | WORD, to, from, offset, 0);
}

void bpf_write(struct bpf_code *code, enum bpf_register to, int offset, enum bpf_register from) {
  emit(code, STORE_FROM | MEMORY | WORD, to, from, offset, 0);
}

void bpf_write_value(struct bpf_code *code, enum bpf_register to, int offset, int32_t value) {
  emit(code, STORE_VALUE | MEMORY | WORD, to, 0, offset, value);
}

void bpf_stack(struct bpf_code *code, enum bpf_register to, int offset) {
  bpf_move(code, to, R10);
  bpf_add(code, to, offset);
}

void bpf_use_map(struct bpf_code *code, enum bpf_register to, int map) {
  emit(code, LOAD | IMMEDIATE | DOUBLE, to, MAP_DESCRIPTOR, 0, map);
  emit(code, 0, 0, 0, 0, 0);
}

void bpf_call(struct bpf_code *code, int function) { emit(code, JUMP | CALL, 0, 0, 0, function); }

void bpf_exit(struct bpf_code *code, int32_t result) {
  bpf_set(code, R0, result);
  emit(code, JUMP | EXIT, 0, 0, 0, 0);
}

static void jump(struct bpf_code *code, int operation, enum bpf_register left, int32_t right, unsigned label) {
  if (code->jump_count == BPF_JUMPS_MAX || label >= BPF_LABELS_MAX) {
    code->wrong = true;
    return;
  }
  code->jumps[code->jump_count].at = code->count;
  code->jumps[code->jump_count++].label = label;
  emit(code, JUMP | operation | VALUE, left, 0, 0, right);
}

void bpf_jump(struct bpf_code *code, unsigned label) { jump(code, ALWAYS, 0, 0, label); }
void bpf_if_equal(struct bpf_code *code, enum bpf_register left, int32_t right, unsigned label) { jump(code, EQUAL, left, right, label); }
void bpf_unless_equal(struct bpf_code *code, enum bpf_register left, int32_t right, unsigned label) {
  jump(code, UNEQUAL, left, right, label);
}
void bpf_if_above(struct bpf_code *code, enum bpf_register left, int32_t right, unsigned label) { jump(code, ABOVE, left, right, label); }
void bpf_if_below(struct bpf_code *code, enum bpf_register left, int32_t right, unsigned label) { jump(code, BELOW, left, right, label); }

void bpf_label(struct bpf_code *code, unsigned label) {
  if (label < BPF_LABELS_MAX)
    code->labels[label] = code->count;
  else
    code->wrong = true;
}

void bpf_finish(struct bpf_code *code) {
  for (size_t i = 0; i < code->jump_count; i++) {
    size_t at = code->jumps[i].at, to = code->labels[code->jumps[i].label];
    /* The kernel's verifier accepts no jump back here, and 0 is a label that was never placed. */
    if (to <= at || at >= BPF_INSTRUCTIONS_MAX)
      code->wrong = true;
    else
      code->instructions[at].offset = (int16_t)(to - at - 1);
  }
}
