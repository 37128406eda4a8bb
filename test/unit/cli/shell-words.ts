const TOKEN = /\s+|\|\||&&|[|;<>&]|(?:\\.|'[^']*'|"(?:\\.|[^"\\])*"|[^\s'"\\|;<>&])+/gs

/** A word without its quotes. */
const bare = (word: string): string =>
  word.replace(
    /\\(.)|'([^']*)'|"((?:\\.|[^"\\])*)"/gs,
    (_, escaped?: string, single?: string, double?: string) =>
      escaped ?? single ?? (double ?? "").replace(/\\(["\\$`])/g, "$1")
  )

/** The words that a shell line gives to pyro, cut where a pipe, a list or a redirection begins. */
export const pyroWords = (line: string): ReadonlyArray<string> => {
  const tokens = (line.match(TOKEN) ?? []).filter((token) => token.trim() !== "")
  const own = tokens.slice(tokens.indexOf("pyro") + 1)
  const end = own.findIndex((token) => /^(?:\|\||&&|[|;<>&])$/.test(token))
  return (end < 0 ? own : own.slice(0, end)).map(bare)
}
