import { createHash } from "node:crypto"
import { OutputFilter } from "../../src/lib/redaction/filter.ts"
import { secretSet } from "../../src/lib/redaction/secrets.ts"
import type { Bench } from "../bench.ts"
import { type Plan, side, timed } from "../measure.ts"

const mib = 64
const count = 20
const pieceBytes = 65_536

/** Values such as tokens: 20 to 39 bytes of base64. */
const secrets = Array.from({ length: count }, (_, number) => ({
  name: `SECRET_${number}`,
  value: createHash("sha512").update(String(number)).digest("base64").slice(0, 20 + number)
}))

/** Output such as a compiler's. */
const line =
  "src/workspace/residents/exec/follow.ts(12,3): error TS2345: Argument of type 'string' is not assignable to 'number'.\n"
const piece = Buffer.from(line.repeat(Math.ceil(pieceBytes / line.length))).subarray(0, pieceBytes)

export const redaction: Plan = {
  name: "redaction",
  unit: "ms",
  about:
    `what ${count} secrets add to ${mib} MiB of one command's stdout; floor: ${mib} MiB of one command's stdout, spawned, streamed in process`,
  budget: { kind: "ratio", atMost: 0.1 },
  rounds: (runs) => Math.ceil(runs / 2),
  warmups: 1,
  floor: async ({ product }: Bench) => {
    const vm = await product.vm()
    const command = ["/bin/dd", "if=/dev/zero", "bs=64k", `count=${mib * 16}`, "status=none"] as const
    return side(() => timed(() => vm.exec(...command)), vm.destroy)
  },
  ours: async () => {
    const set = secretSet(secrets)!
    return side(async () => {
      const filter = new OutputFilter(set)
      return await timed(() => {
        let bytes = 0
        for (let passed = 0; passed < mib * 16; passed++) for (const shown of filter.push(piece)) bytes += shown.length
        return Promise.resolve(bytes)
      })
    })
  }
}
