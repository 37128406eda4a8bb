#include "socket_list.h"

#include <string.h>

/* The word up to the next space, or the rest. */
static struct bytes take_word(struct bytes *line) {
  const uint8_t *space = line->size == 0 ? NULL : memchr(line->data, ' ', line->size);
  struct bytes word = {line->data, space == NULL ? line->size : (size_t)(space - line->data)};
  size_t taken = word.size + (space != NULL);
  line->data += taken;
  line->size -= taken;
  return word;
}

static bool copy_path(struct bytes word, char *out, size_t room) {
  if (word.size == 0 || word.size >= room || word.data[0] != '/' || memchr(word.data, '\0', word.size) != NULL) return false;
  memcpy(out, word.data, word.size);
  out[word.size] = '\0';
  return true;
}

static bool read_number(struct bytes word, uint32_t base, uint32_t max, uint32_t *out) {
  uint64_t number = 0;
  for (size_t i = 0; i < word.size; i++) {
    if (word.data[i] < '0' || word.data[i] >= '0' + base) return false;
    number = number * base + (uint64_t)(word.data[i] - '0');
    if (number > max) return false;
  }
  *out = (uint32_t)number;
  return word.size > 0;
}

bool socket_line_read(struct bytes line, struct socket_line *out) {
  uint32_t mode, group;
  if (!copy_path(take_word(&line), out->path, sizeof out->path)) return false;
  if (!read_number(take_word(&line), 8, 0777, &mode)) return false;
  /* The last number means no group. */
  if (!read_number(take_word(&line), 10, UINT32_MAX - 1, &group)) return false;
  out->mode = (mode_t)mode;
  out->group = (gid_t)group;
  return copy_path(take_word(&line), out->program, sizeof out->program) && line.size == 0;
}
