import { assert, layer } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { readRecord, VmId, vmPaths, writeRecord } from "../../src/lib/vm/model/record.ts"
import { endVm, ownerlessWorkspaceVms, sweepVms } from "../../src/lib/vm/model/sweep.ts"
import { Vmm } from "../../src/lib/vm/Vmm.ts"
import { Paths } from "../../src/system/files/Paths.ts"
import { isAlive } from "../../src/system/processes/identity.ts"
import { finish, guestServices, script } from "../support/guest.ts"
import { bundled, linkBuilt } from "../support/package/bundled.ts"

/** The driver as one program, beside a link to the natively built tools. */
const driver = Effect.acquireRelease(
  Effect.promise(async () => {
    const home = fs.mkdtempSync(path.join(os.tmpdir(), "pyro-attach-"))
    const program = path.join(home, "driver.mjs")
    await bundled(path.join(import.meta.dirname, "attach-driver.ts"), program)
    linkBuilt(home)
    return { home, program }
  }),
  ({ home }) => Effect.sync(() => fs.rmSync(home, { recursive: true, force: true }))
)

interface Started {
  readonly child: ChildProcess
  readonly vm: VmId
  readonly exec: string
}

/** Another process with a VM of its own, in this test's installation; whatever it leaves of the VM is ended with the Scope. */
const other = (verb: "hold" | "leave", command: string) =>
  Effect.gen(function*() {
    const { program } = yield* driver
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => spawn(process.execPath, [program, verb, command], { stdio: ["ignore", "pipe", "inherit"] })),
      (child) => Effect.sync(() => void child.kill("SIGKILL"))
    )
    const line = yield* Effect.callback<string>((resume) => {
      let text = ""
      child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk
        if (text.includes("\n")) resume(Effect.succeed(text))
      })
      child.once("exit", (code) => resume(Effect.die(new Error(`the other process ended with ${code}: ${text}`))))
    })
    const { exec, vm } = JSON.parse(line) as { readonly vm: string; readonly exec: string }
    const started: Started = { child, exec, vm: VmId.make(vm) }
    yield* Effect.addFinalizer(() => Effect.orDie(endVm(started.vm)))
    return started
  })

const ended = (child: ChildProcess) =>
  Effect.callback<number | null>((resume) => {
    if (child.exitCode !== null || child.signalCode !== null) return resume(Effect.succeed(child.exitCode))
    child.once("exit", (code) => resume(Effect.succeed(code)))
  })

const kill = (child: ChildProcess) => Effect.andThen(Effect.sync(() => child.kill("SIGKILL")), ended(child))

layer(guestServices, { excludeTestServices: true, timeout: "10 minutes" })("attaching to a running VM", (it) => {
  const mib = 8
  const flood = `i=0; while [ $i -lt ${mib} ]; do head -c 1048576 /dev/zero | tr '\\0' $i; i=$((i+1)); done; ` +
    "while [ ! -e /workspace/go ]; do sleep 0.05; done; echo end"

  it.effect("after kill -9 of a VM's owner, the next owner gets the complete output of an exec that ran once", () =>
    Effect.gen(function*() {
      const { child, exec, vm } = yield* other("hold", `echo run >> /workspace/runs; ${flood}`)
      const vmm = yield* Vmm
      assert.match((yield* Effect.scoped(Effect.flip(vmm.attach(vm)))).message, /process \d+ answers for/)
      yield* kill(child)
      yield* sweepVms
      assert.deepStrictEqual((yield* ownerlessWorkspaceVms).map(({ id }) => id), [vm])

      const qemu = yield* Effect.scoped(Effect.gen(function*() {
        const guest = yield* vmm.attach(vm)
        // Of two that come one gets it.
        assert.match((yield* Effect.scoped(Effect.flip(vmm.attach(vm)))).message, /answers for/)
        const adopted = yield* guest.channel.adopt(exec)
        assert.strictEqual(adopted._tag, "Some")
        if (adopted._tag === "None") return yield* Effect.die(new Error("nothing to adopt"))
        const go = yield* Effect.forkChild(
          Effect.scoped(Effect.flatMap(guest.channel.spawn(script("cat runs; touch go")), finish))
        )
        const { exit, stdout } = yield* finish(adopted.value)
        const expected = Array.from({ length: mib }, (_, digit) => String(digit).repeat(1_048_576)).join("") + "end\n"
        const hash = (text: string) => createHash("sha256").update(text).digest("hex")
        assert.deepStrictEqual({ hash: hash(stdout), bytes: stdout.length, exit: exit.code }, {
          hash: hash(expected),
          bytes: expected.length,
          exit: 0
        })
        assert.strictEqual((yield* Fiber.join(go)).stdout, "run\n")
        assert.strictEqual(yield* guest.vm.health.trouble, "none")
        // It can be stopped, switched, captured like one's own: the monitor answers.
        yield* guest.vm.pause
        yield* guest.vm.resume
        return guest.vm.process
      }))
      // The Scope of an attached VM ends it.
      const paths = vmPaths(yield* Paths, vm)
      assert.isFalse(isAlive(qemu))
      assert.isFalse(fs.existsSync(paths.directory) || fs.existsSync(paths.memory))
    }))

  it.effect("a VM whose owner has left can be attached and left again, and the owner ends at once", () =>
    Effect.gen(function*() {
      const { child, exec, vm } = yield* other(
        "leave",
        "echo hello; while [ ! -e /workspace/go ]; do sleep 0.05; done; echo end"
      )
      assert.strictEqual(yield* ended(child), 0)
      const vmm = yield* Vmm
      for (const _ of [1, 2]) {
        yield* Effect.scoped(Effect.gen(function*() {
          const guest = yield* vmm.attach(vm)
          assert.deepStrictEqual(guest.channel.hello.streams.map(({ id }) => id), [exec])
          yield* guest.vm.leave
        }))
      }
      const guest = yield* vmm.attach(vm)
      const adopted = yield* guest.channel.adopt(exec)
      yield* Effect.scoped(Effect.flatMap(guest.channel.spawn(script("touch go")), finish))
      if (adopted._tag === "Some") assert.strictEqual((yield* finish(adopted.value)).stdout, "hello\nend\n")
      assert.strictEqual(adopted._tag, "Some")
    }))

  it.effect("attaching during a switch of disks reads QEMU's disks, and a partial switch is refused", () =>
    Effect.gen(function*() {
      const { vm } = yield* other("leave", "sleep 1000")
      const vmm = yield* Vmm
      const paths = vmPaths(yield* Paths, vm)
      const read = Effect.flatMap(readRecord(paths), Effect.fromOption)
      const { disks, ...rest } = yield* read
      if (disks === undefined) return yield* Effect.die(new Error("the record has no disks"))
      const elsewhere: typeof disks = { ...disks, overlayNodes: ["w9"] }
      const tryWith = (now: typeof disks, next: typeof disks) =>
        writeRecord(paths, { ...rest, disks: now, nextDisks: next }).pipe(
          Effect.andThen(Effect.scoped(Effect.flatMap(vmm.attach(vm), (guest) => guest.vm.leave))),
          Effect.andThen(read)
        )
      for (const [now, next] of [[disks, elsewhere], [elsewhere, disks]] as const) {
        const settled = yield* tryWith(now, next)
        assert.deepStrictEqual({ disks: settled.disks, next: settled.nextDisks }, { disks, next: undefined })
      }
      assert.match(
        (yield* Effect.flip(tryWith(elsewhere, { ...disks, seedNode: "s9" }))).message,
        /were being switched/
      )
    }))

  it.effect("attaching to a VM without QEMU is refused, and a later death of QEMU is reported", () =>
    Effect.gen(function*() {
      const vmm = yield* Vmm
      const first = yield* other("leave", "sleep 1000")
      const guest = yield* vmm.attach(first.vm)
      process.kill(guest.vm.process.pid, "SIGKILL")
      assert.match((yield* Effect.flip(guest.vm.health.failure)).message, /QEMU ended/)

      const second = yield* other("leave", "sleep 1000")
      const [record] = yield* ownerlessWorkspaceVms
      process.kill(record!.process!.pid, "SIGKILL")
      yield* Effect.sync(() => isAlive(record!.process!)).pipe(Effect.repeat({ while: (alive) => alive }))
      assert.match((yield* Effect.scoped(Effect.flip(vmm.attach(second.vm)))).message, /is gone/)
      assert.isTrue(fs.existsSync(vmPaths(yield* Paths, second.vm).record))
      assert.match(
        (yield* Effect.scoped(Effect.flip(vmm.attach(VmId.make("vm-000000000000"))))).message,
        /there is no VM/
      )
    }))
})
