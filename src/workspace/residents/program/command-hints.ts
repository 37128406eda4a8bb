import { words } from "../../../contract/errors/next-step.ts"
import { type Notice, notice, type Told } from "../../../contract/rows/notice.ts"
import { fixedPolicySteps, type NetworkNews, type PolicySteps } from "../policy/steps.ts"

/** Number of bytes at the end of a command's output that pyro searches for errors. */
const TAIL_BYTES = 8_192

/** Messages of resolvers and programs without a network. */
const NO_NETWORK =
  /temporary failure (in name resolution|resolving)|could not resolve (host|proxy)|name or service not known|network is unreachable|no address associated with hostname|failed to lookup address|no such host\b|\b(EAI_AGAIN|ENOTFOUND|ENETUNREACH)\b/i

/** Messages of programs that do not trust a certificate: Node's codes, and the words of OpenSSL, GnuTLS, Go, Java and rustls. */
const UNTRUSTED =
  /\b(SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_(GET_ISSUER_CERT(_LOCALLY)?|VERIFY_LEAF_SIGNATURE)|CERT_UNTRUSTED|CERTIFICATE_VERIFY_FAILED)\b|self[- ]signed certificate|unable to (get local issuer|verify the first) certificate|SSL certificate problem|certificate signed by unknown authority|PKIX path building failed|certificate is not trusted|certificate verification failed|invalid peer certificate/i

/** Status of a command that a shell did not find. */
const NOT_FOUND = 127

const DEPENDENCIES = "docs/dependencies.md"

const hints = {
  network: ({ opening }: PolicySteps): Told => ({
    message: "the guest has no network: no host name can be looked up and no address reached",
    next: [opening(), words("Dependencies get in without a network too", DEPENDENCIES)]
  }),
  certificate: ({ changing }: PolicySteps): Told => ({
    message: "the command did not trust a certificate",
    next: changing([{ field: "trust_host_certificates" }])
  }),
  command: (): Told => ({
    message:
      "a command was not found. The environment debian:12-build has compilers, Python and Node; all other programs are installed",
    next: [words("Read how to install them", DEPENDENCIES)]
  })
} as const
type Hint = keyof typeof hints

/** The end of a command's output. Pieces stay separate until a check reads them. */
export class OutputTail {
  #pieces: Array<Uint8Array> = []
  #bytes = 0

  add(piece: Uint8Array): void {
    this.#pieces.push(piece)
    this.#bytes += piece.length
    while (this.#bytes - (this.#pieces[0]?.length ?? 0) >= TAIL_BYTES) this.#bytes -= this.#pieces.shift()!.length
  }

  get text(): string {
    return Buffer.concat(this.#pieces).subarray(-TAIL_BYTES).toString("latin1")
  }
}

const warning = ({ message, next }: Told): Notice => notice("warning", message, next)

/** Hints for the caller of a command. Each comes once per machine. Denials of the network come with each command that met them. */
export class Hints {
  readonly #given = new Set<Hint>()
  /** The network of the machine, if the machine has one or may get one. */
  network: NetworkNews | undefined

  /** The present position, for `after`. */
  now(): number {
    return this.network?.position() ?? 0
  }

  /** Notices for a command with this end of its output, this status and this position of its start. */
  after(tail: OutputTail, status: number, startedAt = 0): ReadonlyArray<Notice> {
    const denials = this.network?.since(startedAt) ?? []
    // A command that succeeded did not need the connection.
    const failures = status === 0 ? [] : this.network?.failedSince(startedAt) ?? []
    const news = [...denials, ...failures]
    if (news.length > 0) return news.map(warning)
    const hint = this.#hintOf(tail, status)
    if (hint === undefined || this.#given.has(hint)) return []
    this.#given.add(hint)
    return [warning(hints[hint](this.network?.steps ?? fixedPolicySteps))]
  }

  #hintOf(tail: OutputTail, status: number): Hint | undefined {
    if (this.network?.isOn() !== true && NO_NETWORK.test(tail.text)) return "network"
    const mayTrust = status !== 0 && this.network?.isOn() === true && !this.network.trustsHost()
    if (mayTrust && UNTRUSTED.test(tail.text)) return "certificate"
    return status === NOT_FOUND ? "command" : undefined
  }
}

const hintsByMachine = new WeakMap<object, Hints>()

/** The hints of one machine. */
export const hintsOf = (machine: object): Hints => {
  const found = hintsByMachine.get(machine) ?? new Hints()
  hintsByMachine.set(machine, found)
  return found
}
