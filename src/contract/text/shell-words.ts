/** Words as they could be typed into a shell. */
export const typed = (words: ReadonlyArray<string>): string =>
  words.map((word) => /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`).join(" ")
