#include "bpf.h"

#include <errno.h>
#include <unistd.h>

/* `size` ends with the command's own fields: the kernel refuses anything but zeros beyond, which an initialiser of a union
 * does not promise. */
static int bpf(int command, union bpf_attributes *attributes, size_t size) { return (int)syscall(SYS_bpf, command, attributes, size); }

int bpf_map(uint32_t type, uint32_t key_size, uint32_t value_size, uint32_t entries, uint32_t flags) {
  union bpf_attributes attributes = {
      .map = {.type = type, .key_size = key_size, .value_size = value_size, .entries = entries, .flags = flags}};
  return bpf(BPF_MAP_CREATE, &attributes, sizeof attributes.map);
}

int bpf_load(uint32_t type, uint32_t attach_type, const struct bpf_code *code) {
  if (code->wrong) {
    errno = ENOEXEC;
    return -1;
  }
  /* Any licence will do: no helper of the programs is for the GPL only. */
  static const char license[] = "Apache-2.0";
  union bpf_attributes attributes = {.program = {.type = type,
                                                 .count = (uint32_t)code->count,
                                                 .instructions = (uintptr_t)code->instructions,
                                                 .license = (uintptr_t)license,
                                                 .attach_type = attach_type}};
  return bpf(BPF_PROG_LOAD, &attributes, sizeof attributes.program);
}

int bpf_link(int program, int target, uint32_t attach_type) {
  union bpf_attributes attributes = {.link = {.program = (uint32_t)program, .target = (uint32_t)target, .attach_type = attach_type}};
  return bpf(BPF_LINK_CREATE, &attributes, sizeof attributes.link);
}

int bpf_put(int map, const void *key, const void *value) {
  union bpf_attributes attributes = {.element = {.map = (uint32_t)map, .key = (uintptr_t)key, .value = (uintptr_t)value}};
  return bpf(BPF_MAP_UPDATE_ELEM, &attributes, sizeof attributes.element);
}

int bpf_remove(int map, const void *key) {
  union bpf_attributes attributes = {.element = {.map = (uint32_t)map, .key = (uintptr_t)key}};
  return bpf(BPF_MAP_DELETE_ELEM, &attributes, sizeof attributes.element);
}
