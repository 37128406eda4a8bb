import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, beforeAll } from "vitest"
import type { Binary } from "../cli/cli-process.ts"
import { rawClient } from "./raw-client.ts"

/** A git repository in the binary's folder, and a function that starts `pyro mcp serve` there. The servers end after the file's tests. */
export const projectServers = (binary: Binary & { readonly folder: string }) => {
  const project = path.join(binary.folder, "project")
  const opened: Array<ReturnType<typeof rawClient>> = []
  beforeAll(() => {
    fs.mkdirSync(project, { recursive: true })
    execFileSync("git", ["init", "-q", project])
  })
  afterAll(() => {
    for (const { child } of opened) child.kill("SIGKILL")
  })
  /** Connects to a server with these arguments, in the project or another directory. */
  const serve = (args: ReadonlyArray<string>, cwd = project) => {
    const client = rawClient([process.execPath, binary.entry, "mcp", "serve", ...args], { env: binary.env, cwd })
    opened.push(client)
    return client
  }
  return { project, serve } as const
}
