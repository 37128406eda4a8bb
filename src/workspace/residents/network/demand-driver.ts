import { Effect } from "effect"
import { HostToolMissing, InvalidRequest, NetworkDriverUnavailable } from "../../../contract/errors/errors.ts"
import type { NetworkDriver } from "../../../contract/rows/network-fields.ts"
import { runTool } from "../../../system/processes/child.ts"
import { findProgram, isRoot } from "../../../system/processes/host.ts"
import { nativeTool } from "../../../system/processes/native.ts"
import { packageOf } from "../../../system/processes/tool-packages.ts"

/** Programs that the driver starts. */
const PROGRAMS = ["bwrap", "nsenter", "nft", "pasta"]

const unavailable = (detail: string) => new NetworkDriverUnavailable({ driver: "tap", detail })

/** Fails unless this host can give microVMs a tap device: tries a device and a firewall table in a network namespace. Nothing stays. */
export const demandTap: Effect.Effect<void, NetworkDriverUnavailable | HostToolMissing> = Effect.gen(function*() {
  if (!isRoot()) return yield* unavailable("it needs root")
  const missing = PROGRAMS.find((program) => findProgram(program) === undefined)
  if (missing !== undefined) {
    const detail = "--network-driver tap needs it"
    return yield* new HostToolMissing({ tool: missing, package: packageOf(missing), detail })
  }
  const tool = yield* nativeTool("pyro-tap")
  // Any free descriptor will do.
  yield* runTool(tool, ["9", findProgram("nft")!, "add", "table", "inet", "pyro"]).pipe(
    Effect.catchTag("ToolFailed", ({ stderr }) => unavailable(stderr.trim()))
  )
})

/** Secrets of a host need a driver that reads connections. */
export const demandStreams = (
  driver: NetworkDriver | undefined,
  secretHttp: ReadonlyArray<string> = []
): Effect.Effect<void, InvalidRequest> =>
  driver === "tap" && secretHttp.length > 0
    ? new InvalidRequest({
      field: "secret_http",
      detail: "needs the network driver streams: pyro reads no bytes of a network device's connections"
    })
    : Effect.void

/** Fails unless this host has the driver of a request, and the driver has what the request asks for. */
export const demandDriver = (
  { networkDriver, secretHttp }: {
    readonly networkDriver?: NetworkDriver
    readonly secretHttp?: ReadonlyArray<string>
  }
): Effect.Effect<void, InvalidRequest | NetworkDriverUnavailable | HostToolMissing> =>
  networkDriver === "tap" ? Effect.andThen(demandStreams(networkDriver, secretHttp), demandTap) : Effect.void
