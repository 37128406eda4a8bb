import * as path from "node:path"
import { assert, it } from "vitest"

type Check = (perform: (script: string) => Promise<unknown>) => Promise<string | undefined>

const { isInterruptedTwice, onceMore } = await import(
  path.resolve(import.meta.dirname, "../../lab/checks/emulator.mjs")
) as { readonly isInterruptedTwice: (detail: string) => boolean; readonly onceMore: (check: Check) => Check }

/** Of a guest with kernel 6.1 in the lab. */
const trace = `[  330.491653]  sysvec_apic_timer_interrupt+0xa/0x90
[  330.491712]  asm_sysvec_apic_timer_interrupt+0x16/0x20
[  330.491734] RIP: 0010:asm_sysvec_apic_timer_interrupt+0x0/0x20
[  330.491755] RSP: 0000:fffffe0000002fd8 EFLAGS: 00000002
[  330.491802] RIP: 0033:0x56054147e2da
[  337.949213] RIP: 0010:error_entry+0x10/0x130
[  337.949778] Kernel panic - not syncing: Fatal exception in interrupt`

/** The result of a check that ends as `details` say, in turn, and what it and the repetition ran. */
const done = async (...details: ReadonlyArray<string | undefined>) => {
  const scripts: Array<string> = []
  const rest = [...details]
  const check: Check = async (perform) => {
    await perform("the check")
    return rest.shift()
  }
  const detail = await onceMore(check)(async (script) => scripts.push(script))
  return { detail, scripts }
}

it("knows the panic that the emulator causes", () => {
  assert.isTrue(isInterruptedTwice(trace))
  assert.isFalse(isInterruptedTwice(trace.replace("asm_sysvec_apic_timer_interrupt+0x0/", "do_idle+0x0/")))
  assert.isFalse(isInterruptedTwice(trace.replace("Kernel panic", "BUG")))
})

it("does a check once more that the emulator broke, on a pyro without workspaces", async () => {
  const { detail, scripts } = await done(trace, undefined)
  assert.isUndefined(detail)
  assert.deepStrictEqual([scripts.length, scripts[0], scripts[2]], [3, "the check", "the check"])
  assert.match(scripts[1]!, /^pyro delete --all/)
})

it("does it once more only, and no check that failed otherwise", async () => {
  assert.strictEqual((await done(trace, trace, undefined)).detail, trace)
  const other = "Kernel panic - not syncing: Attempted to kill init!"
  assert.deepStrictEqual(await done(other, undefined), { detail: other, scripts: ["the check"] })
  assert.deepStrictEqual(await done(undefined), { detail: undefined, scripts: ["the check"] })
})
