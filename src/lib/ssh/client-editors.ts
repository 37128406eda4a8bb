import { Effect } from "effect"
import { spawn } from "node:child_process"

/** An editor that opens a directory of an SSH host. */
interface Editor {
  readonly title: string
  /** Its command line. Absent: it has none for this. */
  readonly argv?: (host: string, directory: string) => readonly [string, ...ReadonlyArray<string>]
  /** Next step for a person without its program. */
  readonly byHand: (host: string, directory: string) => string
}

const ofVsCode = (program: string, title: string): Editor => ({
  title,
  argv: (host, directory) => [program, "--remote", `ssh-remote+${host}`, directory],
  byHand: (host, directory) =>
    `in ${title}, install the extension Remote - SSH, run "Remote-SSH: Connect to Host", choose ${host}, and open ${directory}`
})

/** Directory as the path of a URL. */
const urlPath = (directory: string) => directory.split("/").map(encodeURIComponent).join("/")

/** The editors, by the name of their program. */
export const editors: { readonly [Name in "code" | "cursor" | "zed" | "jetbrains"]: Editor } = {
  code: ofVsCode("code", "VS Code"),
  cursor: ofVsCode("cursor", "Cursor"),
  zed: {
    title: "Zed",
    argv: (host, directory) => ["zed", `ssh://${host}${urlPath(directory)}`],
    byHand: (host, directory) => `in Zed, run "projects: open remote", choose ${host}, and open ${directory}`
  },
  jetbrains: {
    title: "JetBrains Toolbox",
    // The link adds the host alone. Toolbox reads user and ProxyCommand from OpenSSH's configuration.
    byHand: (host, directory) =>
      `in JetBrains Toolbox, open jetbrains://gateway/ssh/environment?h=${
        encodeURIComponent(host)
      }, or add the host ${host} ` +
      `as an SSH environment, and choose an IDE and the project directory ${directory}. In JetBrains Gateway, choose SSH, then a new connection to the host ${host}`
  }
}

/** Runs the program of an editor until its end. `absent`: there is no such program. */
export const openEditor = (argv: readonly [string, ...ReadonlyArray<string>]): Effect.Effect<number | "absent"> =>
  Effect.callback((resume) => {
    const [program, ...args] = argv
    const child = spawn(program, args, { stdio: ["ignore", "inherit", "inherit"] })
    child.once("error", () => resume(Effect.succeed("absent" as const)))
    child.once("close", (code) => resume(Effect.succeed(code ?? 1)))
  })
