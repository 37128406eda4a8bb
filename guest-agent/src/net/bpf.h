/* bpf(2): maps, programs and links. */
#ifndef PYRO_BPF_H
#define PYRO_BPF_H

#include "bpf_code.h"

/* Each returns a descriptor, or -1 with errno. */
int bpf_map(uint32_t type, uint32_t key_size, uint32_t value_size, uint32_t entries, uint32_t flags);
int bpf_load(uint32_t type, uint32_t attach_type, const struct bpf_code *code);
int bpf_link(int program, int target, uint32_t attach_type);
/* 0, or -1 with errno. */
int bpf_put(int map, const void *key, const void *value);
int bpf_remove(int map, const void *key);

#endif
