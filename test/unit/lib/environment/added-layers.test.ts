import { execFileSync } from "node:child_process"
import { assert, describe, it } from "vitest"
import { imageModules } from "../../../support/image-program.ts"

const answer = (lines: string): unknown =>
  JSON.parse(
    execFileSync("python3", ["-"], {
      input: `${imageModules}\nfrom pyro_image import flat, present\n${lines}`,
      encoding: "utf8"
    })
  )

describe("layers that are added to a file system", () => {
  it("the root of a layer loses what has no room in the place of the root below it", () => {
    const done = answer(`
did = []
flat.as_layer = lambda upper: did.append("as layer")
flat.check_room = lambda is_written: did.append("room")
flat.run_fed = lambda argv, source: did.append("added")
os.listxattr = lambda path: ["user.note", "system.posix_acl_access"]
os.removexattr = lambda path, name: did.append(name)
os.chown = lambda path, uid, gid: did.append([uid, gid])
os.utime = lambda path, times: did.append(list(times))
flat.Output.path = "/nowhere/disk"
flat.add_upper("/nowhere/upper", [])
print(json.dumps(did))
`)
    const plain = ["user.note", "system.posix_acl_access", [0, 0], [0, 0]]
    assert.deepStrictEqual(done, ["as layer", ...plain, "added", "room"])
  })

  it("a layer that cannot be added names --pull, if the base has a registry", () => {
    const said = answer(`
present.run = lambda argv: None
present.progress = lambda *given: None
def add_upper(upper, further):
    raise Refused(kind, "mkfs.erofs ended with 1")
present.add_upper = add_upper
said = []
for kind, name in [("tool", "registry.example/base:1"), ("tool", "localhost/base"), ("full", "registry.example/base:1")]:
    over = present.Over.__new__(present.Over)
    over.numbers, over.directories, over.base = [1], ["/nowhere"], present.Base.__new__(present.Base)
    over.base.names = [name]
    try:
        over.write("/nowhere", None)
    except Refused as refused:
        said.append([refused.kind, "--pull" in str(refused)])
print(json.dumps(said))
`)
    assert.deepStrictEqual(said, [["tool", true], ["tool", false], ["full", false]])
  })
})
