import { assert, describe, it } from "@effect/vitest"
import { printedPrograms } from "../../programs/pages.ts"

describe("environments of the adapters' pages", () => {
  it("a name stands for one environment on all pages, so that a user can follow more than one", () => {
    const built = new Map<string, string>()
    for (const { lines, name: program } of printedPrograms) {
      for (const [, name, options] of lines.matchAll(/^pyro env build (\S+) ([^#\n]*)/gm)) {
        const before = built.get(name!)
        assert.isTrue(before === undefined || before === options!.trim(), `${program}: ${name}`)
        built.set(name!, options!.trim())
      }
    }
    assert.isAbove(built.size, 2)
  })
})
