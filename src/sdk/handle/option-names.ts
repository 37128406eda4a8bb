import { InvalidRequest, type PyroError } from "../../contract/errors/errors.ts"
import { named } from "../../contract/text/names.ts"
import { camelCase } from "../model/options.ts"

/** Options of the contract whose times the handle has in ms. */
const SECONDS = {
  timeoutMs: "timeoutSeconds",
  graceMs: "graceSeconds",
  readyTimeoutMs: "readyTimeoutSeconds",
  waitMs: "waitSeconds",
  ttlMs: "ttlSeconds",
  pauseAfterMs: "pauseAfterSeconds"
} as const
type Seconds = typeof SECONDS

const MS = named(Object.entries(SECONDS).map(([ms, seconds]) => [seconds, ms]))

/** Times in whole seconds. */
const WHOLE: ReadonlyArray<string> = [SECONDS.ttlMs, SECONDS.pauseAfterMs]

/** Options with times in seconds, as the contract has them. */
export type InSeconds<Options> = {
  readonly [K in keyof Options as K extends keyof Seconds ? Seconds[K] : K]: Options[K]
}

/** Rounds up, and a negative time down: it must not become 0, which is "never" for some options. */
const wholeSeconds = (ms: number) => ms < 0 ? Math.floor(ms / 1000) : Math.ceil(ms / 1000)

/** The options of an operation, from those of a handle. */
export const inSeconds = <Options extends object>(options: Options | undefined): InSeconds<Options> =>
  named(
    Object.entries(options ?? {}).map(([name, value]: readonly [string, unknown]) => {
      const contract = name in SECONDS ? SECONDS[name as keyof Seconds] : undefined
      if (contract === undefined || typeof value !== "number") return [contract ?? name, value]
      return [contract, WHOLE.includes(contract) ? wholeSeconds(value) : value / 1000]
    })
  ) as InSeconds<Options>

/** `ttl_seconds` and `ttlSeconds` -> `ttlMs`. */
const optionOf = (name: string) => {
  const option = camelCase(name)
  return MS[option] ?? option
}

/** A name of the contract outside quotes: text in quotes may be a value of the caller. */
const FIELD = /(?<!["'`\w./-])[a-z]+(?:_[a-z]+)+(?!["'`\w/-])/g

/** "from 1 to 3600 seconds" in ms. A handle rounds a part of a second up. */
const boundsInMs = (detail: string) =>
  detail
    .replace(/^must be a whole number from 1 to (?=\d+ seconds$)/, "must be more than 0 and at most ")
    .replace(/^must be a whole number from (?=\d+ to \d+ seconds$)/, "must be from ")
    .replace(/\d+(?= seconds$| to \d+ seconds$)/g, (seconds) => String(Number(seconds) * 1000))
    .replace(/ seconds$/, " ms")

/** The error of a refused option, by the option's name in the handle. */
export const asWritten = <E extends PyroError>(error: E): E => {
  if (error._tag !== "InvalidRequest" || error.field === "") return error
  const field = error.field.split(".").map((step, at) => at === 0 ? optionOf(step) : step).join(".")
  const isTime = field in SECONDS
  const words = error.detail.replace(FIELD, optionOf).replace(
    /"(\w+Seconds)"/g,
    (quoted, name: string) => MS[name] === undefined ? quoted : `"${MS[name]}"`
  )
  return new InvalidRequest({ field, detail: isTime ? boundsInMs(words) : words }) as E
}
