import { spawn } from "node:child_process"
import * as net from "node:net"
import * as path from "node:path"

const server =
  `require("node:net").createServer((one) => one.pipe(one)).listen(process.argv[1], () => console.log("up"))`

/** Another process that sends back what it gets; `echo` is one round trip of a small message to it. */
export const openEcho = async (folder: string) => {
  const socket = path.join(folder, "echo")
  const child = spawn(process.execPath, ["-e", server, socket], { stdio: ["ignore", "pipe", "inherit"] })
  await new Promise((resolve) => child.stdout.once("data", resolve))
  const connection = net.connect(socket)
  await new Promise((resolve) => connection.once("connect", resolve))
  return {
    echo: () =>
      new Promise<void>((resolve) => {
        connection.once("data", () => resolve())
        connection.write("a request of about the size that a command has, which is some hundred and twenty bytes")
      }),
    close: async () => {
      connection.destroy()
      child.kill("SIGKILL")
    }
  }
}
