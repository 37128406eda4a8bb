import { assert, describe, it } from "vitest"
import { userIn } from "../../../../src/system/processes/tcp-peer.ts"

describe("the user at the other end of a connection", () => {
  it("the kernel's table has the user of the client's socket", () => {
    const table = [
      "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
      "   0: 0100007F:1267 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 1 1 0 20 4 30 10 -1",
      "   1: 0100007F:C350 0100007F:1267 01 00000000:00000000 00:00000000 00000000  1001        0 2 1 0 20 4 30 10 -1"
    ].join("\n")
    assert.strictEqual(userIn(`${table}\n`, 0xc350, 0x1267), 1001)
    assert.strictEqual(userIn(`${table}\n`, 0x1267, 0xc350), 1000)
    assert.isUndefined(userIn(`${table}\n`, 0xc351, 0x1267))
  })
})
