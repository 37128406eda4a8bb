import { Resolver } from "node:dns/promises"
import type { AnsweredMessage, DnsRecord, LookUpMessage } from "../../both/dial/protocol.ts"
import { type Refusal } from "../../both/dial/refusal.ts"
import { Slots } from "../../both/dial/slots.ts"

export type Answer = Pick<AnsweredMessage, "outcome" | "records">

/** Questions of programs that find services: databases, mail, certificates. Every other type has no data. */
const slots = new Slots({ limit: 256, perGroup: 64 })

/** Time of one question to one resolver, in ms, and how often each is asked. */
const RESOLVER = { timeout: 2_500, tries: 2 }

const number = (value: number, size: 1 | 2 | 4) => {
  const bytes = Buffer.alloc(size)
  bytes.writeUIntBE(value, 0, size)
  return bytes
}

const LABELS = /^([^.\\]{1,63}\.)*[^.\\]{1,63}$/

/** A name on the wire (RFC 1035, 3.1); undefined for names with escaped characters. */
const encodeName = (text: string): Buffer | undefined => {
  const name = text.replace(/\.$/, "")
  if (name === "") return Buffer.from([0])
  if (!LABELS.test(name) || name.length > 253) return undefined
  return Buffer.concat([
    ...name.split(".").map((label) =>
      Buffer.concat([number(Buffer.byteLength(label, "latin1"), 1), Buffer.from(label, "latin1")])
    ),
    Buffer.from([0])
  ])
}

/** A character string (RFC 1035, 3.3). */
const encodeString = (text: string) => {
  const bytes = Buffer.from(text, "latin1").subarray(0, 255)
  return Buffer.concat([number(bytes.length, 1), bytes])
}

/** Data of a record; undefined parts leave the record out. */
const data = (...parts: ReadonlyArray<Buffer | undefined>) =>
  parts.some((part) => part === undefined) ? undefined : Buffer.concat(parts as ReadonlyArray<Buffer>)

type Found = { readonly data: Buffer | undefined; readonly target?: string; readonly port?: number }

/** RFC 1035 (NS, MX, TXT), 2782 (SRV), 3403 (NAPTR), 8659 (CAA). */
const QUESTIONS: Readonly<Record<number, (resolver: Resolver, name: string) => Promise<ReadonlyArray<Found>>>> = {
  2: async (resolver, name) => (await resolver.resolveNs(name)).map((host) => ({ data: encodeName(host) })),
  15: async (resolver, name) =>
    (await resolver.resolveMx(name)).map(({ exchange, priority }) => ({
      data: data(number(priority, 2), encodeName(exchange))
    })),
  16: async (resolver, name) =>
    (await resolver.resolveTxt(name)).map((strings) => ({ data: data(...strings.map(encodeString)) })),
  33: async (resolver, name) =>
    (await resolver.resolveSrv(name)).map(({ name: target, port, priority, weight }) => ({
      data: data(number(priority, 2), number(weight, 2), number(port, 2), encodeName(target)),
      target,
      port
    })),
  35: async (resolver, name) =>
    (await resolver.resolveNaptr(name)).map(({ flags, order, preference, regexp, replacement, service }) => ({
      data: data(
        number(order, 2),
        number(preference, 2),
        ...[flags, service, regexp].map(encodeString),
        encodeName(replacement)
      )
    })),
  257: async (resolver, name) =>
    (await resolver.resolveCaa(name)).flatMap(({ critical, ...tags }) =>
      Object.entries(tags).map(([tag, value]) => ({
        data: data(number(critical, 1), encodeString(tag), Buffer.from(String(value), "latin1"))
      }))
    )
}

/** c-ares tells no time to live. */
const TTL_S = 60
const INTERNET = 1

/** A complete record (RFC 1035, 3.2.1). */
const recordOf = (name: Buffer, type: number, { data, port, target }: Found): ReadonlyArray<DnsRecord> =>
  data === undefined ? [] : [{
    bytes: Buffer.concat([name, number(type, 2), number(INTERNET, 2), number(TTL_S, 4), number(data.length, 2), data])
      .toString("base64"),
    target,
    port
  }]

const OUTCOMES = new Map([["ENODATA", "NoData"], ["ENOTFOUND", "NoSuchName"]] as const)

/** Asks this host's resolvers one question, as `/etc/resolv.conf` names them now. */
export const lookUp = async ({ group, name, type }: LookUpMessage, signal: AbortSignal): Promise<Answer> => {
  const question = QUESTIONS[type]
  const wireName = encodeName(name)
  if (question === undefined || wireName === undefined) return { outcome: "NoData", records: [] }
  return slots.run(group, signal, async () => {
    const resolver = new Resolver(RESOLVER)
    const cancel = () => resolver.cancel()
    signal.addEventListener("abort", cancel, { once: true })
    try {
      const records = (await question(resolver, name)).flatMap((found) => recordOf(wireName, type, found))
      return { outcome: records.length === 0 ? "NoData" : "Records", records }
    } catch (error) {
      if (signal.aborted) throw signal.reason as Refusal
      const { code } = error as NodeJS.ErrnoException
      return { outcome: OUTCOMES.get(code as "ENODATA") ?? "ServerFailure", records: [] }
    } finally {
      signal.removeEventListener("abort", cancel)
    }
  })
}
