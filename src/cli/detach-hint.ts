/**
 * Shows the detach key at the right end of the top line, where a prompt on a fresh screen is not, and leaves the cursor where it is. The
 * program draws over the text when it needs the place. Empty if the terminal is too narrow or there is no key.
 */
export const detachHint = (detachKey: string, cols: number): string => {
  const text = ` ${detachKey} detaches `
  return detachKey === "none" || cols < 3 * text.length
    ? ""
    : `\u001b7\u001b[1;${cols - text.length + 1}H\u001b[0;7m${text}\u001b[0m\u001b8`
}
