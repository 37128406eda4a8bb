import { Effect, type Scope, Stream } from "effect"
import { InvalidRequest } from "../../contract/errors/errors.ts"
import type { ErrorOf } from "../../contract/rows/operations.ts"
import { payloadOf } from "../../contract/rows/payload-of.ts"
import type { PyroService } from "../../contract/rows/Pyro.ts"
import type { ExportEvent, ExportPayload } from "../../contract/rows/workspace-export.ts"
import type { TransferPayload } from "../../contract/rows/workspace-transfer.ts"
import type { ExportBounds, MoveBaseline } from "../../lib/exporting/bounds.ts"
import { emitting } from "../../lib/exporting/deliver.ts"
import { demandFitting } from "../../lib/exporting/fitting.ts"
import { writeChanges } from "../../lib/exporting/write-changes.ts"
import { outputOfTree, writeTree } from "../../lib/exporting/write-tree.ts"
import { writingPlace } from "../../system/files/caller-places.ts"
import { realDirectory } from "../../system/files/host-path.ts"
import { sourceOf, type SourcesOf } from "../model/sources.ts"
import { receiveChanges } from "./changes.ts"
import { type Incoming, incoming } from "./incoming.ts"
import { receiveTree } from "./tree.ts"

type Failed = ErrorOf<"workspace.export">
type Emit = (event: ExportEvent) => Effect.Effect<unknown>

/**
 * Exports from a workspace of another machine to this one. The other machine sends the files or the changes, and gets no path of this one. They are
 * judged and written here, under the rules of an export on one machine: that machine is trusted no more than a guest.
 */
export const exportOver = (
  pyro: PyroService,
  of: SourcesOf,
  asked: ExportPayload
): Stream.Stream<ExportEvent, Failed> =>
  emitting((emit: Emit) =>
    Effect.gen(function*() {
      yield* demandFitting(asked)
      const machine = `context ${of.context.name}`
      if (!asked.apply && !asked.patch) {
        const within = yield* writingPlace(asked.output ?? "")
        const output = yield* outputOfTree(asked, { within })
        const from = yield* received(pyro, asked, machine, emit)
        const tree = yield* receiveTree(from, yield* from.expect("Tree"), asked)
        return yield* Stream.runForEach(writeTree(tree, output, asked, {}), emit)
      }
      const source = asked.apply ? yield* seedDirectory(pyro, of, asked.workspace) : undefined
      const payload = asked.apply && asked.output === undefined
        ? { ...asked, output: yield* demandSource(source) }
        : asked
      const within = yield* writingPlace(payload.output ?? "")
      const movesBaseline = source !== undefined && realDirectory(payload.output ?? "") === source
      const from = yield* received(pyro, payload, machine, emit, movesBaseline)
      const { changes, sent } = yield* receiveChanges(from, payload)
      const bounds: ExportBounds = {
        within,
        moveBaseline: sent.transfer === undefined || !movesBaseline
          ? undefined
          : movingThere(pyro, { workspace: payload.workspace, transfer: sent.transfer })
      }
      // The hints have come as notices.
      yield* Stream.runForEach(writeChanges({ changes, hints: [], converted: sent.converted }, payload, bounds), emit)
    })
  )

/** Begins the transfer of what the request asks for. */
const received = (
  pyro: PyroService,
  payload: ExportPayload,
  machine: string,
  emit: Emit,
  movesBaseline = false
): Effect.Effect<Incoming<ErrorOf<"workspace.transfer.read">>, never, Scope.Scope> => {
  // Neither the output nor what only this side judges.
  const { output: _, preserveTimes: __, ...fields } = payload
  const request: TransferPayload = { ...fields, movesBaseline }
  return incoming(pyro.workspace.transfer.read(request), machine, emit)
}

/** The directory of this computer that the workspace was seeded from, while there is one. */
const seedDirectory = (pyro: PyroService, of: SourcesOf, workspace: string) =>
  Effect.gen(function*() {
    const { id } = yield* pyro.workspace.status(payloadOf("workspace.status", { workspace }))
    const source = yield* sourceOf(of, id)
    return source === undefined ? undefined : realDirectory(source)
  })

const demandSource = (source: string | undefined) =>
  source === undefined
    ? Effect.fail(
      new InvalidRequest({
        field: "output",
        detail:
          "is missing: the workspace was not seeded from a directory of this computer, so name the one whose files are to be changed"
      })
    )
    : Effect.succeed(source)

/**
 * Moves the baseline of the other machine after the files of this one have changed. If the line breaks between the two, the next apply finds the files
 * as the diff has them, and moves the baseline then.
 */
const movingThere =
  (pyro: PyroService, move: { readonly workspace: string; readonly transfer: string }): MoveBaseline =>
  (_files, commit) =>
    Effect.andThen(
      commit,
      pyro.workspace.transfer.applied(move).pipe(
        Effect.map(({ baselineMoved }) => baselineMoved),
        Effect.orElseSucceed(() => false)
      )
    )
