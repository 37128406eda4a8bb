import { Effect } from "effect"
import { InvalidRequest } from "../../../contract/errors/errors.ts"
import { call, option } from "../../../contract/errors/next-step.ts"
import type { Candidate } from "../../../contract/rows/workspace-try-fields.ts"
import type { TryPayload } from "../../../contract/rows/workspace-try.ts"

/** A candidate with a name and one way. */
export type Named = Candidate & { readonly name: string }

/** Words that say what is kept before the results are known. */
const DECIDED = ["none", "best", "first-pass"] as const

/** What a try keeps: none, the first that passes, the best, or a candidate. */
export type Keep = { readonly _tag: (typeof DECIDED)[number] } | { readonly _tag: "name"; readonly name: string }

/** A request that was judged before anything is made. */
export interface Wanted {
  readonly candidates: ReadonlyArray<Named>
  readonly keep: Keep
}

const wrong = (field: string, detail: string) => new InvalidRequest({ field, detail })

const isWord = (keep: string): keep is (typeof DECIDED)[number] => (DECIDED as ReadonlyArray<string>).includes(keep)

/** Gives each candidate its name, and refuses a request that contradicts itself. */
export const wantedOf = (
  { candidates: given, check, checkScript, keep }: TryPayload
): Effect.Effect<Wanted, InvalidRequest> =>
  Effect.gen(function*() {
    if (check.length > 0 && checkScript !== undefined) {
      return yield* wrong("check_script", "give the check once: as words or as a script")
    }
    const candidates: Array<Named> = []
    const names = new Set<string>()
    for (const [index, one] of given.entries()) {
      const name = one.name ?? `candidate-${index + 1}`
      const ways = [one.patch, one.command].filter((way) => way !== undefined).length
      if (ways !== 1) return yield* wrong("candidates", `${name} must have one patch or one command`)
      if (names.has(name)) return yield* wrong("candidates", `two candidates are called ${name}`)
      names.add(name)
      candidates.push({ ...one, name })
    }
    if (keep === "ask") {
      return yield* new InvalidRequest({
        field: "keep",
        detail: "only pyro on a terminal can ask",
        next: [option("Keep none", "keep", "none"), call("Then keep a candidate", "workspace.keep", {}, "candidate")]
      })
    }
    if (isWord(keep)) return { candidates, keep: { _tag: keep } }
    if (names.has(keep)) return { candidates, keep: { _tag: "name", name: keep } }
    return yield* wrong(
      "keep",
      `there is no candidate ${keep}; it is ${DECIDED.join(", ")}, or one of ${[...names].join(", ")}`
    )
  })
