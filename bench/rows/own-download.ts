import { type Plan, side, timed } from "../measure.ts"
import { inARow } from "./in-a-row.ts"
import { connected } from "./network.ts"

/** A download as fast as it can be, for so many seconds. */
const downloads = (seconds: number) =>
  `one = socket.create_connection(server)
one.sendall(b"E")
piece = bytearray(1 << 20)
end = time.perf_counter() + ${seconds}
while time.perf_counter() < end: one.recv_into(piece)`

export const execBesideOwnDownload: Plan = {
  name: "exec-beside-own-download",
  unit: "ms",
  about:
    "/bin/true in a workspace that downloads as fast as it can; floor: the same command in a workspace without the download",
  budget: { kind: "ratio", atMost: 1.5 },
  rounds: (runs) => 2 * runs,
  warmups: 2,
  floor: async ({ daemon }) => {
    const workspace = await daemon.create()
    return side(() => inARow(() => timed(() => daemon.exec(workspace, "/bin/true"))), () => daemon.remove(workspace))
  },
  ours: async (bench) => {
    const { close, python, workspace } = await connected(bench)
    return side(async () => {
      const downloading = python(downloads(1.5))
      // Python's own start would count as well.
      await new Promise((resolve) => setTimeout(resolve, 500))
      const median = await inARow(() => timed(() => bench.daemon.exec(workspace, "/bin/true")), 20)
      await downloading
      return median
    }, close)
  }
}
