import { Effect, Stream } from "effect"
import type { ErrorOf } from "../../contract/errors/errors.ts"

/** Errors that no request to a workspace of pyro's own can have: it has no name, no recipe, no saved snapshot and no port. */
const IMPOSSIBLE = [
  "DevContainerCommandFailed",
  "DevContainerRefused",
  "EnvironmentNameTaken",
  "ExecNotFound",
  "FileChanged",
  "IdAmbiguous",
  "ImagePullFailed",
  "PortAlreadyPublished",
  "PortInUse",
  "PortUnavailable",
  "PublishingNotAllowed",
  "RegistryNotAllowed",
  "SavedDamaged",
  "SavedNotFound",
  "SnapshotMismatch",
  "StateTooNew",
  "WorkspaceNameTaken"
] as const

type Impossible = ErrorOf<typeof IMPOSSIBLE[number]>

const tags: ReadonlySet<string> = new Set(IMPOSSIBLE)
const isImpossible = (failure: { readonly _tag: string }): failure is Impossible => tags.has(failure._tag)

/** The events of a request to a workspace that pyro makes for itself, such as a builder. An error that it cannot have is a defect. */
export const ofOwnWorkspace = <A, E extends { readonly _tag: string }, R>(events: Stream.Stream<A, E, R>) =>
  Stream.catch(events, (failure): Stream.Stream<never, Exclude<E, Impossible>> =>
    isImpossible(failure)
      ? Stream.fromEffect(Effect.die(failure))
      : Stream.fail(failure as Exclude<E, Impossible>))
