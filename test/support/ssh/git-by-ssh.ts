import { spawn } from "node:child_process"
import ssh2 from "ssh2"

/**
 * An SSH server on this host's loopback, which takes the one key and serves the repositories of a folder, as a forge does. `logins` counts those
 * that it has let in. Close it at the end.
 */
export const gitBySsh = async (options: {
  readonly folder: string
  readonly hostKey: string
  /** Public line of the key that may log in. */
  readonly personKey: string
}) => {
  const key = ssh2.utils.parseKey(options.personKey)
  if (key instanceof Error) throw key
  let logins = 0
  const server = new ssh2.Server({ hostKeys: [options.hostKey] }, (client) => {
    client.on("error", () => {})
    client.on("authentication", (context) => {
      const isAllowed = context.method === "publickey" && key.getPublicSSH().equals(context.key.data) &&
        (context.signature === undefined || context.blob !== undefined &&
            key.verify(context.blob, context.signature, context.hashAlgo) === true)
      if (!isAllowed) return context.reject(["publickey"])
      if (context.method === "publickey" && context.signature !== undefined) logins++
      return context.accept()
    })
    client.on("session", (accept) => {
      accept().on("exec", (take, refuse, { command }) => {
        const [, service, repository] = /^(git-(?:receive|upload)-pack) '\/?([a-z.]+)'$/.exec(command) ?? []
        if (service === undefined || repository === undefined) return refuse()
        const channel = take()
        const git = spawn(service, [repository], { cwd: options.folder, stdio: "pipe" })
        channel.pipe(git.stdin).on("error", () => {})
        git.stdout.pipe(channel, { end: false })
        git.stderr.pipe(channel.stderr, { end: false })
        git.once("close", (code) => {
          channel.exit(code ?? 1)
          channel.end()
        })
      })
    })
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  return {
    port: (server.address() as { readonly port: number }).port,
    logins: () => logins,
    close: () => new Promise<void>((resolve) => server.close(() => resolve()))
  }
}
