import { assert, describe, it } from "@effect/vitest"
import { buildProgress, type Progress } from "../../../../src/lib/environment/model/progress.ts"

describe("the progress of a build", () => {
  it("the progress of a build rises from line to line, counts packages and never passes 1", () => {
    const seen: Array<Progress> = []
    const take = buildProgress((progress) => seen.push(progress))
    const packages = Array.from({ length: 40 }, (_, i) => `p${i}`)
    const lines = [
      "pyro-step: prepare",
      "I: running apt-get update...",
      "I: downloading packages with apt...",
      "I: extracting archives...",
      "I: installing essential packages...",
      ...packages.flatMap((name) => [`Unpacking ${name} (1) ...`, `Setting up ${name} (1) ...`]),
      "I: installing remaining packages inside the chroot...",
      "0 upgraded, 40 newly installed, 0 to remove and 0 not upgraded.",
      ...packages.map((name) => `Unpacking ${name} (2) ...`),
      ...packages.map((name) => `Setting up ${name} (2) ...`),
      "Setting up one-more (1) ...",
      "pyro-step: keep-packages",
      "pyro-step: image"
    ]
    for (const line of lines) take(line)
    for (let i = 1; i < seen.length; i++) assert.isAtLeast(seen[i]!.fraction, seen[i - 1]!.fraction)
    assert.isAtMost(seen.at(-1)!.fraction, 1)
    assert.strictEqual(new Set(seen.map(({ step }) => step)).size, 7)
    const installing = seen.filter(({ step }) => step === "installing packages")
    assert.isAbove(new Set(installing.map(({ fraction }) => fraction)).size, 50)
  })
})
