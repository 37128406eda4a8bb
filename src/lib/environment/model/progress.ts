/** Progress of a build: its phase, and the completed share from 0 to 1. */
export interface Progress {
  readonly step: string
  readonly fraction: number
  /** A line that a program of the step printed. Absent: the phase or the share is new. */
  readonly line?: string | undefined
}

export type OnProgress = (progress: Progress) => void

export const silent: OnProgress = () => {}

/** Maps a part of the work onto its share of the whole. */
export const within = (onProgress: OnProgress, from: number, to: number): OnProgress => ({ fraction, ...progress }) =>
  onProgress({ ...progress, fraction: from + (to - from) * Math.min(1, Math.max(0, fraction)) })

/** Lines that open a phase of a build, and the completed share at that line. Shares measured for `debian:12` with cached packages. */
const phases: ReadonlyArray<readonly [pattern: RegExp, step: string, fraction: number]> = [
  [/^I: running apt-get update/, "fetching package lists", 0.01],
  [/^I: downloading packages/, "downloading packages", 0.08],
  [/^I: extracting archives/, "unpacking the base system", 0.16],
  [/^I: installing essential/, "installing the base system", 0.22],
  [/^I: installing remaining/, "installing packages", 0.42],
  [/^pyro-step: keep-packages/, "settling the system", 0.9],
  [/^pyro-step: await-kernel/, "waiting for the kernel", 0.91],
  [/^pyro-step: image/, "writing the image", 0.93]
]

/**
 * Reads a build's log line by line and reports its progress. Between two phases, the packages that are set up count against the
 * number that apt announced.
 */
export const buildProgress = (onProgress: OnProgress): (line: string) => void => {
  let at = 0
  let announced = 0
  let done = 0
  return (line) => {
    const next = phases.findIndex(([pattern]) => pattern.test(line))
    if (next >= 0) {
      at = next
      announced = 0
      done = 0
    } else {
      const newly = /(\d+) newly installed/.exec(line)
      if (newly !== null) announced = Number(newly[1])
      if (/^(Unpacking|Setting up) /.test(line)) done += 1
      else if (newly === null) return
    }
    const [, step, from] = phases[at] ?? ["", "starting", 0]
    const to = phases[at + 1]?.[2] ?? 1
    const part = announced === 0 ? 0 : Math.min(1, done / (2 * announced))
    onProgress({ step, fraction: from + (to - from) * part })
  }
}

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
