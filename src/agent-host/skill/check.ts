import { Effect } from "effect"
import type { HostFileUnusable } from "../../contract/errors/errors.ts"
import { type Check, fixFor, ok, warning } from "../doctor/server.ts"
import type { AgentHost, HostScope, Place } from "../hosts/agent-host.ts"
import { findSkill } from "./skill.ts"

/** Whether a host finds pyro's skill as this pyro writes it. No check if the skill was not requested. */
export const skillChecks = (
  host: AgentHost,
  scope: HostScope,
  place: Place
): Effect.Effect<ReadonlyArray<Check>, HostFileUnusable> =>
  Effect.map(findSkill(host, scope, place), (found) => {
    if (found === undefined) return []
    const { isUsed, path: file, state } = found
    const check = `skill (${scope})`
    const fix = fixFor("repair", host, scope)
    switch (state) {
      case "absent":
        return isUsed ? [warning(check, `${file} is gone`, fix)] : []
      case "current":
        return [ok(check, file)]
      case "older":
        return [
          warning(
            check,
            `${file} is the skill of another pyro version`,
            isUsed ? fix : `${fixFor("connect", host, scope)} --skill`
          )
        ]
      case "other":
        return [ok(check, `${file}: your own text`)]
    }
  })
