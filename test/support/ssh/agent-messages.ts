import { generateKeyPairSync, randomBytes, sign } from "node:crypto"

const u32 = (value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
const string = (value: string | Uint8Array) => Buffer.concat([u32(Buffer.from(value).length), Buffer.from(value)])

/** A key of a host, which signs sessions. */
export const hostKey = () => {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519")
  const blob = Buffer.concat([
    string("ssh-ed25519"),
    string(Buffer.from(publicKey.export({ format: "jwk" }).x!, "base64url"))
  ])
  return {
    blob,
    publicLine: `ssh-ed25519 ${blob.toString("base64")}`,
    signed: (data: Buffer) => Buffer.concat([string("ssh-ed25519"), string(sign(null, data, privateKey))])
  }
}

/** What OpenSSH's client sends to an agent for one login, without the lengths: it binds the connection to the session, and asks for a signature. */
export const loginMessages = (host: ReturnType<typeof hostKey>, personLine: string): ReadonlyArray<Buffer> => {
  const session = randomBytes(32)
  const person = Buffer.from(personLine.split(" ")[1]!, "base64")
  const request = Buffer.concat([
    ...[string(session), Buffer.from([50]), string("git"), string("ssh-connection"), string("publickey")],
    ...[Buffer.from([1]), string("ssh-ed25519"), string(person)]
  ])
  return [
    Buffer.concat([
      ...[Buffer.from([27]), string("session-bind@openssh.com"), string(host.blob), string(session)],
      ...[string(host.signed(session)), Buffer.from([0])]
    ]),
    Buffer.concat([Buffer.from([13]), string(person), string(request), u32(0)])
  ]
}

/** A program of a guest that sends messages to its agent, and prints the type of each answer. */
export const clientScript = (messages: ReadonlyArray<Buffer>) =>
  `python3 - ${messages.map((message) => message.toString("hex")).join(" ")} <<'END'
import os, socket, struct, sys
agent = socket.socket(socket.AF_UNIX)
agent.connect(os.environ["SSH_AUTH_SOCK"])
def exactly(length):
  got = b""
  while len(got) < length:
    more = agent.recv(length - len(got))
    if not more: sys.exit("the agent has closed")
    got += more
  return got
for message in map(bytes.fromhex, sys.argv[1:]):
  agent.sendall(struct.pack(">I", len(message)) + message)
  print(exactly(struct.unpack(">I", exactly(4))[0])[0], flush=True)
END`
