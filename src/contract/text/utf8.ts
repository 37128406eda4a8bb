/** Whether a byte continues a character. */
export const isContinuation = (byte: number | undefined): boolean => byte !== undefined && (byte & 0xc0) === 0x80

/** Number of bytes without a character that is cut at the end. */
export const wholeCharacters = (bytes: Uint8Array): number => {
  let at = bytes.length - 1
  while (at > 0 && at > bytes.length - 4 && isContinuation(bytes[at])) at--
  const first = bytes[at] ?? 0
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1
  return at + length > bytes.length ? at : bytes.length
}

/** Position of the first character that begins at `from` or later. */
export const nextCharacter = (bytes: Uint8Array, from = 0): number => {
  let at = from
  while (at < from + 3 && isContinuation(bytes[at])) at++
  return at
}

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** Bytes as text. Undefined if they are not UTF-8. */
export const strictText = (bytes: Uint8Array): string | undefined => {
  try {
    return strict.decode(bytes)
  } catch {
    return undefined
  }
}

/** Bytes as text. `lossy`: some bytes are not UTF-8, and the text has U+FFFD instead. */
export const utf8Text = (bytes: Uint8Array): { readonly text: string; readonly lossy: boolean } => {
  const text = strictText(bytes)
  return text === undefined
    ? { text: new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes), lossy: true }
    : { text, lossy: false }
}
