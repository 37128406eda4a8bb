import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"

export type Collect = (options?: { readonly type: "minor" }) => void

let collector: Collect | undefined

const makeCollector = (): Collect => {
  setFlagsFromString("--expose-gc")
  const gc: unknown = runInNewContext("gc")
  // A code cache holds for the same flags only.
  setFlagsFromString("--no-expose-gc")
  // Node 24 takes `undefined` for no wish to collect.
  return typeof gc === "function" ? (...options) => void gc(...options) : () => {}
}

/** Collects garbage now: all of it, or young objects alone. */
export const collectGarbage: Collect = (...options) => (collector ??= makeCollector())(...options)
