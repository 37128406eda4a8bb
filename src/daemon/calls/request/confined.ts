import { Effect } from "effect"
import { boundPlaces } from "../../../contract/wire/caller-project.ts"
import { every, type Wrap } from "../wrap.ts"
import type { RequestCall, Surroundings } from "./request.ts"

/**
 * Runs a request of a page within the directories of the host that the page may reach. The work reads `boundPlaces` where it opens a path.
 *
 * Needs the places of the surface. Stands inside of the check: the places depend on the payload.
 */
export const confined: Wrap<RequestCall, Pick<Surroundings, "placesOf">> = {
  name: "places",
  does: "limits a request of the page to the directories of the host that a page may reach",
  because: "inside of the check: the directories depend on the payload",
  concerns: every,
  around: (row, call, { placesOf }) =>
    placesOf === undefined
      ? call
      : (payload, request) =>
        Effect.flatMap(
          placesOf(row, payload),
          (places) => Effect.provideService(call(payload, request), boundPlaces, places)
        )
}
