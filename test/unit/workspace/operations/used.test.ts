import { assert, it } from "@effect/vitest"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { bytesOnDisk } from "../../../../src/system/files/usage.ts"
import { usedBeneath } from "../../../../src/workspace/operations/info.ts"

it("the space of a disk is that of its layers in every format, and of nothing else", () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "pyro-used-"))
  try {
    for (const name of ["0.qcow2", "1.store", "seed.ext4", "1.store.tmp"]) {
      fs.writeFileSync(path.join(folder, name), Buffer.alloc(40_000, 1))
    }
    const wanted = bytesOnDisk(path.join(folder, "0.qcow2")) + bytesOnDisk(path.join(folder, "1.store"))
    assert.isAbove(wanted, 79_999)
    assert.strictEqual(usedBeneath(folder), wanted)
    assert.strictEqual(usedBeneath(path.join(folder, "gone")), 0)
  } finally {
    fs.rmSync(folder, { recursive: true })
  }
})
