import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import {
  CLUSTER_BYTES,
  clusterRuns,
  standaloneBytes,
  standaloneMetadata
} from "../../../../src/lib/disk/standalone-qcow2.ts"
import { temporaryDirectory } from "./temporary-directory.ts"

const mib = 1024 * 1024

/** Ranges in MiB that hold data. The data of a large disk is a hole of the file. */
interface Disk {
  readonly name: string
  readonly virtualBytes: number
  readonly ranges: ReadonlyArray<readonly [number, number]>
  readonly isHole?: boolean
}
const disks: ReadonlyArray<Disk> = [
  { name: "an empty disk", virtualBytes: 512 * mib, ranges: [] },
  {
    name: "a disk whose data ends one L2 table and begins the next",
    virtualBytes: 1536 * mib,
    ranges: [[511, 2], [1535, 1]]
  },
  { name: "a disk with data at both ends", virtualBytes: 4096 * mib, ranges: [[0, 1], [4095, 1]] },
  {
    name: "a disk with more clusters than one block of reference counts",
    virtualBytes: 4096 * mib,
    ranges: [[7, 2100]],
    isHole: true
  }
]

const image = (...args: Array<string>) => execFileSync("qemu-img", args, { encoding: "utf8" })

/** Writes the image and the same disk as a sparse raw file. */
const write = (directory: string, { isHole = false, ranges, virtualBytes }: Disk) => {
  const [qcow2, raw] = [path.join(directory, "disk.qcow2"), path.join(directory, "disk.raw")]
  const runs = clusterRuns(ranges.map(([at, count]) => ({ start: at * mib, length: count * mib })))
  const fd = fs.openSync(qcow2, "w")
  for (const piece of standaloneMetadata(virtualBytes, runs)) fs.writeSync(fd, piece)
  const rawFd = fs.openSync(raw, "w")
  fs.ftruncateSync(rawFd, virtualBytes)
  if (isHole) fs.ftruncateSync(fd, standaloneBytes(virtualBytes, runs))
  for (const { count, first } of isHole ? [] : runs) {
    for (let at = 0; at < count; at++) {
      const cluster = Buffer.alloc(CLUSTER_BYTES, (first + at) % 251 + 1)
      fs.writeSync(fd, cluster)
      fs.writeSync(rawFd, cluster, 0, cluster.length, (first + at) * CLUSTER_BYTES)
    }
  }
  fs.closeSync(fd)
  fs.closeSync(rawFd)
  return { qcow2, raw, runs }
}

describe("standalone qcow2 images", () => {
  for (const disk of disks) {
    it.live(`qemu-img finds ${disk.name} whole, without a backing file`, () =>
      Effect.gen(function*() {
        const { qcow2, raw, runs } = write(yield* temporaryDirectory, disk)
        const { virtualBytes } = disk
        assert.strictEqual(fs.statSync(qcow2).size, standaloneBytes(virtualBytes, runs))
        assert.include(image("check", qcow2), "No errors were found")
        assert.include(image("compare", "-f", "qcow2", "-F", "raw", qcow2, raw), "identical")
        const info = JSON.parse(image("info", "--output=json", qcow2))
        assert.strictEqual(info["virtual-size"], virtualBytes)
        assert.isUndefined(info["backing-filename"])
        assert.isUndefined(info["format-specific"].data["data-file"])
      }), 60_000)
  }

  it("byte ranges become runs of whole clusters", () => {
    assert.deepStrictEqual(
      clusterRuns([
        { start: 4096, length: 4096 },
        { start: 65_000, length: 1_000 },
        { start: 65_536 * 2, length: 1 },
        { start: 65_536 * 9, length: 65_537 }
      ]),
      [{ first: 0, count: 3 }, { first: 9, count: 2 }]
    )
  })
})
