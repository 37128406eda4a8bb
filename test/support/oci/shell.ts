import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import type { TarEntry } from "./tar.ts"

const PROGRAMS = ["cat", "chmod", "cut", "env", "grep", "id", "ls", "mkdir", "rm", "sleep", "touch"]

/** Libraries of a program of this host, by their paths. */
const librariesOf = (program: string) =>
  Array.from(execFileSync("ldd", [program], { encoding: "utf8" }).matchAll(/(\/\S+) \(0x/g), ([, library]) => library!)

/** A small root with a shell, some programs of this host, and the users root and vscode. */
export const shellRoot = (): ReadonlyArray<TarEntry> => {
  const programs = [["sh", "/bin/dash"], ...PROGRAMS.map((name) => [name, `/usr/bin/${name}`])] as const
  const libraries = new Set(programs.flatMap(([, file]) => librariesOf(file!)))
  return [
    { name: "bin/", type: "5" },
    { name: "etc/", type: "5" },
    { name: "etc/passwd", data: "root:x:0:0::/root:/bin/sh\nvscode:x:1000:1000::/home/vscode:/bin/sh\n", mode: 0o644 },
    { name: "etc/group", data: "root:x:0:\nvscode:x:1000:\n", mode: 0o644 },
    { name: "home/vscode/", type: "5", uid: 1000, gid: 1000 },
    ...programs.map(([name, file]) => ({ name: `bin/${name}`, data: fs.readFileSync(file!) })),
    ...Array.from(libraries, (file) => ({ name: file.slice(1), data: fs.readFileSync(file) }))
  ]
}
