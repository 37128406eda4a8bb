/* An assembler for small BPF programs: one function per instruction, jumps to labels. */
#ifndef PYRO_BPF_CODE_H
#define PYRO_BPF_CODE_H

#include <stdbool.h>
#include <stddef.h>

#include "kernel_net.h"

enum { BPF_INSTRUCTIONS_MAX = 128, BPF_JUMPS_MAX = 16, BPF_LABELS_MAX = 8 };

struct bpf_code {
  struct bpf_instruction instructions[BPF_INSTRUCTIONS_MAX];
  size_t count;
  struct {
    size_t at;
    unsigned label;
  } jumps[BPF_JUMPS_MAX];
  size_t jump_count;
  size_t labels[BPF_LABELS_MAX]; /* instruction after the label */
  bool wrong;                    /* too long, or a jump without its label */
};

/* R1 to R5 are the arguments of a call and lost by it, R0 is the result, R6 to R9 stay, R10 is the end of the stack. */
enum bpf_register { R0, R1, R2, R3, R4, R5, R6, R7, R8, R9, R10 };

void bpf_move(struct bpf_code *code, enum bpf_register to, enum bpf_register from);
void bpf_set(struct bpf_code *code, enum bpf_register to, int32_t value);
void bpf_add(struct bpf_code *code, enum bpf_register to, int32_t value);
void bpf_and(struct bpf_code *code, enum bpf_register to, int32_t value);
/* 32 bits at `offset` from the address in a register. */
void bpf_read(struct bpf_code *code, enum bpf_register to, enum bpf_register from, int offset);
void bpf_write(struct bpf_code *code, enum bpf_register to, int offset, enum bpf_register from);
void bpf_write_value(struct bpf_code *code, enum bpf_register to, int offset, int32_t value);
/* The address of the stack at `offset` below its end. */
void bpf_stack(struct bpf_code *code, enum bpf_register to, int offset);
void bpf_use_map(struct bpf_code *code, enum bpf_register to, int map);
void bpf_call(struct bpf_code *code, int function);
void bpf_exit(struct bpf_code *code, int32_t result);
void bpf_jump(struct bpf_code *code, unsigned label);
void bpf_if_equal(struct bpf_code *code, enum bpf_register left, int32_t right, unsigned label);
void bpf_unless_equal(struct bpf_code *code, enum bpf_register left, int32_t right, unsigned label);
void bpf_if_above(struct bpf_code *code, enum bpf_register left, int32_t right, unsigned label);
void bpf_if_below(struct bpf_code *code, enum bpf_register left, int32_t right, unsigned label);
void bpf_label(struct bpf_code *code, unsigned label);
/* Fills the jumps in, after the last instruction. */
void bpf_finish(struct bpf_code *code);

#endif
