import { buildProgress, type OnProgress } from "./progress.ts"

/** Kept of what a build printed: enough for apt's reasons. */
const keptCharacters = 64 * 1024

/** Follows what `rootfs/environment/build.sh` prints: where it stands, and its last part for when it fails. */
export const followBuild = (onProgress: OnProgress) => {
  const onLine = buildProgress(onProgress)
  let text = ""
  let unfinished = ""
  let step = "bootstrap"
  return {
    take: (chunk: Buffer) => {
      const added = chunk.toString("utf8")
      text = (text + added).slice(-keptCharacters)
      const lines = (unfinished + added).split("\n")
      unfinished = lines.pop() ?? ""
      for (const line of lines) {
        step = /^pyro-step: (.*)/.exec(line)?.[1] ?? step
        onLine(line)
      }
    },
    text: () => text,
    step: () => step
  }
}
