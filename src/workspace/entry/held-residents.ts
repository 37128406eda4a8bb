import { type Effect, Option, Ref } from "effect"
import { type Readable, readableOf } from "./readable.ts"
import type { Residents } from "./resident-list.ts"

/** The residents of a workspace. None only during the creation of the workspace. */
export interface HeldResidents extends Readable<Option.Option<Residents>> {
  /** Takes the residents that were opened. */
  readonly hold: (residents: Residents) => Effect.Effect<void>
}

export const noResidents = (): HeldResidents => {
  const held = Ref.makeUnsafe(Option.none<Residents>())
  return { ...readableOf(held), hold: (residents) => Ref.set(held, Option.some(residents)) }
}
