/** Maximum characters of a client's name with its version. */
const CHARACTERS = 60

/**
 * Name of a client in its own words, for a line of text: at most 60 printable characters. Undefined if nothing of it can be printed. The text is a
 * stranger's: it proves nothing. Parentheses become brackets, because lists show the name in parentheses.
 */
export const clientName = (text: string): string | undefined => {
  const words = text.replace(/[\p{C}\p{Z}]+/gu, " ").trim().replaceAll("(", "[").replaceAll(")", "]")
  const characters = Array.from(words)
  const name = characters.length > CHARACTERS ? `${characters.slice(0, CHARACTERS - 1).join("")}…` : words
  return name === "" ? undefined : name
}
