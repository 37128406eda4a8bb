import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"

type Collect = (options?: { readonly type: "minor" }) => void

let collector: Collect | undefined

const makeCollector = (): Collect => {
  setFlagsFromString("--expose-gc")
  const gc: unknown = runInNewContext("gc")
  // A code cache holds for the same flags only.
  setFlagsFromString("--no-expose-gc")
  if (typeof gc !== "function") return () => {}
  // Node 22 and newer take an `undefined` for the options of a minor collection.
  return (options) => void (options === undefined ? gc() : gc(options))
}

/** Collects garbage now: all of it, or only young objects. */
export const collectGarbage: Collect = (options) => (collector ??= makeCollector())(options)
