import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { judgeName } from "../../../../src/lib/network/model/judge.ts"
import { parseHostRules, policyOff, readPolicy } from "../../../../src/lib/network/model/policy.ts"
import { ONCE_MS, oncePermissions } from "../../../../src/lib/network/once.ts"

const rulesOf = (fields: object) => Result.getOrThrow(readPolicy({ ...policyOff, networkPolicy: "egress", ...fields }))
const off = Result.getOrThrow(readPolicy(policyOff))
const listed = rulesOf({ allowHosts: ["a.test"] })

/** Permissions for hosts, and the clock that they end by. */
const permissions = (...texts: ReadonlyArray<string>) => {
  let atMs = 5
  const once = oncePermissions(() => atMs)
  const add = (...more: ReadonlyArray<string>) =>
    once.add(more.flatMap((text) => Result.getOrThrow(parseHostRules(text))))
  add(...texts)
  return { ...once, add, pass: (ms: number) => (atMs += ms) }
}

describe("a permission for one connection", () => {
  it("two connections at once get one permission", () => {
    const { take, unused } = permissions("b.test:443")
    const first = take(listed, "B.test.", 443)
    assert.strictEqual(first?.rule.text, "b.test:443")
    assert.isUndefined(take(listed, "b.test", 443))
    assert.deepStrictEqual(unused(), [])
    first?.spend()
    first?.giveBack()
    assert.isUndefined(take(listed, "b.test", 443))
  })

  it("a connection that was not made leaves the permission to the next", () => {
    const { take } = permissions("b.test:443")
    take(listed, "b.test", 443)?.giveBack()
    assert.isDefined(take(listed, "b.test", 443))
  })

  it("the name and the port must be those of the permission, and no port is every port", () => {
    const { take } = permissions("b.test:443", "c.test")
    assert.isUndefined(take(listed, "b.test", 80))
    assert.isUndefined(take(listed, "x.b.test", 443))
    assert.isUndefined(take(listed, "test", 443))
    assert.isDefined(take(listed, "c.test", 8080))
  })

  it("a connection that the policy allows leaves the permission", () => {
    const { take, unused } = permissions("b.test")
    assert.isUndefined(take(rulesOf({}), "b.test", 443))
    assert.isUndefined(take(rulesOf({ allowHosts: ["*.test"] }), "b.test", 443))
    assert.deepStrictEqual(unused(), ["b.test"])
  })

  it("a look-up of the name is answered while the permission is unused", () => {
    const { forLookUp, take } = permissions("b.test:443")
    for (const rules of [off, listed]) {
      const verdict = (name: string) => judgeName(forLookUp(rules, name), name)._tag
      assert.deepStrictEqual([verdict("b.test"), verdict("x.b.test"), verdict("c.test")], [
        "Allowed",
        "Denied",
        "Denied"
      ])
    }
    const taken = take(off, "b.test", 443)
    assert.strictEqual(forLookUp(off, "b.test"), off)
    taken?.giveBack()
    assert.notStrictEqual(forLookUp(off, "b.test"), off)
  })

  it("a policy that is off opens nothing but the permission, and a denied host stays denied", () => {
    const { forLookUp } = permissions("b.test:443")
    const rules = forLookUp(off, "b.test")
    assert.deepStrictEqual([judgeName(rules, "b.test", 443)._tag, judgeName(rules, "b.test", 80)._tag], [
      "Allowed",
      "Denied"
    ])
    assert.deepStrictEqual([rules.isListed, rules.comparesNames, rules.allowIps], [true, true, []])
    for (
      const denying of [rulesOf({ denyHosts: ["b.test"] }), rulesOf({ allowHosts: ["a.test"], denyHosts: ["b.test"] })]
    ) {
      assert.strictEqual(judgeName(forLookUp(denying, "b.test"), "b.test", 443)._tag, "Denied")
    }
  })

  it("a permission ends after ten minutes, and asking again begins them anew without a second permission", () => {
    const { add, pass, take, unused } = permissions("b.test")
    pass(ONCE_MS - 1)
    add("b.test")
    pass(ONCE_MS - 1)
    assert.deepStrictEqual(unused(), ["b.test"])
    pass(1)
    assert.deepStrictEqual(unused(), [])
    assert.isUndefined(take(listed, "b.test", 443))
  })

  it("a permission that comes back beside another one for the host is one", () => {
    const { add, take, unused } = permissions("b.test")
    const taken = take(listed, "b.test", 443)
    add("b.test")
    taken?.giveBack()
    assert.deepStrictEqual(unused(), ["b.test"])
  })

  it("a permission that is revoked while it is taken does not come back", () => {
    const { clear, take, unused } = permissions("b.test")
    const taken = take(listed, "b.test", 443)
    assert.isTrue(taken?.holds())
    clear()
    assert.isFalse(taken?.holds())
    taken?.giveBack()
    assert.deepStrictEqual(unused(), [])
  })
})
