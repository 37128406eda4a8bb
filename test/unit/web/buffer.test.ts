import { assert, describe, it } from "@effect/vitest"
import { Buffer as NodeBuffer } from "node:buffer"
import { Buffer as PageBuffer } from "../../../apps/web/src/wire/buffer.ts"

describe("the page's bytes", () => {
  it("are those of Node, for what the wire uses", () => {
    for (const one of [NodeBuffer as unknown as typeof PageBuffer, PageBuffer]) {
      const head = one.allocUnsafeSlow(9)
      head[0] = 0
      assert.strictEqual(head.writeUInt32BE(4_294_967_295, 1), 5)
      head.writeUInt32BE(7, 5)
      assert.deepStrictEqual([head.readUInt32BE(1), head.readUInt32BE(5)], [4_294_967_295, 7])
      assert.deepStrictEqual([...one.concat([head, Uint8Array.of(1)])], [0, 255, 255, 255, 255, 0, 0, 0, 7, 1])
      assert.strictEqual(one.from("é").length, 2)
      // A view of memory, as the wire puts heads before bytes.
      const memory = new ArrayBuffer(8)
      one.from(memory, 2, 4)[0] = 9
      assert.strictEqual(new Uint8Array(memory)[2], 9)
      assert.strictEqual((head.subarray(1) as PageBuffer).readUInt32BE(0), 4_294_967_295)
    }
  })
})
