import { Effect } from "effect"
import { boundPlaces } from "../../contract/wire/caller-project.ts"
import { callerGitPlaces, type GitPlaces, gitPlacesOf } from "../../contract/wire/git-places.ts"
import { processEnvironment } from "../../system/settings/config.ts"

/** Places of the user's git configuration: those of the client, or of this process for a client that may name no place, as the page. */
export const gitPlaces: Effect.Effect<GitPlaces> = Effect.zipWith(
  boundPlaces,
  callerGitPlaces,
  (bound, caller) => (bound === undefined ? caller : undefined) ?? gitPlacesOf(processEnvironment())
)
