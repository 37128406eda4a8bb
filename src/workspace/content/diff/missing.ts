import { Effect, Stream } from "effect"
import type { PyroError } from "../../../contract/errors/errors.ts"
import { ENOENT, ENOTDIR } from "../../../guest-channel/errors.ts"
import type { GuestChannel } from "../../../guest-channel/GuestChannel.ts"
import { refused } from "../../life/baseline.ts"
import { requestsOf } from "./contents.ts"

type Tree = { readonly root: string; readonly path: string }

/** The paths that a tree does not have. Paths are byte strings relative to the tree. Reads no content. */
export const missingIn = (
  channel: GuestChannel,
  { path, root }: Tree,
  paths: ReadonlyArray<string>
): Effect.Effect<ReadonlyArray<string>, PyroError> =>
  Stream.fromIterable(requestsOf(paths)).pipe(
    Stream.flatMap((request) =>
      Stream.zip(
        Stream.fromIterable(request),
        channel.readMany({
          root,
          paths: request.map((one) => Buffer.from(path === "" ? one : `${path}/${one}`, "latin1")),
          limit: 0
        })
      )
    ),
    Stream.filter(([, { errno }]) => errno === ENOENT || errno === ENOTDIR),
    Stream.map(([one]) => one),
    Stream.runCollect,
    Effect.map((missing) => Array.from(missing)),
    Effect.mapError((failure) => failure._tag === "AgentCallFailed" ? refused("/workspace")(failure) : failure)
  )

/** Paths as byte strings, without the tree's own. */
export const namedPaths = (paths: ReadonlyArray<Uint8Array>): ReadonlyArray<string> =>
  paths.flatMap((path) => path.length === 0 ? [] : [Buffer.from(path).toString("latin1")])
