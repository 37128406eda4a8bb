import { buildProgress, type OnProgress } from "./progress.ts"

/** Part of a build's output that is kept: enough for apt's reasons. */
const keptCharacters = 64 * 1024

/** Follows the output of `rootfs/environment/build.sh`: its phase, and its last part for an error. */
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
