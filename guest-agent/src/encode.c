#include "encode.h"

#include <string.h>

void put_header(uint8_t *to, size_t length, uint32_t stream, uint8_t kind) {
  to[0] = FRAME_MARK;
  to[1] = (uint8_t)(length >> 16);
  to[2] = (uint8_t)(length >> 8);
  to[3] = (uint8_t)length;
  to[4] = (uint8_t)(stream >> 24);
  to[5] = (uint8_t)(stream >> 16);
  to[6] = (uint8_t)(stream >> 8);
  to[7] = (uint8_t)stream;
  to[8] = kind;
}

struct writer frame_begin(void *to, size_t size, uint32_t stream, uint8_t kind) {
  struct writer writer = {.at = to, .frame = to, .full = true};
  if (size < FRAME_OVERHEAD) return writer;
  if (size > FRAME_MAX) size = FRAME_MAX;
  put_header(to, 0, stream, kind);
  writer.at += FRAME_HEADER;
  writer.room = size - FRAME_OVERHEAD;
  writer.full = false;
  return writer;
}

size_t frame_finish(struct writer *writer) {
  if (writer->full) return 0;
  size_t length = (size_t)(writer->at - writer->frame) - FRAME_HEADER;
  writer->frame[1] = (uint8_t)(length >> 16);
  writer->frame[2] = (uint8_t)(length >> 8);
  writer->frame[3] = (uint8_t)length;
  *writer->at++ = FRAME_END;
  return length + FRAME_OVERHEAD;
}

void put_raw(struct writer *writer, const void *data, size_t size) {
  if (writer->full || size > writer->room) {
    writer->full = true;
    return;
  }
  if (size > 0) memcpy(writer->at, data, size);
  writer->at += size;
  writer->room -= size;
}

void put_u8(struct writer *writer, uint8_t value) { put_raw(writer, &value, 1); }

void put_u16(struct writer *writer, uint16_t value) { put_raw(writer, (uint8_t[]){(uint8_t)(value >> 8), (uint8_t)value}, 2); }

void put_u32(struct writer *writer, uint32_t value) {
  put_u16(writer, (uint16_t)(value >> 16));
  put_u16(writer, (uint16_t)value);
}

void put_u64(struct writer *writer, uint64_t value) {
  put_u32(writer, (uint32_t)(value >> 32));
  put_u32(writer, (uint32_t)value);
}

void put_bytes(struct writer *writer, const void *data, size_t size) {
  if (size > PAYLOAD_MAX) {
    writer->full = true;
    return;
  }
  put_u32(writer, (uint32_t)size);
  put_raw(writer, data, size);
}

void put_str(struct writer *writer, const char *str) { put_bytes(writer, str, strlen(str)); }
