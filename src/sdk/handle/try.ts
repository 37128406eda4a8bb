import { Effect, Stream } from "effect"
import { Gathered } from "../../contract/rows/notice.ts"
import { named } from "../../contract/text/names.ts"
import { isOptions, type Options } from "../model/options.ts"
import type { Candidate, TryEvent, TryOptions } from "../promises/try.ts"
import { commandFields, type Host } from "./host.ts"
import type { Given } from "./in-effect.ts"
import { inSeconds } from "./option-names.ts"

/** A candidate without fields that are `undefined`. A value of a caller without types stays, for the check of the request. */
const given = (candidate: Candidate) =>
  (isOptions(candidate)
    ? named(Object.entries(candidate).filter(([, value]) => value !== undefined))
    : candidate) as NonNullable<Options<"workspace.try">["candidates"]>[number]

const checkOf = (check: TryOptions["check"]) => {
  if (check === undefined) return {}
  const fields = commandFields(check)
  return "script" in fields ? { checkScript: fields.script } : { check: fields.command }
}

/** The try of a workspace. Warnings come with the last event. */
export const tryIn = ({ pyro, useStream }: Host, workspace: string) =>
(
  candidates: ReadonlyArray<Candidate>,
  { check, ...options }: Given<TryOptions> = {}
) =>
  Stream.unwrap(Effect.sync(() => {
    const warnings = new Gathered()
    const events = pyro.workspace.try({
      ...inSeconds(options),
      ...checkOf(check),
      workspace,
      candidates: Array.isArray(candidates) ? candidates.map(given) : candidates as []
    })
    return useStream(events).pipe(
      Stream.map((event): TryEvent | undefined => {
        if (event._tag === "Notice") {
          warnings.add(event)
          return undefined
        }
        return event._tag === "Done" ? { ...event, warnings: warnings.all } : event
      }),
      Stream.filter((event): event is TryEvent => event !== undefined)
    )
  }))
