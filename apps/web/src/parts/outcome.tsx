import { durationText } from "./format.ts"

interface Ended {
  readonly outcome: string
  readonly status?: number | undefined
  readonly durationMs?: number | undefined
}

const words: ReadonlyMap<string, string> = new Map([
  ["running", "running"],
  ["lost", "lost with its microVM"],
  ["timed_out", "timed out"],
  ["out_of_memory", "out of memory"],
  ["signaled", "ended by a signal"]
])

export const outcomeText = ({ outcome, status }: Ended): string =>
  outcome === "exited" ? status === 0 ? "ok" : `exit ${status}` : words.get(outcome) ?? outcome

const toneOf = ({ outcome, status }: Ended) =>
  outcome === "running" ? "live" : outcome === "exited" && status === 0 ? "good" : "bad"

/** How a command ended: a word and a color, and its duration. */
export const Outcome = ({ of }: { readonly of: Ended }) => (
  <span className={`tag ${toneOf(of)}`}>
    {outcomeText(of)}
    {of.durationMs === undefined ? null : <span className="faint">{` ${durationText(of.durationMs)}`}</span>}
  </span>
)
