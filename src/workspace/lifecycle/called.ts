import { Effect, Ref } from "effect"
import type { Entry } from "./registry.ts"

/** What people call it: its name, else its id; every command takes both. */
export const calledOf = ({ id, record }: Pick<Entry, "id" | "record">): Effect.Effect<string> =>
  Effect.map(Ref.get(record), ({ name }) => name ?? id)
