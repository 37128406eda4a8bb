import { Effect, Stream } from "effect"
import type { PyroError } from "../../contract/errors/errors.ts"
import { type Notice, notice } from "../../contract/rows/notice.ts"
import type { PyroService } from "../../contract/rows/Pyro.ts"
import { madeNote } from "../../contract/text/host-file-notes.ts"
import { spoolPath } from "../../contract/wire/spool.ts"
import { newRequestId } from "../../system/processes/identity.ts"

// The calls that write one file of this machine. The other one makes it in its spool, and it is judged and written here.

const loadFetch = Effect.promise(() => import("./fetch.ts"))

interface Exporting {
  readonly output: string
  readonly overwrite: boolean
}

type Event<Exported> = Notice | (Exported & { readonly _tag: "Exported" })

/** The events of an export. Its last one comes when the file is in its place here. */
const fetched = <
  Payload extends Exporting,
  Exported extends { readonly output: string; readonly replaced: boolean },
  E
>(
  pyro: PyroService,
  payload: Payload,
  call: (payload: Payload) => Stream.Stream<Event<Exported>, E>
): Stream.Stream<Event<Exported>, E> =>
  Stream.unwrap(Effect.gen(function*() {
    const { checkOutput, fetchFile } = yield* loadFetch
    const output = yield* checkOutput(payload)
    const id = newRequestId()
    // Also after a failure: a file that nobody takes stays for ten minutes.
    yield* Effect.addFinalizer(() => Effect.ignore(pyro.spool.drop({ id })))
    const take = (event: Exported & { readonly _tag: "Exported" }) =>
      Stream.unwrap(Effect.map(
        fetchFile(pyro, id, payload, output),
        ({ isReplaced, made }): Stream.Stream<Event<Exported>> =>
          Stream.fromIterable<Event<Exported>>([
            ...(made === undefined ? [] : [notice("hint", madeNote(made))]),
            { ...event, output: output.path, replaced: isReplaced }
          ])
      ))
    return Stream.flatMap(
      call({ ...payload, output: spoolPath(id), overwrite: false }),
      (event): Stream.Stream<Event<Exported>, PyroError> => event._tag === "Exported" ? take(event) : Stream.make(event)
    )
  })) as Stream.Stream<Event<Exported>, E>

interface WritingCalls {
  readonly exportSaved: PyroService["saved"]["export"]
  readonly exportEnvironment: PyroService["env"]["export"]
  readonly exportDisk: PyroService["workspace"]["disk"]["export"]
}

/** The calls of pyro on another machine that write one file of this one. */
export const writingCalls = (pyro: PyroService): WritingCalls => ({
  exportSaved: (payload) => fetched(pyro, payload, pyro.saved.export),
  exportEnvironment: (payload) => fetched(pyro, payload, pyro.env.export),
  exportDisk: (payload) => fetched(pyro, payload, pyro.workspace.disk.export)
})
