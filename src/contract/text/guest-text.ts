const controlOrInvisible = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Zl}\p{Zp}\\"]/gu

const escaped = (character: string) => {
  if (character === "\n") return "\\n"
  if (character === "\t") return "\\t"
  if (character === "\\" || character === "\"") return `\\${character}`
  return `\\u{${character.codePointAt(0)!.toString(16)}}`
}

/**
 * Text that came from the guest, made safe for an error, a log or a terminal: no control characters, no
 * direction overrides, no invisible ones, at most `limitBytes` bytes of it, cut with an ellipsis.
 */
export const escapeGuestText = (bytes: Uint8Array, limitBytes = 200) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, limitBytes))
    .toString("utf8")
    .replace(controlOrInvisible, escaped) + (bytes.byteLength > limitBytes ? "…" : "")
