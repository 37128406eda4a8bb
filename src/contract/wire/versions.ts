/** The part of a version that decides whether two programs talk: before 1.0.0 the minor version is what the major one is later. */
const seriesOf = (version: string): readonly [major: number, minor: number] | undefined => {
  const [, major, minor] = /^(\d+)\.(\d+)\./.exec(version) ?? []
  if (major === undefined || minor === undefined) return undefined
  return [Number(major), Number(major) === 0 ? Number(minor) : 0]
}

/** `0.1.0 (01234567)` -> `0.1.0`. A word for a command line: another machine's daemon may call itself anything. */
export const versionAlone = (version: string): string =>
  /^\d{1,9}(?:\.\d{1,9}){2}(?:-[\w.-]{1,40})?(?= |$)/.exec(version)?.[0] ?? "VERSION"

/** Which of two programs on different machines has to be updated, if they do not talk (docs/versions.md). Undefined: they talk. */
export const olderOf = (client: string, server: string): "client" | "server" | undefined => {
  const [own, other] = [seriesOf(client), seriesOf(server)]
  if (other === undefined) return "client"
  if (own === undefined) return "server"
  const [major, minor] = [own[0] - other[0], own[1] - other[1]]
  const difference = major === 0 ? minor : major
  return difference === 0 ? undefined : difference < 0 ? "client" : "server"
}
