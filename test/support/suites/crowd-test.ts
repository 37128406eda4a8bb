import { assert, it } from "vitest"
import type { Installation } from "../installation.ts"
import { settlesAs } from "../settled.ts"

/** So many workspaces do everything at once; beside `first`, they are the only ones. */
export const crowdTest = ({ call, create, inventory, list, sh }: Installation, size: number) => {
  const many = Array.from({ length: size }, (_, index) => index)

  it(`${size} workspaces are created, used and deleted at once`, async () => {
    // Makes the template.
    await create(["--name", "first"])
    const made = await Promise.all(many.map((index) => create(["--name", `crowd-${index}`, "--label", "crowd=yes"])))
    assert.strictEqual(new Set(made.map(({ id }) => id)).size, many.length)
    const printed = await Promise.all(
      many.map((index) =>
        sh(`crowd-${index}`, `echo ${index} > /workspace/own; sync; hostname; cat /workspace/own /etc/machine-id`)
      )
    )
    printed.forEach((text, index) => assert.match(text, new RegExp(`^crowd-${index}\\n${index}\\n`)))
    assert.strictEqual(new Set(printed.map((text) => text.split("\n")[2])).size, many.length)
    assert.strictEqual((await list("--label", "crowd=yes")).length, many.length)
    const deleted = await Promise.all(many.map((index) => call(["workspace", "delete", `crowd-${index}`])))
    assert.deepStrictEqual(deleted.map(({ code }) => code), many.map(() => 0))
    assert.deepStrictEqual((await list()).map(({ name }) => name), ["first"])
    await settlesAs(() => inventory().filter((line) => line.includes("/ws-") && /record\.json$/.test(line)).length, 1)
  })
}
