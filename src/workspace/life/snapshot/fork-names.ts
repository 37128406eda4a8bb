import { Effect, Ref } from "effect"
import type { ForkPayload } from "../../../contract/rows/workspace-fork.ts"
import type { WorkspaceRecord } from "../../entry/record.ts"
import type { Registry } from "../../entry/registry.ts"

/** Longest name of a workspace. */
const mostCharacters = 63

const numbered = (name: string, number: number) => {
  const suffix = `-${number}`
  return `${name.slice(0, mostCharacters - suffix.length)}${suffix}`
}

/**
 * A name for each fork: the requested one, with -1 to -N for several forks. Without a requested name, the workspace's name with the
 * first free numbers. Forks of a workspace without a name have none.
 */
export const forkNames = (
  { entries }: Registry,
  source: WorkspaceRecord,
  { count, name }: Pick<ForkPayload, "count" | "name">
): Effect.Effect<ReadonlyArray<string | undefined>> =>
  Effect.gen(function*() {
    const places = Array.from({ length: count }, (_, index) => index + 1)
    if (name !== undefined) return count === 1 ? [name] : places.map((number) => numbered(name, number))
    const { name: own } = source
    if (own === undefined) return places.map(() => undefined)
    const taken = new Set<string | undefined>()
    for (const entry of entries.values()) taken.add((yield* Ref.get(entry.record)).name)
    const free: Array<string> = []
    for (let number = 1; free.length < count; number++) {
      if (!taken.has(numbered(own, number))) free.push(numbered(own, number))
    }
    return free
  })
