import { type Plan, side, timed } from "../measure.ts"
import { inARow } from "./in-a-row.ts"
import { connected, execAlone } from "./network.ts"

/** A download as fast as it can be. */
const download = `one = socket.create_connection(server)
one.sendall(b"E")
piece = bytearray(1 << 20)
end = time.perf_counter() + 1.5
while time.perf_counter() < end: one.recv_into(piece)`

export const execBesideOwnDownload: Plan = {
  name: "exec-beside-own-download",
  unit: "ms",
  about:
    "/bin/true in a workspace that downloads as fast as it can; floor: the same command in a workspace without the download",
  budget: { kind: "ratio", atMost: 1.5 },
  rounds: (runs) => 2 * runs,
  warmups: 2,
  floor: execAlone,
  ours: async (bench) => {
    const { close, python, workspace } = await connected(bench)
    return side(async () => {
      const downloading = python(download)
      // Python's own start would count as well.
      await new Promise((resolve) => setTimeout(resolve, 500))
      const median = await inARow(() => timed(() => bench.daemon.exec(workspace, "/bin/true")), 20)
      await downloading
      return median
    }, close)
  }
}
