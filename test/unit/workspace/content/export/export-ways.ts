import { Schema, Stream } from "effect"
import { tmpdir } from "node:os"
import { beforeAll, describe } from "vitest"
import type { PyroService } from "../../../../../src/contract/rows/Pyro.ts"
import type { ExportEvent, ExportPayload } from "../../../../../src/contract/rows/workspace-export.ts"
import { type TransferPayload, workspaceTransferRead } from "../../../../../src/contract/rows/workspace-transfer.ts"
import { boundPlaces } from "../../../../../src/contract/wire/caller-project.ts"
import type { DeliveryFailed } from "../../../../../src/lib/exporting/deliver.ts"
import { carrying } from "../../../../../src/remote/carry.ts"
import type { ExportChannel } from "../../../../../src/workspace/content/export/contents.ts"
import { exportPath as exportOnOne, withOutsideRefusals } from "../../../../../src/workspace/content/export/path.ts"
import { treeEvents } from "../../../../../src/workspace/content/export/transfer.ts"

interface Bounds {
  readonly within?: string | undefined
}

type Export = (
  channel: ExportChannel,
  payload: ExportPayload,
  bounds?: Bounds
) => Stream.Stream<ExportEvent, DeliveryFailed>

const event = Schema.toCodecJson(workspaceTransferRead.event())

/** The bytes of the wire between two machines. */
const overWire = Stream.map((sent: typeof event.Type) => Schema.decodeSync(event)(Schema.encodeSync(event)(sent)))

/** The client of a machine whose workspace has this guest. */
const exportOverContext: Export = (channel, asked, { within } = {}) => {
  const pyro = {
    workspace: {
      export: (payload: ExportPayload) => exportOnOne(channel, payload),
      transfer: {
        read: (payload: TransferPayload) =>
          treeEvents(channel, { payload, secrets: undefined, consent: undefined }).pipe(
            withOutsideRefusals(payload),
            overWire
          )
      }
    }
  } as unknown as PyroService
  const here = carrying(pyro, { stateDir: tmpdir(), context: { name: "bench", url: "ssh://bench" } })
  const events = here.workspace.export(asked)
  return within === undefined
    ? events
    : Stream.provideService(events, boundPlaces, { reading: [], writing: [within] })
}

let current: Export = exportOnOne

/** An export in the way of the present tests. */
export const exportPath: Export = (...given) => current(...given)

/** Tests of exports on one machine, and then the same of exports from another machine: they write and say the same. */
export const describeBothWays = (title: string, define: () => void) =>
  describe.each([
    { way: "on one machine", exportInWay: exportOnOne },
    { way: "over a context", exportInWay: exportOverContext }
  ])(`${title}, $way`, ({ exportInWay }) => {
    beforeAll(() => void (current = exportInWay))
    define()
  })
