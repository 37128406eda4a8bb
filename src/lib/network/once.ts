import { judgeName } from "./model/judge.ts"
import { readName, withoutServiceLabels } from "./model/name.ts"
import type { Rules } from "./model/policy.ts"
import type { HostRule } from "./model/rule.ts"

/** Time in which a permission for one connection can be used, in ms. */
export const ONCE_MS = 600_000

/** The rules that hold for one connection or look-up which a permission allows. Denied hosts stay denied. */
export const withOnce = (rules: Rules, added: ReadonlyArray<HostRule>): Rules => {
  const isOff = rules.networkPolicy === "off"
  // Without a list, every public host is allowed already.
  if (added.length === 0 || (!isOff && !rules.isListed)) return rules
  return {
    networkPolicy: isOff ? "egress" : rules.networkPolicy,
    allowHosts: [...(isOff ? [] : rules.allowHosts), ...added],
    denyHosts: rules.denyHosts,
    allowIps: isOff ? [] : rules.allowIps,
    isListed: true,
    comparesNames: true
  }
}

/** A permission that a connection uses, and that no other connection can use meanwhile. */
export interface TakenOnce {
  readonly rule: HostRule
  /** Whether the permission was not revoked meanwhile. */
  readonly holds: () => boolean
  /** The connection is made: the permission is gone. */
  readonly spend: () => void
  /** The connection was not made: another one may use the permission. Does nothing after `spend`. */
  readonly giveBack: () => void
}

/** Permissions of one guest for one connection each. They are in this process only. */
export interface OncePermissions {
  /** Adds permissions. A rule that has an unused one has its time anew, and no second one. */
  readonly add: (rules: ReadonlyArray<HostRule>) => void
  /** Takes the permission for a connection that the rules do not allow by themselves, in this turn. */
  readonly take: (rules: Rules, name: string, port: number) => TakenOnce | undefined
  /** The rules for a look-up of a name. */
  readonly forLookUp: (rules: Rules, name: string) => Rules
  /** Rules of the unused permissions, as they were given. */
  readonly unused: () => ReadonlyArray<string>
  /** Ends all permissions. */
  readonly clear: () => void
}

interface Permission {
  readonly rule: HostRule
  readonly untilMs: number
  isTaken: boolean
}

/** Permissions by a monotonic clock, in ms. */
export const oncePermissions = (monotonicMs: () => number): OncePermissions => {
  let all: Array<Permission> = []
  const isUnused = ({ isTaken, untilMs }: Permission) => !isTaken && monotonicMs() < untilMs
  const unusedFor = (text: string, port?: number) => {
    const read = readName(text)
    return read._tag === "BadName" ? [] : all.filter((one) =>
      isUnused(one) && one.rule.name === read.name &&
      (port === undefined || one.rule.port === undefined || one.rule.port === port)
    )
  }
  const without = (rule: HostRule) => all.filter((one) => one.isTaken || one.rule.text !== rule.text)
  return {
    add: (rules) => {
      const untilMs = monotonicMs() + ONCE_MS
      for (const rule of rules) all = [...without(rule), { rule, untilMs, isTaken: false }]
    },
    take: (rules, name, port) => {
      const [permission] = unusedFor(name, port)
      if (permission === undefined || judgeName(rules, name, port)._tag === "Allowed") return undefined
      permission.isTaken = true
      return {
        rule: permission.rule,
        holds: () => all.includes(permission),
        spend: () => (all = all.filter((one) => one !== permission)),
        giveBack: () => {
          if (!all.includes(permission)) return
          // One unused permission for a rule is enough: a person may have granted another one meanwhile.
          all = without(permission.rule)
          permission.isTaken = false
        }
      }
    },
    forLookUp: (rules, name) => withOnce(rules, unusedFor(withoutServiceLabels(name)).map(({ rule }) => rule)),
    unused: () => all.filter(isUnused).map(({ rule }) => rule.text),
    clear: () => (all = [])
  }
}
