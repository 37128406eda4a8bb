import { assert, layer } from "@effect/vitest"
import { Cause, Effect, Exit, Option } from "effect"
import { randomUUID } from "node:crypto"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { buildInitramfs } from "../../src/lib/environment/model/initramfs.ts"
import { Vmm } from "../../src/lib/vm/Vmm.ts"
import { Paths } from "../../src/system/files/Paths.ts"
import { basics, guestServices } from "../support/guest.ts"
import { knownAccelerator } from "../support/run/accelerator.ts"
import { isFirecracker } from "../support/vm/vmm.ts"

// Its kernel has a name of its own.
Object.assign(process.env, knownAccelerator())

// The set-up has compiled it: a machine of the lab has no compiler.
const agent = path.join(path.dirname(fileURLToPath(import.meta.url)), "../fixtures/hostile-agent/build/init")

layer(guestServices, { excludeTestServices: true, timeout: "10 minutes" })(
  "a guest whose agent is the enemy's",
  (it) => {
    it.effect("a guest that floods the channel causes a typed error in bounded memory and leaves nothing", () =>
      Effect.gen(function*() {
        const { images, placeholder } = yield* basics
        const folder = yield* Effect.acquireRelease(
          Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "pyro-hostile-"))),
          (folder) => Effect.sync(() => fs.rmSync(folder, { recursive: true, force: true }))
        )
        const initrd = path.join(folder, "initrd")
        yield* buildInitramfs({
          agent,
          bootModules: path.join(path.dirname(images.kernel.vmlinux), "boot-modules.cpio"),
          target: initrd
        })
        fs.chmodSync(initrd, 0o444)
        const before = process.memoryUsage().rss
        const vmm = yield* Vmm
        const hostile = { ...images, kernel: { ...images.kernel, initrd, digest: `hostile-${randomUUID()}` } }
        const exit = yield* Effect.exit(Effect.scoped(vmm.restore({
          ...(isFirecracker && { driver: "firecracker" }),
          purpose: "run",
          images: hostile,
          vcpuCount: 1,
          memoryMib: 256,
          seed: placeholder,
          placeholder,
          dieWithParent: true
        })))
        assert.isTrue(Exit.isFailure(exit))
        if (Exit.isFailure(exit)) {
          const failure = Option.getOrUndefined(Cause.findErrorOption(exit.cause))
          // Each kernel is tried on Firecracker before its first guest, so that this guest meets the trial.
          assert.strictEqual(failure?._tag, isFirecracker ? "DriverUnavailable" : "ChannelFailed", String(exit.cause))
          assert.match(failure!.message, /hello|protocol/)
        }
        assert.isBelow(process.memoryUsage().rss - before, 200 * 1024 * 1024)
        const paths = yield* Paths
        assert.deepStrictEqual(fs.readdirSync(path.join(paths.stateDir, "vms")), [])
        assert.deepStrictEqual(fs.readdirSync(paths.memoryDir), [])
      }))
  }
)
