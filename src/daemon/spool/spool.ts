import { Context, Effect, Option, type Scope, Stream } from "effect"
import * as path from "node:path"
import type { InvalidRequest, NoSpace, StateDirectoryUnusable } from "../../contract/errors/errors.ts"
import type { SpoolPutEvent, SpoolTakeEvent } from "../../contract/rows/spool.ts"
import { callerTenant } from "../../contract/wire/identity.ts"
import { exists } from "../../system/files/entries.ts"
import { attempt, FileFailed, toHostErrorOf } from "../../system/files/failure.ts"
import { withNotices } from "../../system/waits/notices.ts"
import { KeptContents } from "./contents.ts"
import { makeHolding, wrong } from "./holding.ts"
import { InputWrong } from "./input.ts"
import { receive } from "./receive.ts"
import { packedFile } from "./take.ts"
import { ContentWrong } from "./tree.ts"

type SpoolFailed = InvalidRequest | NoSpace | StateDirectoryUnusable

/** Files of a client, on this host. */
export interface Spooled {
  /** A directory, or one file. */
  readonly path: string
  /** What the client says about them. */
  readonly facts: unknown
}

/** Files of clients of other machines, on their way to or from a request. Absent in processes other than the daemon. */
export class Spool extends Context.Service<Spool, {
  /** Keeps the files of an input (`SpoolManifest`). */
  readonly put: (stdin: Stream.Stream<Uint8Array>) => Stream.Stream<SpoolPutEvent, SpoolFailed>
  /** The files of an id, for one request: the end of the Scope removes them. */
  readonly open: (id: string) => Effect.Effect<Spooled, InvalidRequest, Scope.Scope>
  /** The path of a file that a request writes under a new id of the client's, until the end of the Scope. */
  readonly make: (id: string) => Effect.Effect<string, SpoolFailed, Scope.Scope>
  /** The bytes of a file that a request has written. */
  readonly take: (id: string) => Stream.Stream<SpoolTakeEvent, SpoolFailed>
  /** Removes what an id names. False: there is nothing. */
  readonly drop: (id: string) => Effect.Effect<boolean>
}>()("pyro/daemon/Spool") {}

/** Makes the spool of a daemon in a folder of its own, and removes what an earlier daemon has left there. */
export const makeSpool = (folder: string) =>
  Effect.gen(function*() {
    const holding = yield* makeHolding(path.join(folder, "trees"))
    const hostError = toHostErrorOf(folder)
    const contents = new Map<string, KeptContents>()
    // Of each tenant. A daemon without clients of other machines never looks.
    const known = Effect.flatMap(callerTenant, (tenant) => {
      const name = tenant === undefined ? "owner" : `tenant-${tenant}`
      return attempt("open", folder, () => {
        const found = contents.get(name) ?? new KeptContents(path.join(folder, "contents", name))
        contents.set(name, found)
        return found
      })
    })

    const failed = <E>(failure: E | FileFailed | InputWrong | ContentWrong): Effect.Effect<never, E | SpoolFailed> =>
      failure instanceof InputWrong || failure instanceof ContentWrong
        ? Effect.fail(wrong(failure.message))
        : Effect.fail(failure instanceof FileFailed ? hostError(failure) : failure)

    return Spool.of({
      put: (stdin) =>
        withNotices((notify: (event: SpoolPutEvent) => void) =>
          Effect.catch(Effect.flatMap(known, (contents) => receive(holding, contents, stdin, notify)), failed)
        ),
      open: (id) => holding.use(id, false, holding.remove),
      make: (id) =>
        Effect.gen(function*() {
          if (holding.has(id)) return yield* wrong("the output needs an id that nothing else has")
          const own = yield* holding.begin(id)
          const file = path.join(own, "output")
          yield* holding.add(id, { folder: own, path: file, facts: undefined, isOutput: true })
          // A failed request has written nothing.
          yield* holding.use(id, true, () => exists(file) ? Effect.void : holding.remove(id))
          return file
        }).pipe(Effect.catch(failed)),
      take: (id) =>
        Stream.unwrap(Effect.map(holding.use(id, true, () => Effect.void), ({ path }) => packedFile(path))).pipe(
          Stream.catch((failure) => Stream.fromEffect(failed(failure)))
        ),
      drop: holding.drop
    })
  })

/** The spool of this process. Fails in a process without one. */
export const spoolHere = Effect.flatMap(
  Effect.serviceOption(Spool),
  Option.match({
    onNone: () => Effect.fail(wrong("only pyro's daemon has a spool")),
    onSome: Effect.succeed
  })
)
